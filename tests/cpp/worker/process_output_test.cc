#include "penstock/worker/process_output.h"

#include <memory>
#include <string>

#include "worker/host_fixture.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::Le;
using ::testing::MatchesRegex;

TEST_F(HostTest, HandsOnWhatAWorkerPrintsWithItsNameAndTheLastLineThatHasNoEnd) {
  StartReady("print");
  ASSERT_TRUE(Send(1, "text").ok());
  recorder_.WaitForFrames(kWorker, 2);
  EXPECT_THAT(LinesAfterStop(StandardStream::kOutput),
              ElementsAre("(print) to be seen", "(print) without an end"));
}

TEST_F(HostTest, HandsOnWhatAWorkerPrintsOnStandardError) {
  StartReady("print");
  ASSERT_TRUE(Send(1, "text").ok());
  recorder_.WaitForFrames(kWorker, 2);
  EXPECT_THAT(LinesAfterStop(StandardStream::kErrors), ElementsAre("(print) an error"));
}

TEST_F(HostTest, LetsAWorkerPrintAsMuchAsItWillAndKeepsLittle) {
  StartReady("flood");
  ASSERT_TRUE(Send(1, "text", /*rows=*/256).ok());
  recorder_.WaitForFrames(kWorker, 2);
  const std::vector<std::string> kept = LinesAfterStop(StandardStream::kOutput);
  EXPECT_THAT(kept.size(), Le(kWaitingLinesMax));
  EXPECT_THAT(kept.back(), MatchesRegex("\\(flood\\) … [0-9,]+ lines left out"));
}

TEST_F(HostTest, ShowsTheTraceOfACrash) {
  StartReady("last_words");
  ASSERT_TRUE(Send(1, "text").ok());
  const WorkerExit exit = recorder_.WaitForExit(kWorker);
  EXPECT_EQ(exit.signal, SIGABRT);
  EXPECT_EQ(exit.last_words, "Fatal Python error: Aborted\n\nin f");
}

TEST(ProcessOutputTest, EndsTheStreamsOfWhatOutlivesAProcess) {
  ProcessOutput::Ends ends;
  const auto output = ProcessOutput::Make("w", nullptr, &ends).ValueOrDie();
  EXPECT_TRUE(output->Read(StandardStream::kOutput));
  ASSERT_EQ(::write(ends.errors.get(), "last", 4), 4);
  output->Finish();
  output->Finish();
  EXPECT_EQ(output->LastWords(), "last");
  signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(::write(ends.output.get(), "x", 1), -1);
  signal(SIGPIPE, SIG_DFL);
}

TEST(ProcessOutputTest, RenamesTheLinesThatAreNotWrittenYet) {
  ProcessOutput::Ends ends;
  const auto lines = std::make_shared<WorkerLines>();
  const auto output = ProcessOutput::Make("first", lines, &ends).ValueOrDie();
  ASSERT_EQ(::write(ends.output.get(), "a\n", 2), 2);
  output->Rename("second");
  ASSERT_EQ(::write(ends.output.get(), "b\n", 2), 2);
  output->Finish();
  const std::vector<WorkerLine> taken = lines->TakeAll();
  ASSERT_EQ(taken.size(), 2);
  EXPECT_EQ(taken[0].text, "(first) a");
  EXPECT_EQ(taken[1].text, "(second) b");
}

TEST(ProcessOutputTest, SaysWhenAProcessHasClosedAStream) {
  ProcessOutput::Ends ends;
  const auto output = ProcessOutput::Make("w", nullptr, &ends).ValueOrDie();
  ends.output = OwnedDescriptor();
  EXPECT_FALSE(output->Read(StandardStream::kOutput));
  EXPECT_TRUE(output->Read(StandardStream::kErrors));
}

}  // namespace
}  // namespace penstock
