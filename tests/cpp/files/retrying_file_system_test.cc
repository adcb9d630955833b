#include "penstock/files/retrying_file_system.h"

#include <arrow/io/memory.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/faulty_file_system.h"
#include "penstock/base/error.h"
#include "penstock/files/upload.h"

namespace penstock {
namespace {

using testing::FaultyFileSystem;
using ::testing::HasSubstr;
using testing::ManualClock;

class RetryingFileSystemTest : public ::testing::Test {
 protected:
  const std::shared_ptr<FaultyFileSystem> faulty_ = std::make_shared<FaultyFileSystem>();
  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  const std::shared_ptr<const Retrier> retrier_ =
      std::make_shared<Retrier>(RetryPolicy{.attempts_max = 4}, clock_);
  const std::shared_ptr<arrow::fs::FileSystem> system_ =
      MakeRetryingFileSystem(faulty_, retrier_, "s3://");

  void Put(const std::string& path, const std::string& text) {
    ASSERT_TRUE(faulty_->base_fs()->CreateDir("bucket").ok());
    const auto stream = faulty_->base_fs()->OpenOutputStream(path).ValueOrDie();
    ASSERT_TRUE(stream->Write(text).ok());
    ASSERT_TRUE(stream->Close().ok());
  }

  std::string Contents(const std::string& path) const {
    const auto file = faulty_->base_fs()->OpenInputFile(path).ValueOrDie();
    return file->Read(1000).ValueOrDie()->ToString();
  }

  Status UploadText(const std::string& text) {
    arrow::io::BufferReader file(arrow::Buffer::FromString(text));
    return Upload(
        file,
        {.file_system = system_, .location = "bucket/a", .prefix = "s3://", .retrier = retrier_});
  }
};

TEST_F(RetryingFileSystemTest, LooksListsAndOpensAgain) {
  Put("bucket/a", "text");
  faulty_->looking->left = faulty_->listing->left = faulty_->opening->left = 2;
  EXPECT_TRUE(system_->GetFileInfo("bucket/a").ValueOrDie().IsFile());
  arrow::fs::FileSelector select;
  select.base_dir = "bucket";
  EXPECT_EQ(system_->GetFileInfo(select).ValueOrDie().size(), 1U);
  EXPECT_TRUE(system_->OpenInputFile("bucket/a").ok());
  EXPECT_EQ(clock_->waits_ms.size(), 6U);
}

TEST_F(RetryingFileSystemTest, ReadsAgainInAFileOpenedAnew) {
  Put("bucket/a", "0123456789");
  const auto file = system_->OpenInputFile("bucket/a").ValueOrDie();
  faulty_->reading->left = 2;
  EXPECT_EQ(file->ReadAt(3, 4).ValueOrDie()->ToString(), "3456");
  EXPECT_EQ(faulty_->opening->asked, 3);
  EXPECT_EQ(file->ReadAt(8, 100).ValueOrDie()->ToString(), "89");
  EXPECT_EQ(file->ReadAt(10, 5).ValueOrDie()->size(), 0);
}

TEST_F(RetryingFileSystemTest, TakesAReadThatEndsTooSoonForAFailure) {
  Put("bucket/a", "0123456789");
  const auto file = system_->OpenInputFile("bucket/a").ValueOrDie();
  *faulty_->short_reads = 2;
  EXPECT_EQ(file->ReadAt(0, 10).ValueOrDie()->ToString(), "0123456789");
  *faulty_->short_reads = 100;
  EXPECT_THAT(file->ReadAt(0, 10).status().message(), HasSubstr("ended after 5 of 10 bytes"));
}

TEST_F(RetryingFileSystemTest, RefusesAFileThatHasChangedWhileItWasRead) {
  Put("bucket/a", "0123456789");
  const auto file = system_->OpenInputFile("bucket/a").ValueOrDie();
  Put("bucket/a", "01234");
  faulty_->reading->left = 1;
  const Status status = file->ReadAt(0, 10).status();
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kRemoteFailure);
  EXPECT_THAT(status.message(), HasSubstr("changed while it was read, from 10 to 5 bytes"));
}

TEST_F(RetryingFileSystemTest, StreamsReadOnWhereTheyBrokeOff) {
  Put("bucket/a", "0123456789");
  const auto stream = system_->OpenInputStream("bucket/a").ValueOrDie();
  faulty_->reading->left = 1;
  EXPECT_EQ(stream->Read(4).ValueOrDie()->ToString(), "0123");
  EXPECT_EQ(stream->Read(100).ValueOrDie()->ToString(), "456789");
}

TEST_F(RetryingFileSystemTest, UploadsFromTheBeginningAgain) {
  ASSERT_TRUE(faulty_->base_fs()->CreateDir("bucket", true).ok());
  faulty_->writing->left = 2;
  ASSERT_TRUE(UploadText("whole").ok());
  EXPECT_EQ(Contents("bucket/a"), "whole");
  EXPECT_EQ(faulty_->writing->asked, 3);
}

TEST_F(RetryingFileSystemTest, GivesAnUploadUpAfterSoManyTries) {
  ASSERT_TRUE(faulty_->base_fs()->CreateDir("bucket", true).ok());
  faulty_->writing->left = 100;
  const Status status = UploadText("whole");
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(status.message(), HasSubstr("(tried 4 times)"));
  EXPECT_EQ(faulty_->writing->asked, 4);
}

TEST_F(RetryingFileSystemTest, TakesAMoveOrRemovalWhoseAnswerGotLostAsDone) {
  Put("bucket/a", "text");
  faulty_->moving->left = faulty_->removing->left = 1;
  EXPECT_TRUE(system_->Move("bucket/a", "bucket/b").ok());
  EXPECT_EQ(Contents("bucket/b"), "text");
  EXPECT_TRUE(system_->DeleteFile("bucket/b").ok());
  EXPECT_FALSE(system_->Move("bucket/none", "bucket/b").ok());
  EXPECT_FALSE(system_->DeleteFile("bucket/none").ok());
}

TEST_F(RetryingFileSystemTest, SaysWhichFileIsMissingAndTriesOnce) {
  const Status status = system_->OpenInputFile("bucket/none").status();
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kMissingPath);
  EXPECT_THAT(status.message(), ::testing::EndsWith("got: s3://bucket/none"));
  EXPECT_TRUE(clock_->waits_ms.empty());
}

}  // namespace
}  // namespace penstock
