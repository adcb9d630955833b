#include "penstock/sink/folder_claim.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace penstock {
namespace {

namespace files = std::filesystem;

const std::string kDead(32, 'a');
const std::string kOwn(32, 'b');

class FolderClaimTest : public ::testing::Test {
 protected:
  FolderClaimTest() {
    std::string pattern = files::temp_directory_path() / "penstock_claim_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~FolderClaimTest() override { files::remove_all(folder_); }

  void Put(const std::string& name) const { std::ofstream(folder_ / name) << "x"; }
  bool Has(const std::string& name) const { return files::exists(folder_ / name); }

  files::path folder_;
};

TEST_F(FolderClaimTest, AReleasedClaimLeavesNothing) {
  FolderClaim claim;
  ASSERT_TRUE(claim.Take(folder_, kOwn).ok());
  EXPECT_TRUE(Has("." + kOwn + ".lock"));
  claim.Release();
  EXPECT_TRUE(files::is_empty(folder_));
}

TEST_F(FolderClaimTest, WhatAWriterThatDiedLeftIsRemovedAndNothingElse) {
  Put("." + kDead + ".lock");
  Put("." + kDead + "_000000.tmp");
  Put("." + kOwn + "_000000.tmp");
  Put("." + kDead + "_notes.txt");
  Put(".hidden.lock");
  Put(kDead + "_000000.parquet");
  RemoveLeftovers(folder_, kOwn);
  EXPECT_FALSE(Has("." + kDead + ".lock"));
  EXPECT_FALSE(Has("." + kDead + "_000000.tmp"));
  EXPECT_TRUE(Has("." + kOwn + "_000000.tmp"));
  EXPECT_TRUE(Has("." + kDead + "_notes.txt"));
  EXPECT_TRUE(Has(".hidden.lock"));
  EXPECT_TRUE(Has(kDead + "_000000.parquet"));
}

TEST_F(FolderClaimTest, FilesOfAWriterThatLivesStayUntilItDies) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    FolderClaim claim;
    const bool taken = claim.Take(folder_, kDead).ok();
    Put("." + kDead + "_000000.tmp");
    const char byte = taken ? 'y' : 'n';
    static_cast<void>(!write(ready[1], &byte, 1));
    pause();
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  RemoveLeftovers(folder_, kOwn);
  EXPECT_TRUE(Has("." + kDead + "_000000.tmp"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  RemoveLeftovers(folder_, kOwn);
  EXPECT_TRUE(files::is_empty(folder_));
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace penstock
