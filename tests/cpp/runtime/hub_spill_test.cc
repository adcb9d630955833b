#include <sys/resource.h>

#include "runtime/hub_fixture.h"

namespace penstock::runtime {
namespace {

constexpr int64_t kBytes = 1'000'000;

class SpillingHubTest : public HubTest {
 protected:
  void SetUp() override { StartHub({.store_bytes = 3 * kBytes}); }

  static PlainValue Large(char letter) {
    return {.bytes = std::string(kBytes, letter), .shared = true};
  }
};

TEST_F(SpillingHubTest, SpillsWhatWasNotUsedForLongestAndBringsItBack) {
  std::vector<uint64_t> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(Put(Large(static_cast<char>('a' + i))));
  EXPECT_EQ(CountOnce("spilled_bytes", 7 * kBytes), 7 * kBytes);
  EXPECT_EQ(AskFor("counts").at("segment_bytes"), 3 * kBytes);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Get(ids[i]).bytes, std::string(kBytes, static_cast<char>('a' + i)));
  }
  for (const uint64_t id : ids) Release(id);
  EXPECT_EQ(CountOnce("segment_bytes", 0), 0);
  EXPECT_EQ(CountOnce("spilled_bytes", 0), 0);
}

TEST_F(SpillingHubTest, GivesTasksWhatWasSpilled) {
  std::vector<uint64_t> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(Put(Large(static_cast<char>('a' + i))));
  CountOnce("spilled_bytes", 7 * kBytes);
  const PlainValue given = Get(Submit("given", {.given = ids}));
  EXPECT_EQ(given.bytes.size(), 10 * (kBytes + 1));
  EXPECT_EQ(given.bytes.back(), ';');
  EXPECT_EQ(given.bytes.at(9 * (kBytes + 1)), 'j');
}

TEST_F(SpillingHubTest, KeepsTheOrderOfAnActorsCallsWhileOneWaitsForTheDisk) {
  const uint64_t spilled = Put(Large('a'));
  for (int i = 0; i < 4; ++i) Put(Large('x'));
  EXPECT_EQ(CountOnce("spilled_bytes", 2 * kBytes), 2 * kBytes);
  const uint64_t actor = MakeActor("build");
  CallActor(actor, "append a", {.given = {spilled}});  // Both are sent once it is built.
  EXPECT_EQ(Get(CallActor(actor, "append b")).bytes, "ab");
}

TEST_F(SpillingHubTest, LetsTheMakerUseItsMemoryAgain) {
  for (int i = 0; i < 4; ++i) Put(Large('a'));
  const PlainMessage message = Await(MessageKind::kReusable);
  EXPECT_EQ(MessageReader(message.fields).Ids().size(), 1);
}

TEST_F(SpillingHubTest, SpillsNothingThatSomebodyLooksAt) {
  const uint64_t seen = Put(Large('a'));
  Ask(MessageKind::kGet, {seen});
  Await(MessageKind::kValue);  // It is not said that it is unmapped.
  for (int i = 0; i < 4; ++i) Put(Large('b'));
  EXPECT_EQ(CountOnce("spilled_bytes", 2 * kBytes), 2 * kBytes);
  const PlainValue again = Get(seen);
  EXPECT_TRUE(again.bytes.empty()) << "the maker has it mapped and gets no descriptor";
}

TEST_F(SpillingHubTest, AnswersWhoAsksForRoomOnceThereIs) {
  for (int i = 0; i < 10; ++i) Put(Large('a'));
  AskFor("room");
  EXPECT_EQ(AskFor("counts").at("segment_bytes"), 3 * kBytes);
}

TEST_F(SpillingHubTest, RefusesAPutThatFitsNeitherMemoryNorDiskUntilThereIsRoom) {
  struct sigaction ignored{};
  struct sigaction before{};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignored, &before);
  rlimit unlimited{};
  ::getrlimit(RLIMIT_FSIZE, &unlimited);
  const rlimit none{.rlim_cur = 0, .rlim_max = unlimited.rlim_max};
  std::vector<uint64_t> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Put(Large('a')));
  EXPECT_EQ(Get(Put({.bytes = "small"})).bytes, "small");
  // Segments are files too: those of this test are made before files may not grow.
  const int first = ::memfd_create("first", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  const int second = ::memfd_create("second", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  for (const int file : {first, second}) {
    ASSERT_EQ(::ftruncate(file, kBytes), 0);
    ::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  }
  ::setrlimit(RLIMIT_FSIZE, &none);
  PlainValue value = Large('b');
  value.descriptor = first;
  Put(value);  // Over the limit: what it has spilled fails.
  AskFor("room");
  value.descriptor = second;
  const uint64_t refused = Put(value);
  const PlainValue error = Get(refused);
  ::setrlimit(RLIMIT_FSIZE, &unlimited);
  ::sigaction(SIGXFSZ, &before, nullptr);
  EXPECT_EQ(error.error(), SystemError::kStoreFull);
  EXPECT_THAT(error.text(), ::testing::HasSubstr("objects cannot be spilled to disk"));
  PlainValue later;
  for (int i = 0; i < 20'000; ++i) {  // It tries again now and then.
    const uint64_t id = Put(Large('c'));
    later = Get(id);
    Release(id);
    if (later.flags == 0) break;
    ::usleep(1000);
  }
  EXPECT_EQ(later.flags, 0);
}

}  // namespace
}  // namespace penstock::runtime
