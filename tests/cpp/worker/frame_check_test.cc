#include "penstock/worker/frame_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>

namespace penstock {
namespace {

using ::testing::HasSubstr;

class FakeSegment final : public Segment {
 public:
  FakeSegment(uint64_t id, int64_t capacity) : Segment(id, -1, nullptr, capacity) {}
};

std::shared_ptr<Segment> MakeSegment(uint64_t id, int64_t capacity = 100) {
  return std::make_shared<FakeSegment>(id, capacity);
}

Frame Output(uint64_t batch, uint64_t segment, uint32_t flags = 0) {
  return {.kind = FrameKind::kOutput,
          .flags = flags,
          .batch = batch,
          .segment = segment,
          .segment_bytes = 10};
}

struct Misshape {
  const char* name;
  Frame frame;
  int descriptors;
  const char* reason;
};

class FrameShapeTest : public ::testing::TestWithParam<Misshape> {};

TEST_P(FrameShapeTest, IsRefusedWithWhatTheWorkerDid) {
  const Status status = CheckFrameShape(GetParam().frame, GetParam().descriptors);
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr(GetParam().reason));
}

constexpr int64_t kBytesMin = std::numeric_limits<int64_t>::min();

INSTANTIATE_TEST_SUITE_P(
    All, FrameShapeTest,
    ::testing::Values(
        Misshape{"Magic", {.magic = 7}, 0, "a frame with magic 0x7"},
        Misshape{"EngineKind", {.kind = FrameKind::kBatch}, 0, "a frame of kind 3"},
        Misshape{"NoKind", {.kind = static_cast<FrameKind>(99)}, 0, "a frame of kind 99"},
        Misshape{"Reserved", {.kind = FrameKind::kReady, .reserved = 1}, 0, "reserved 0x1"},
        Misshape{"ReadyWithFlags", {.kind = FrameKind::kReady, .flags = kMore}, 0, "flags 0x4"},
        Misshape{"OutputAsConstructor", Output(1, 2, kConstructor), 0, "flags 0x8"},
        Misshape{"OutputDescriptor", Output(1, 2, kOutputDescriptor), 1, "flags 0x2"},
        Misshape{"DescriptorUnsaid", Output(1, 2), 1, "1 descriptors where its flags say 0"},
        Misshape{"DescriptorMissing", Output(1, 0, kInputDescriptor), 0,
                 "0 descriptors where its flags say 1"},
        Misshape{"NegativeBytes",
                 {.kind = FrameKind::kOutput, .segment = 1, .segment_bytes = kBytesMin},
                 0,
                 "negative size"},
        Misshape{"NegativeRows", {.kind = FrameKind::kDone, .rows = -1}, 0, "-1 rows"},
        Misshape{"NegativeTime", {.kind = FrameKind::kDone, .busy_ns = -1}, 0, "-1 ns"},
        Misshape{"OwnFileNamesASegment", Output(1, 2, kInputDescriptor), 1,
                 "a descriptor for segment 2 instead of 0"},
        Misshape{"OwnFileTooSmall",
                 {.kind = FrameKind::kOutput,
                  .flags = kInputDescriptor,
                  .segment_bytes = 10,
                  .segment_capacity = 9},
                 1,
                 "10 bytes in a memory file of 9"},
        Misshape{"OutputWithoutSegment", {.kind = FrameKind::kOutput}, 0, "without an output"},
        Misshape{"OutputWithoutBytes",
                 {.kind = FrameKind::kOutput, .segment = 1},
                 0,
                 "0 bytes in segment 1"},
        Misshape{"ErrorWithoutSegment",
                 {.kind = FrameKind::kFailed, .segment_bytes = 5},
                 0,
                 "5 bytes in segment 0"},
        Misshape{"DoneWithSegment",
                 {.kind = FrameKind::kDone, .segment = 1, .segment_bytes = 5},
                 0,
                 "kDone with a segment"}),
    [](const auto& shape) { return std::string(shape.param.name); });

TEST(FrameShape, AcceptsWhatAWorkerMaySay) {
  EXPECT_TRUE(CheckFrameShape({.kind = FrameKind::kReady}, 0).ok());
  EXPECT_TRUE(CheckFrameShape(Output(1, 2, kMore), 0).ok());
  EXPECT_TRUE(CheckFrameShape({.kind = FrameKind::kDone, .batch = 1, .busy_ns = 5}, 0).ok());
  EXPECT_TRUE(CheckFrameShape({.kind = FrameKind::kFailed, .flags = kBadReturnFlag}, 0).ok());
  Frame own = Output(1, 0, kInputDescriptor);
  own.segment_capacity = 10;
  EXPECT_TRUE(CheckFrameShape(own, 1).ok());
}

class ConversationTest : public ::testing::Test {
 protected:
  void Build() { ASSERT_TRUE(Say({.kind = FrameKind::kReady}).ok()); }

