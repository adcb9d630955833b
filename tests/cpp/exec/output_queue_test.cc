#include "penstock/exec/output_queue.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <thread>

namespace penstock {
namespace {

using State = OutputQueue::Popped::State;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

Block EmptyBlock() {
  return Block{.batch = arrow::RecordBatch::Make(arrow::schema({}), 0, arrow::ArrayVector{})};
}

TEST(OutputQueueTest, GivesBlocksInTheOrderPushedThenTheEnd) {
  OutputQueue queue;
  queue.Push(7, EmptyBlock());
  queue.Push(8, EmptyBlock());
  queue.Finish(Status::OK());
  EXPECT_EQ(queue.Pop(1s).id, 7);
  EXPECT_EQ(queue.Pop(1s).id, 8);
  EXPECT_EQ(queue.Pop(1s).state, State::kFinished);
  EXPECT_EQ(queue.Pop(1s).state, State::kFinished);
}

TEST(OutputQueueTest, AnErrorComesBeforeTheBlocksThatWait) {
  OutputQueue queue;
  queue.Push(7, EmptyBlock());
  queue.Finish(Status::IOError("disk"));
  const OutputQueue::Popped popped = queue.Pop(1s);
  EXPECT_EQ(popped.state, State::kFinished);
  EXPECT_TRUE(popped.status.IsIOError());
}

TEST(OutputQueueTest, OnlyTheFirstFinishCounts) {
  OutputQueue queue;
  queue.Finish(Status::IOError("first"));
  queue.Finish(Status::OK());
  EXPECT_EQ(queue.Pop(1s).status.message(), "first");
}

TEST(OutputQueueTest, ReturnsWhenTheTimeIsUp) {
  OutputQueue queue;
  EXPECT_EQ(queue.Pop(1ms).state, State::kTimeout);
}

TEST(OutputQueueTest, WakesACallerThatWaits) {
  OutputQueue queue;
  std::thread pusher([&] {
    queue.Push(1, EmptyBlock());
    queue.Announce();
  });
  EXPECT_EQ(queue.Pop(60s).id, 1);
  pusher.join();
}

}  // namespace
}  // namespace penstock
