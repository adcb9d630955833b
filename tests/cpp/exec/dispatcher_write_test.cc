#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DispatcherWriteTest : public ::testing::Test {
 protected:
  DispatcherScript ReadInto(StageLimits write, std::vector<int64_t> chunks, bool ordered = true) {
    DispatcherLimits limits = AmpleLimits();
    limits.preserve_order = ordered;
    DispatcherScript job({ReadStage(8), std::move(write)}, limits);
    job.Start();
    job.List(chunks);
    return job;
  }
};

TEST_F(DispatcherWriteTest, EachChunkIsAPartClosedByItsLastStep) {
  DispatcherScript job = ReadInto(WriteStage(4), {0, 0, 1});
  EXPECT_THAT(job.Done(0, 0, 1, 5, 0), IsEmpty()) << "it may be the part's last";
  EXPECT_THAT(job.Done(0, 1, 2, 5, 0), ElementsAre("start 1/0 [1:0+5] part 0"));
  EXPECT_THAT(job.DoneEmpty(1, 0), ElementsAre("drop 1"));
  EXPECT_THAT(job.Done(0, 2, 3, 5, 1),
              ElementsAre("start 1/1 [2:0+5] part 0 closes", "start 1/2 [3:0+5] part 1 closes"));
  EXPECT_THAT(job.DoneEmpty(1, 2), ElementsAre("drop 3"));
  EXPECT_THAT(job.DoneEmpty(1, 1), ElementsAre("drop 2", "commit"));
  EXPECT_EQ(job.TakeSnapshot().rows_delivered, 15);
  EXPECT_THAT(job.Send(OutputCommitted{}), ElementsAre("finish"));
}

TEST_F(DispatcherWriteTest, StepsOfAPartRunOneAfterTheOther) {
  DispatcherScript job = ReadInto(WriteStage(4), {0, 0, 0});
  job.Done(0, 0, 1, 5);
  EXPECT_THAT(job.Done(0, 1, 2, 5), ElementsAre("start 1/0 [1:0+5] part 0"));
  EXPECT_THAT(job.Done(0, 2, 3, 5), IsEmpty());
  EXPECT_THAT(job.DoneEmpty(1, 0), ElementsAre("drop 1", "start 1/1 [2:0+5] part 0"));
  EXPECT_THAT(job.DoneEmpty(1, 1), ElementsAre("drop 2", "start 1/2 [3:0+5] part 0 closes"));
}

TEST_F(DispatcherWriteTest, APartIsClosedWhenItHasTheMostRowsAllowed) {
  StageLimits write = WriteStage(4);
  write.rows_per_part_max = 4;
  DispatcherScript job = ReadInto(write, {0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 10),
              ElementsAre("start 1/0 [1:0+4] part 0 closes", "start 1/1 [1:4+4] part 1 closes"));
  EXPECT_THAT(job.Done(0, 1, 2, 1), ElementsAre("start 1/2 [1:8+2] part 2"));
  EXPECT_THAT(job.DoneEmpty(1, 2), ElementsAre("start 1/3 [2:0+1] part 2 closes"));
}

TEST_F(DispatcherWriteTest, APartGathersChunksUntilItHasTheLeastRowsAskedFor) {
  StageLimits write = WriteStage(1);
  write.rows_per_part_min = 8;
  DispatcherScript job = ReadInto(write, {0, 1, 2});
  job.Done(0, 0, 1, 5, 0);
  EXPECT_THAT(job.Done(0, 1, 2, 5, 1), ElementsAre("start 1/0 [1:0+5] part 0"));
  job.DoneEmpty(1, 0);
  EXPECT_THAT(job.Done(0, 2, 3, 5, 2), ElementsAre("start 1/1 [2:0+5] part 0 closes"));
  EXPECT_THAT(job.DoneEmpty(1, 1), ElementsAre("drop 2", "start 1/2 [3:0+5] part 1 closes"));
}