  Result<Answer> Say(const Frame& frame) { return conversation_.Receive(frame, nullptr); }

  void SendBatch(uint64_t batch, std::shared_ptr<Segment> output) {
    ASSERT_TRUE(
        conversation_
            .SendBatch(
                {.batch = batch, .input = MakeSegment(1000 + batch), .grants = {std::move(output)}})
            .ok());
  }

  void ExpectRefused(const Frame& frame, const std::string& reason) {
    EXPECT_THAT(Say(frame).status().message(), HasSubstr(reason));
  }

  Conversation conversation_;
};

TEST_F(ConversationTest, LetsGoOfTheSetupWhenTheWorkerIsReady) {
  conversation_.SendSetup(MakeSegment(5));
  const Answer answer = Say({.kind = FrameKind::kReady}).ValueOrDie();
  EXPECT_EQ(answer.finished.input->id(), 5);
}

TEST_F(ConversationTest, RefusesAnswersBeforeTheWorkerIsReady) {
  SendBatch(1, MakeSegment(2));
  ExpectRefused(Output(1, 2), "without being ready");
}

TEST_F(ConversationTest, RefusesASecondReady) {
  Build();
  ExpectRefused({.kind = FrameKind::kReady}, "kReady after it was built");
  ExpectRefused({.kind = FrameKind::kFailed, .flags = kConstructor}, "kFailed after it was built");
}

TEST_F(ConversationTest, RefusesAnythingAfterTheConstructorFailed) {
  SendBatch(1, MakeSegment(2));
  ASSERT_TRUE(Say({.kind = FrameKind::kFailed, .flags = kConstructor}).ok());
  ExpectRefused(Output(1, 2), "without being ready");
  ExpectRefused({.kind = FrameKind::kReady}, "after it was built");
}

TEST_F(ConversationTest, RefusesAConstructorsErrorInASegment) {
  SendBatch(1, MakeSegment(2));
  ExpectRefused({.kind = FrameKind::kFailed, .flags = kConstructor, .segment = 2},
                "kFailed in segment 2");
}

TEST_F(ConversationTest, HandsOverTheOutputAndTheFinishedBatch) {
  Build();
  SendBatch(1, MakeSegment(2));
  const Answer answer = Say(Output(1, 2)).ValueOrDie();
  EXPECT_EQ(answer.segment->id(), 2);
  EXPECT_EQ(answer.finished.input->id(), 1001);
  EXPECT_EQ(conversation_.open_batches(), 0);
}

TEST_F(ConversationTest, KeepsTheBatchOpenWhileMoreIsToCome) {
  Build();
  SendBatch(1, MakeSegment(2));
  EXPECT_EQ(Say(Output(1, 2, kMore)).ValueOrDie().finished.input, nullptr);
  ASSERT_TRUE(conversation_.SendGrant(1, MakeSegment(3)));
  EXPECT_EQ(Say(Output(1, 3, kMore)).ValueOrDie().segment->id(), 3);
  EXPECT_EQ(Say({.kind = FrameKind::kDone, .batch = 1}).ValueOrDie().finished.input->id(), 1001);
}

TEST_F(ConversationTest, RefusesASegmentThatIsUsedUp) {
  Build();
  SendBatch(1, MakeSegment(2));
  ASSERT_TRUE(Say(Output(1, 2, kMore)).ok());
  ExpectRefused(Output(1, 2), "segment 2, which was not granted");
}

TEST_F(ConversationTest, RefusesASegmentOfAnotherBatch) {
  Build();
  SendBatch(1, MakeSegment(2));
  SendBatch(8, MakeSegment(9));
  ExpectRefused(Output(1, 9), "segment 9, which was not granted");
}

TEST_F(ConversationTest, RefusesMoreBytesThanTheSegmentHolds) {
  Build();
  SendBatch(1, MakeSegment(2, 9));
  ExpectRefused(Output(1, 2), "10 bytes in segment 2, which holds 9");
}

TEST_F(ConversationTest, RefusesAnswersOutOfOrder) {
  Build();
  ExpectRefused(Output(1, 2), "holds none");
  SendBatch(1, MakeSegment(2));
  SendBatch(8, MakeSegment(9));
  ExpectRefused(Output(8, 9), "batch 8 when it was to answer batch 1");
}

TEST_F(ConversationTest, KnowsThatAGrantCameTooLate) {
  Build();
  SendBatch(1, MakeSegment(2));
  ASSERT_TRUE(Say(Output(1, 2)).ok());
  EXPECT_FALSE(conversation_.SendGrant(1, MakeSegment(3)));
}

TEST_F(ConversationTest, RefusesToSendOneBatchTwice) {
  SendBatch(1, MakeSegment(2));
  EXPECT_TRUE(conversation_.SendBatch({.batch = 1}).IsInvalid());
}

}  // namespace
}  // namespace penstock
