#include "penstock/worker/reception.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace penstock {
namespace {

TEST(ReceptionTest, KeepsWhatIsHandedInUntilAHubTakesIt) {
  const int workers = Reception::WorkersEnd().ValueOrDie();
  const int hub = Reception::HubsEnd().ValueOrDie();
  EXPECT_EQ(Reception::WorkersEnd().ValueOrDie(), workers);
  EXPECT_FALSE(Reception::Waits());
  ASSERT_EQ(::send(workers, "x", 1, 0), 1);
  EXPECT_TRUE(Reception::Waits());
  char byte;
  EXPECT_EQ(::recv(hub, &byte, 1, 0), 1);
  EXPECT_FALSE(Reception::Waits());
}

TEST(ReceptionTest, IsNotInheritedByOtherProcessesThanWorkers) {
  EXPECT_NE(::fcntl(Reception::WorkersEnd().ValueOrDie(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(Reception::HubsEnd().ValueOrDie(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(ReceptionTest, HandsOnTheOneThatThisProcessWasGiven) {
  EXPECT_EXIT(
      {
        Reception::Inherit(42);
        const bool is_right =
            Reception::WorkersEnd().ValueOrDie() == 42 && !Reception::HubsEnd().ok();
        ::_exit(is_right ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace penstock
