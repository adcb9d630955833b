#include "penstock/runtime/objects.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace penstock::runtime {
namespace {

TEST(ObjectTableTest, RefusesANumberThatIsTaken) {
  ObjectTable objects;
  EXPECT_TRUE(objects.Make(1, 1).ok());
  EXPECT_FALSE(objects.Make(1, 1).ok());
}

TEST(ObjectTableTest, DropsAValueThatComesAfterTheLastReferenceWent) {
  ObjectTable objects;
  ASSERT_TRUE(objects.Make(1, 1).ok());
  ASSERT_TRUE(objects.Make(2, 1).ok());
  objects.Release(2, 1);
  objects.Store(2, {.contained = {1}});
  objects.Release(1, 1);
  EXPECT_EQ(objects.size(), 0);
}

TEST(ObjectTableTest, CountsAClientThatHoldsTwiceOnce) {
  ObjectTable objects;
  ASSERT_TRUE(objects.Make(1, 1).ok());
  objects.Hold(1, 1);
  objects.Hold(1, 2);
  objects.Release(1, 1);
  EXPECT_EQ(objects.size(), 1);
  objects.Release(1, 2);
  EXPECT_EQ(objects.size(), 0);
}

TEST(ObjectTableTest, FreesALongChainOfObjects) {
  ObjectTable objects;
  constexpr uint64_t kCount = 200'000;
  for (uint64_t id = 1; id <= kCount; ++id) {
    ASSERT_TRUE(objects.Make(id, 1).ok());
    if (id > 1) objects.Store(id, {.contained = {id - 1}});
    if (id > 1) objects.Release(id - 1, 1);
  }
  EXPECT_EQ(objects.size(), kCount);
  objects.Release(kCount, 1);
  EXPECT_EQ(objects.size(), 0);
}

TEST(ObjectTableTest, TellsWhomTheEndOfAnObjectConcerns) {
  ObjectTable objects;
  ASSERT_TRUE(objects.Make(1, 1, ObjectKind::kActor).ok());
  ASSERT_TRUE(objects.Make(2, 1).ok());
  objects.Find(2)->waiters.push_back({.client = 3, .id = 4});
  objects.ClientGone(1);
  const std::vector<FreedObject> freed = objects.TakeFreed();
  ASSERT_EQ(freed.size(), 2);
  const size_t actor = freed[0].id == 1 ? 0 : 1;
  EXPECT_EQ(freed[actor].kind, ObjectKind::kActor);
  EXPECT_EQ(freed[1 - actor].waiters.at(0).client, 3);
}

/// What references there are, counted in the plainest way.
struct Model {
  std::map<uint64_t, std::set<uint32_t>> holders;
  std::map<uint64_t, int> pins;
  std::map<uint64_t, std::vector<uint64_t>> contained;

  /// Drops whatever nobody refers to, until all that is left is referred to.
  void Collect() {
    for (bool again = true; again;) {
      again = false;
      std::map<uint64_t, int> inner;
      for (const auto& [id, objects] : contained) {
        for (const uint64_t object : objects) ++inner[object];
      }
      for (auto entry = holders.begin(); entry != holders.end();) {
        const uint64_t id = entry->first;
        if (!entry->second.empty() || pins[id] > 0 || inner[id] > 0) {
          ++entry;
          continue;
        }
        contained.erase(id);
        entry = holders.erase(entry);
        again = true;
      }
    }
  }
};

TEST(ObjectTableTest, KeepsExactlyWhatSomebodyRefersTo) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    ObjectTable objects;
    Model model;
    uint64_t last = 0;
    for (int step = 0; step < 300; ++step) {
      const uint64_t id = last == 0 ? 0 : 1 + random() % last;
      const auto client = static_cast<uint32_t>(1 + random() % 3);
      const bool lives = model.holders.contains(id);
      switch (random() % 7) {
        case 0:
          ASSERT_TRUE(objects.Make(++last, client).ok());
          model.holders[last] = {client};
          break;
        case 1:
          objects.Hold(id, client);
          if (lives) model.holders[id].insert(client);
          break;
        case 2:
          objects.Release(id, client);
          if (lives) model.holders[id].erase(client);
          break;
        case 3:
          objects.Pin(id);
          if (lives) ++model.pins[id];
          break;
        case 4:
          if (!lives || model.pins[id] == 0) break;
          objects.Unpin(id);
          --model.pins[id];
          break;
        case 5: {
          if (!lives || model.contained.contains(id)) break;
          std::vector<uint64_t> inner;
          for (uint64_t i = 0; i < random() % 3 && id > 1; ++i)
            inner.push_back(1 + random() % (id - 1));
          objects.Store(id, {.contained = inner});
          std::erase_if(inner, [&](uint64_t one) { return !model.holders.contains(one); });
          model.contained[id] = inner;
          break;
        }
        default:
          if (random() % 10 != 0) break;
          objects.ClientGone(client);
          for (auto& [object, holders] : model.holders) holders.erase(client);
      }
      model.Collect();
      ASSERT_EQ(objects.size(), model.holders.size()) << "seed " << seed << ", step " << step;
      for (const auto& [object, holders] : model.holders) {
        ASSERT_NE(objects.Find(object), nullptr) << "seed " << seed << ", step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace penstock::runtime
