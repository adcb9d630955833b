#include "penstock/ledger/commit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "penstock/base/crc32c.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;

Commit SomeCommit() {
  return {.kind = CommitKind::kChunks,
          .number = 7,
          .epoch = 2,
          .writer = "process 12 of \"host\"",
          .identity = {{"input", "5e1f"}, {"the code of Modèle", ""}},
          .write = R"({"kind":"parquet"})",
          .chunks = {{3, 4}, {9, 9}},
          .files = {{.name = "year=2020/a.parquet",
                     .temporary_name = "0.tmp",
                     .rows = 5,
                     .bytes = int64_t{1} << 40,
                     .crc32c = 0xFFFFFFFF}},
          .letters = {{.name = "letters/b", .temporary_name = "1.tmp", .rows = 2}},
          .taken = {{.name = "letters/a", .temporary_name = "2.tmp", .rows = 3, .crc32c = 9}},
          .done = ChunkSet({{0, 4}, {9, 9}}),
          .rows = {.in = 15, .out = 10, .dead = 2, .filtered = 3},
          .files_done = 3,
          .ignored = {"the file a"},
          .last_begin = 4,
          .published = 6};
}

ErrorKind KindOf(const Status& status) {
  const ErrorDetail* const detail = DetailOf(status);
  return detail == nullptr ? ErrorKind::kCancelled : detail->kind();
}

TEST(Commit, IsReadAsItWasWritten) {
  const std::string text = CommitText(SomeCommit()).ValueOrDie();
  EXPECT_EQ(ReadCommit(text, "log/7").ValueOrDie(), SomeCommit());
}

TEST(Commit, SaysWhereNobodyCanTellWhichRowsWereFiltered) {
  Commit commit = SomeCommit();
  commit.rows.filtered.reset();
  const std::string text = CommitText(commit).ValueOrDie();
  EXPECT_EQ(ReadCommit(text, "log/7").ValueOrDie(), commit);
  EXPECT_TRUE(commit.rows.AddUp());
}

TEST(Commit, IsReadAsAnOlderVersionWroteIt) {
  Commit commit = SomeCommit();
  commit.rows.filtered.reset();
  std::string text = CommitText(commit).ValueOrDie();
  const std::string filtered = "\"filtered\":null,";
  text = text.substr(0, text.rfind('\n', text.size() - 2));
  text.erase(text.find(filtered), filtered.size());
  text += fmt::format("\ncrc32c:{:08x}\n", Crc32c(text));
  EXPECT_EQ(ReadCommit(text, "log/7").ValueOrDie(), commit);
}

TEST(Commit, IsRefusedWithAnyByteChanged) {
  const std::string text = CommitText(SomeCommit()).ValueOrDie();
  for (size_t place = 0; place < text.size(); ++place) {
    for (const int mask : {0x01, 0x20, 0x80}) {
      std::string changed = text;
      changed[place] = static_cast<char>(changed[place] ^ mask);
      const Status status = ReadCommit(changed, "log/7").status();
      EXPECT_EQ(KindOf(status), ErrorKind::kCorruptData) << place << ": " << status.ToString();
    }
  }
}

TEST(Commit, IsRefusedWhereverItIsCutOff) {
  const std::string text = CommitText(SomeCommit()).ValueOrDie();
  for (size_t bytes = 0; bytes < text.size(); ++bytes) {
    const Status status = ReadCommit(text.substr(0, bytes), "log/7").status();
    EXPECT_EQ(KindOf(status), ErrorKind::kCorruptData) << bytes;
    EXPECT_THAT(status.message(), HasSubstr("log/7"));
  }
}

std::string WithChecksum(const std::string& body) {
  return fmt::format("{}\ncrc32c:{:08x}\n", body, Crc32c(body));
}

TEST(Commit, OfANewerVersionIsNotRead) {
  const Status status = ReadCommit(WithChecksum(R"({"version":3})"), "log/7").status();
  EXPECT_TRUE(status.IsNotImplemented()) << status.ToString();
}

TEST(Commit, OfTheVersionBeforeRetriesIsRead) {
  const std::string text = CommitText(SomeCommit()).ValueOrDie();
  nlohmann::json json = nlohmann::json::parse(text.substr(0, text.find('\n')));
  json["version"] = 1;
  json.erase("write");
  json.erase("taken");
  Commit wanted = SomeCommit();
  wanted.write.clear();
  wanted.taken.clear();
  EXPECT_EQ(ReadCommit(WithChecksum(json.dump()), "log/7").ValueOrDie(), wanted);
}

TEST(Commit, RefusesNamesThatAreNoText) {
  Commit commit = SomeCommit();
  commit.files[0].name = "\xFF.parquet";
  EXPECT_TRUE(CommitText(commit).status().IsInvalid());
}

}  // namespace
}  // namespace penstock