TEST_F(DispatcherWriteTest, APartGathersChunksUntilItHasTheLeastBytesAskedFor) {
  StageLimits write = WriteStage(1);
  write.bytes_per_part_min = 15;
  DispatcherScript job = ReadInto(write, {0, 1, 2}, /*ordered=*/false);
  job.Done(0, 0, 1, 5, 0);  // Of 10 bytes.
  EXPECT_THAT(job.Done(0, 1, 2, 5, 1), ElementsAre("start 1/0 [1:0+5] part 0"));
  job.DoneEmpty(1, 0);
  EXPECT_THAT(job.Done(0, 2, 3, 5, 2), ElementsAre("start 1/1 [2:0+5] part 0 closes"));
  EXPECT_THAT(job.DoneEmpty(1, 1), ElementsAre("drop 2", "start 1/2 [3:0+5] part 1 closes"));
}

TEST_F(DispatcherWriteTest, APartThatIsFullEndsWithFewerBytesThanAskedFor) {
  StageLimits write = WriteStage(4);
  write.bytes_per_part_min = 100;
  write.rows_per_part_max = 5;
  DispatcherScript job = ReadInto(write, {0, 1});
  EXPECT_THAT(job.Done(0, 0, 1, 10, 0),
              ElementsAre("start 1/0 [1:0+5] part 0 closes", "start 1/1 [1:5+5] part 1 closes"));
}

TEST_F(DispatcherWriteTest, WithoutOrderEachChunkHasAPartOfItsOwn) {
  DispatcherScript job = ReadInto(WriteStage(4), {0, 1, 0 + 2, 2}, false);
  EXPECT_THAT(job.Done(0, 2, 1, 5, 2), IsEmpty());
  EXPECT_THAT(job.Done(0, 1, 2, 5, 1), ElementsAre("start 1/1 [2:0+5] part 1 closes"));
  EXPECT_THAT(job.Done(0, 3, 3, 5, 2), ElementsAre("start 1/0 [1:0+5] part 0"));
  EXPECT_THAT(job.DoneEmpty(1, 0), ElementsAre("drop 1", "start 1/2 [3:0+5] part 0 closes"));
}

TEST_F(DispatcherWriteTest, APartMayEndWithEachBlock) {
  StageLimits write = WriteStage(4);
  write.part_ends_with_block = true;
  DispatcherScript job = ReadInto(write, {0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 5, 0), IsEmpty());
  EXPECT_THAT(job.Done(0, 1, 2, 5, 0),
              ElementsAre("start 1/0 [1:0+5] part 0 closes", "start 1/1 [2:0+5] part 1 closes"));
}

TEST_F(DispatcherWriteTest, APartThatEndsWithEachBlockStillGathersTheLeastRowsAskedFor) {
  StageLimits write = WriteStage(1);
  write.part_ends_with_block = true;
  write.rows_per_part_min = 8;
  DispatcherScript job = ReadInto(write, {0, 0, 0});
  job.Done(0, 0, 1, 5, 0);
  EXPECT_THAT(job.Done(0, 1, 2, 5, 0), ElementsAre("start 1/0 [1:0+5] part 0"));
  job.DoneEmpty(1, 0);
  EXPECT_THAT(job.Done(0, 2, 3, 5, 0), ElementsAre("start 1/1 [2:0+5] part 0 closes"));
}

TEST_F(DispatcherWriteTest, WithoutOrderAPartMayEndWithEachBlockAsItComes) {
  StageLimits write = WriteStage(4);
  write.part_ends_with_block = true;
  DispatcherScript job = ReadInto(write, {0, 0}, /*ordered=*/false);
  EXPECT_THAT(job.Done(0, 1, 1, 5, 0), ElementsAre("start 1/0 [1:0+5] part 0 closes"));
  EXPECT_THAT(job.Done(0, 0, 2, 5, 0), ElementsAre("start 1/1 [2:0+5] part 1 closes"));
}

