#include "runtime/hub_fixture.h"

namespace penstock::runtime {
namespace {

class GeneratorHubTest : public HubTest {
 protected:
  std::vector<std::string> Items(uint64_t generator) {
    std::vector<std::string> items;
    while (true) {
      const PlainValue next = Next(generator);
      if (next.flags != kIsItem) return items;
      items.push_back(Get(next.item()).bytes);
      Release(next.item());
    }
  }
};

TEST_F(GeneratorHubTest, HandsOutAGeneratorsItemsInOrder) {
  const uint64_t generator = Submit("yield 3", {.returns = kGenerator});
  EXPECT_THAT(Items(generator), ::testing::ElementsAre("item 0", "item 1", "item 2"));
  Release(generator);
  EXPECT_EQ(CountOnce("objects", 0), 0);
}

TEST_F(GeneratorHubTest, HandsOutTheErrorOfAGeneratorAsItsLastItem) {
  const uint64_t generator = Submit("yield_fail 1", {.returns = kGenerator});
  EXPECT_THAT(Items(generator), ::testing::ElementsAre("item 0", "no more"));
}

TEST_F(GeneratorHubTest, DropsTheItemsOfAGeneratorThatNobodyRefersTo) {
  const uint64_t generator = Submit("yield 100", {.returns = kGenerator});
  Get(generator);
  Release(generator);
  EXPECT_EQ(CountOnce("objects", 0), 0);
}

TEST_F(GeneratorHubTest, YieldsNoItemTwiceWhenTheTaskIsRepeated) {
  const uint64_t generator = Submit("yield_crash 4", {.returns = kGenerator});
  EXPECT_THAT(Items(generator), ::testing::ElementsAre("item 0", "item 1", "item 2", "item 3"));
}

TEST_F(GeneratorHubTest, TellsThatAnItemIsReady) {
  const uint64_t never = Submit("pause");
  const uint64_t generator = Submit("yield 1", {.returns = kGenerator});
  EXPECT_THAT(Wait({never, generator}, 1), ::testing::ElementsAre(1));
}

}  // namespace
}  // namespace penstock::runtime
