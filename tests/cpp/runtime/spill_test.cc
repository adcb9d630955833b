#include "penstock/runtime/spill.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <random>

#include "penstock/runtime/spill_space.h"

namespace penstock::runtime {
namespace {

TEST(SpillSpaceTest, GivesNoStretchTwiceAndShrinksWithWhatIsGivenBack) {
  std::mt19937_64 random(1);
  SpillSpace space;
  std::map<int64_t, int64_t> taken;
  for (int i = 0; i < 5'000; ++i) {
    if (random() % 2 == 0 || taken.empty()) {
      const auto bytes = static_cast<int64_t>(1 + random() % 100);
      const int64_t offset = space.Take(bytes);
      const auto after = taken.lower_bound(offset);
      if (after != taken.end()) {
        ASSERT_LE(offset + bytes, after->first);
      }
      if (after != taken.begin()) {
        ASSERT_LE(std::prev(after)->first + std::prev(after)->second, offset);
      }
      taken.emplace(offset, bytes);
    } else {
      auto given = taken.begin();
      std::advance(given, static_cast<int64_t>(random() % taken.size()));
      space.Give(given->first, given->second);
      taken.erase(given);
    }
  }
  for (const auto& [offset, bytes] : taken) space.Give(offset, bytes);
  EXPECT_EQ(space.end(), 0);
}

class SpillerTest : public ::testing::Test {
 protected:
  Spiller::Outcome Await() {
    eventfd_t count;
    EXPECT_EQ(::eventfd_read(done_.get(), &count), 0);
    std::vector<Spiller::Outcome> outcomes = spiller_->TakeOutcomes();
    EXPECT_EQ(outcomes.size(), 1);
    return std::move(outcomes.at(0));
  }
  void Use(const std::string& folder) {
    spiller_ = std::make_unique<Spiller>(folder, [this] { ::eventfd_write(done_.get(), 1); });
  }

  const OwnedDescriptor done_{::eventfd(0, EFD_CLOEXEC)};
  std::unique_ptr<Spiller> spiller_;
};

TEST_F(SpillerTest, ReadsWhatItWrote) {
  Use(::testing::TempDir());
  OwnedDescriptor memory(::memfd_create("memory", MFD_CLOEXEC));
  ASSERT_EQ(::pwrite(memory.get(), "something", 9, 0), 9);
  spiller_->Write(1, std::move(memory), 4096, 9);
  EXPECT_TRUE(Await().status.ok());
  spiller_->Read(2, 4096, 9);
  const Spiller::Outcome read = Await();
  EXPECT_EQ(read.wish, 2);
  char bytes[9];
  ASSERT_EQ(::pread(read.memory.get(), bytes, 9, 0), 9);
  EXPECT_EQ(std::string(bytes, 9), "something");
  EXPECT_NE(::fcntl(read.memory.get(), F_GET_SEALS) & F_SEAL_SHRINK, 0);
}

TEST_F(SpillerTest, SaysWhyItCannotWrite) {
  Use("/proc");
  spiller_->Write(1, OwnedDescriptor(::memfd_create("memory", MFD_CLOEXEC)), 0, 9);
  const Spiller::Outcome outcome = Await();
  EXPECT_NE(outcome.status.message().find("cannot be spilled to disk"), std::string::npos);
}

}  // namespace
}  // namespace penstock::runtime