StageLimits CommittingStage() {
  StageLimits write = WriteStage(4);
  write.commits_chunks = true;
  return write;
}

constexpr int64_t kFirstOfChunk1 = int64_t{1} << kPartBits;

TEST_F(DispatcherWriteTest, CommitsAChunkOnceItsPartIsClosed) {
  DispatcherScript job = ReadInto(CommittingStage(), {0, 1});
  EXPECT_THAT(job.Done(0, 0, 1, 5, 0), ElementsAre("start 1/0 [1:0+5] part 0 closes"));
  EXPECT_THAT(job.DoneEmpty(1, 0), ElementsAre("drop 1", "commit chunks 0 parts 0 …"));
  EXPECT_THAT(job.Done(0, 1, 2, 5, 1),
              ElementsAre(fmt::format("start 1/1 [2:0+5] part {} closes", kFirstOfChunk1)));
  EXPECT_THAT(job.DoneEmpty(1, 1), ElementsAre("drop 2")) << "the first commit is still out";
  EXPECT_THAT(job.Send(OutputCommitted{}),
              ElementsAre(fmt::format("commit chunks 1 parts {}", kFirstOfChunk1)));
  EXPECT_THAT(job.Send(OutputCommitted{}), ElementsAre("finish"));
}

TEST_F(DispatcherWriteTest, CommitsChunksWithoutRowsToo) {
  DispatcherScript job = ReadInto(CommittingStage(), {0, 1});
  EXPECT_THAT(job.DoneEmpty(0, 0), ElementsAre("commit chunks 0 …"));
  job.Send(OutputCommitted{});
  EXPECT_THAT(job.DoneEmpty(0, 1), ElementsAre("commit chunks 1"));
}

TEST_F(DispatcherWriteTest, CommitsTogetherTheChunksThatShareAPart) {
  StageLimits write = CommittingStage();
  write.rows_per_part_min = 8;
  DispatcherScript job = ReadInto(write, {0, 1, 2});
  job.Done(0, 0, 1, 5, 0);
  EXPECT_THAT(job.Done(0, 1, 2, 5, 1), ElementsAre("start 1/0 [1:0+5] part 0"));
  EXPECT_THAT(job.DoneEmpty(1, 0), ElementsAre("drop 1", "start 1/1 [2:0+5] part 0 closes"));
  EXPECT_THAT(job.DoneEmpty(1, 1), ElementsAre("drop 2", "commit chunks 0 1 parts 0 …"));
}

TEST_F(DispatcherWriteTest, CommitsAtMostOnceInAnInterval) {
  DispatcherLimits limits = AmpleLimits();
  limits.commit_interval_ns = int64_t{1} << 60;
  DispatcherScript job({ReadStage(8), CommittingStage()}, limits);
  job.Start();
  job.List({0, 1});
  job.Done(0, 0, 1, 5, 0);
  EXPECT_THAT(job.DoneEmpty(1, 0), ElementsAre("drop 1"));
  job.Done(0, 1, 2, 5, 1);
  EXPECT_THAT(job.DoneEmpty(1, 1),
              ElementsAre("drop 2", fmt::format("commit chunks 0 1 parts 0 {}", kFirstOfChunk1)));
}

TEST_F(DispatcherWriteTest, AJobOfNoRowsStillCommits) {
  DispatcherScript job = ReadInto(WriteStage(), {0});
  EXPECT_THAT(job.DoneEmpty(0, 0), ElementsAre("commit"));
  EXPECT_THAT(job.Send(OutputCommitted{}), ElementsAre("finish"));
}

TEST_F(DispatcherWriteTest, AFailedCommitFailsTheJob) {
  DispatcherScript job = ReadInto(WriteStage(), {});
  EXPECT_THAT(job.Send(JobFailed{Status::IOError("disk full")}), ElementsAre("fail"));
  EXPECT_EQ(job.finish().message(), "disk full");
}

}  // namespace
}  // namespace penstock
