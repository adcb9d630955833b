#include "penstock/sink/remote_folder.h"

#include <arrow/filesystem/mockfs.h>
#include <gtest/gtest.h>

#include "penstock/sink/sink.h"

namespace penstock {
namespace {

using arrow::fs::internal::MockFileInfo;
using arrow::fs::internal::MockFileSystem;

class RemoteFolderTest : public ::testing::Test {
 protected:
  std::shared_ptr<MockFileSystem> system_ =
      std::make_shared<MockFileSystem>(arrow::fs::TimePoint{});
  std::unique_ptr<OutputFolder> folder_ =
      MakeRemoteFolder({.file_system = system_,
                        .location = "bucket/out/",
                        .prefix = "mock://",
                        .retrier = std::make_shared<Retrier>(RetryPolicy{.attempts_max = 1})},
                       "write");

  std::string Kept(const std::string& text) {
    auto file = folder_->CreateTemporary("x.csv").ValueOrDie();
    EXPECT_TRUE(file->stream()->Write(text).ok());
    EXPECT_EQ(file->Keep().ValueOrDie().bytes, static_cast<int64_t>(text.size()));
    return file->name();
  }

  std::vector<std::string> Paths() {
    std::vector<std::string> paths;
    for (const MockFileInfo& file : system_->AllFiles()) paths.push_back(file.full_path);
    return paths;
  }
};

TEST_F(RemoteFolderTest, AFileShowsOnlyOncePublishedAndThenUnderItsName) {
  EXPECT_FALSE(folder_->Exists().ValueOrDie());
  ASSERT_TRUE(folder_->Create().ok());
  const std::string name = Kept("rows");
  EXPECT_EQ(Paths(), std::vector<std::string>{"bucket/out/.write_000000.tmp"});
  EXPECT_TRUE(folder_->List("").ValueOrDie().empty());
  ASSERT_TRUE(folder_->Publish(name, "year=1/a.csv", /*replace=*/false).ok());
  EXPECT_EQ(folder_->List(".csv").ValueOrDie(), std::vector<std::string>{"year=1/a.csv"});
  EXPECT_EQ(Paths(), std::vector<std::string>{"bucket/out/year=1/a.csv"});
}

TEST_F(RemoteFolderTest, ANameThatIsTakenIsKeptUnlessItIsToBeReplaced) {
  ASSERT_TRUE(folder_->Create().ok());
  ASSERT_TRUE(folder_->Publish(Kept("one"), "a.csv", /*replace=*/false).ok());
  const std::string second = Kept("second");
  EXPECT_TRUE(folder_->Publish(second, "a.csv", /*replace=*/false).IsAlreadyExists());
  ASSERT_TRUE(folder_->Publish(second, "a.csv", /*replace=*/true).ok());
  EXPECT_EQ(system_->GetFileInfo("bucket/out/a.csv").ValueOrDie().size(), 6);
}

TEST_F(RemoteFolderTest, WhatIsAbortedLeavesNothing) {
  ASSERT_TRUE(folder_->Create().ok());
  static_cast<void>(folder_->CreateTemporary("x.csv").ValueOrDie()->stream()->Write("half"));
  folder_->RemoveTemporary(Kept("whole"));
  folder_->RemoveIfCreated();
  EXPECT_TRUE(Paths().empty());
  EXPECT_FALSE(folder_->Exists().ValueOrDie());
}

TEST_F(RemoteFolderTest, ASinkWritesThereByUri) {
  const auto sink =
      MakeSink({.kind = "json", .options = {{"path", "mock:///bucket/out"}}}).ValueOrDie();
  ASSERT_EQ(sink->Start().ValueOrDie(), SinkStart::kWrite);
  const auto part = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  const auto schema = arrow::schema({arrow::field("a", arrow::int64())});
  ASSERT_TRUE(part->Write({.batch = arrow::RecordBatch::MakeEmpty(schema).ValueOrDie()}).ok());
  ASSERT_TRUE(part->Close().ok());
  EXPECT_EQ(sink->Commit().ValueOrDie().size(), 1U);
}

}  // namespace
}  // namespace penstock
