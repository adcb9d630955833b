#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include <array>

#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::AllSplits;
using testing::Column;
using testing::ExpectError;
using testing::ExpectTable;
using testing::ReadAll;
using testing::ReadOf;
using testing::TableOf;
using testing::TemporaryFolder;

constexpr size_t kBlock = 512;

std::string Padded(const std::string& data) {
  return data + std::string((kBlock - data.size() % kBlock) % kBlock, '\0');
}

/// Sets the checksum of a header.
std::string Summed(std::string header) {
  header.replace(148, 8, "        ");
  uint32_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  return header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
}

std::string Header(const std::string& name, const std::string& size, char kind = '0',
                   const std::string& prefix = "") {
  std::string header(kBlock, '\0');
  header.replace(0, name.size(), name);
  header.replace(124, size.size(), size);
  header[156] = kind;
  header.replace(257, 8,
                 std::string("ustar\0"
                             "00",
                             8));
  header.replace(345, prefix.size(), prefix);
  return Summed(header);
}

std::string Octal(size_t size) { return fmt::format("{:011o}", size); }

std::string Member(const std::string& name, const std::string& data, char kind = '0') {
  return Header(name, Octal(data.size()), kind) + Padded(data);
}

std::string End() { return std::string(2 * kBlock, '\0'); }

/// Returns a record of an extended header whose length has two digits.
std::string Pax(const std::string& key, const std::string& value) {
  const std::string record = fmt::format(" {}={}\n", key, value);
  return std::to_string(record.size() + 2) + record;
}

const std::string kTwo = Member("a.txt", "A") + Member("a.cls", "1") + Member("b.txt", "B");

class WebdatasetTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<arrow::Table>> ReadBytes(const std::string& bytes,
                                                  nlohmann::json options = nlohmann::json::object(),
                                                  ReadLimits limits = {}) const {
    std::filesystem::remove(folder_.path("a.tar"));  // Writing over a file is slow.
    return ReadAll(ReadOf("webdataset", {folder_.Write("a.tar", bytes)}, std::move(options)),
                   limits);
  }

  std::shared_ptr<arrow::Array> Archive(int64_t rows) const {
    return arrow::MakeArrayFromScalar(arrow::StringScalar(folder_.path("a.tar")), rows)
        .ValueOrDie();
  }

  /// Expects an archive of one sample "k" whose file of this suffix has this data.
  void ExpectOne(const std::string& bytes, const std::string& key, const std::string& suffix,
                 const std::string& data) const {
    arrow::BinaryBuilder values;
    ASSERT_TRUE(values.Append(data).ok());
    arrow::StringBuilder keys;
    ASSERT_TRUE(keys.Append(key).ok());
    ExpectTable(ReadBytes(bytes), TableOf({{"__key__", keys.Finish().ValueOrDie()},
                                           {suffix, values.Finish().ValueOrDie()},
                                           {"__url__", Archive(1)}}));
  }

  const TemporaryFolder folder_;
};

TEST_F(WebdatasetTest, FilesOfOneKeyAreARowWithAColumnASuffix) {
  ExpectTable(ReadBytes(kTwo + End()), TableOf({{"__key__", Column(arrow::utf8(), R"(["a", "b"])")},
                                                {"txt", Column(arrow::binary(), R"(["A", "B"])")},
                                                {"cls", Column(arrow::binary(), R"(["1", null])")},
                                                {"__url__", Archive(2)}}));
}

TEST_F(WebdatasetTest, TheKeyEndsAtTheFirstDotOfTheFilesOwnName) {
  ExpectOne(Member("./v1.0/x.seg.png", "P") + End(), "./v1.0/x", "seg.png", "P");
}

TEST_F(WebdatasetTest, FilesWithoutASuffixHiddenOnesFoldersAndLinksAreNoSamples) {
  ExpectOne(Member("README", "r") + Member(".a.txt", "h") + Member("d/", "", '5') +
                Header("link.txt", Octal(700), '2') + Member("d/._x.txt", "m") +
                Member("x.txt", "X") + End(),
            "x", "txt", "X");
}

TEST_F(WebdatasetTest, LongNamesOfPaxGnuAndUstarAreRead) {
  const std::string folder(90, 'f');
  const std::string name = folder + "/" + std::string(60, 'n') + ".txt";
  const std::string key = name.substr(0, name.size() - 4);
  const std::string path = fmt::format(" path={}\n", name);
  const std::string pax = std::to_string(path.size() + 3) + path;
  ExpectOne(Member("x", pax, 'x') + Member("short.txt", "A") + End(), key, "txt", "A");
  ExpectOne(Member("././@LongLink", name + '\0', 'L') + Member("short.txt", "A") + End(), key,
            "txt", "A");
  ExpectOne(Header(std::string(60, 'n') + ".txt", Octal(1), '0', folder) + Padded("A") + End(), key,
            "txt", "A");
  ExpectOne(Member("x", Pax("comment", "of git"), 'g') + Member("a.txt", "A") + End(), "a", "txt",
            "A");
}

TEST_F(WebdatasetTest, SizesOfPaxAndToTheBase256AreRead) {
  ExpectOne(Member("x", Pax("size", "3"), 'x') + Header("a.txt", Octal(0)) + Padded("abc") + End(),
            "a", "txt", "abc");
  const std::string size = "\x80" + std::string(10, '\0') + "\x03";
  ExpectOne(Header("a.txt", size) + Padded("abc") + End(), "a", "txt", "abc");
}

TEST_F(WebdatasetTest, FilesAndSuffixesAreChosenByPatterns) {
  const auto keys = Column(arrow::utf8(), R"(["a", "b"])");
  const auto texts = Column(arrow::binary(), R"(["A", "B"])");
  const auto wanted = TableOf({{"__key__", keys}, {"txt", texts}, {"__url__", Archive(2)}});
  ExpectTable(ReadBytes(kTwo + End(), {{"suffixes", {"*t?t"}}}), wanted);
  ExpectTable(ReadBytes(kTwo + End(), {{"suffixes", {".txt"}}}), wanted);
  ExpectTable(ReadBytes(kTwo + End(), {{"select", {"*.txt"}}}), wanted);
  ExpectTable(ReadBytes(kTwo + End(), {{"suffixes", nlohmann::json::array()}}),
              TableOf({{"__key__", keys}, {"__url__", Archive(2)}}));
  EXPECT_EQ(ReadBytes(kTwo + End(), {{"select", {"b.txt"}}})->get()->num_rows(), 1);
}

TEST_F(WebdatasetTest, OnlyTheColumnsAskedForAreRead) {
  ReadOp read = ReadOf("webdataset", {folder_.Write("a.tar", kTwo + End())});
  read.columns = {"cls", "__key__"};
  ExpectTable(ReadAll(read), TableOf({{"cls", Column(arrow::binary(), R"(["1", null])")},
                                      {"__key__", Column(arrow::utf8(), R"(["a", "b"])")}}));
  read.columns = std::vector<std::string>{};
  EXPECT_EQ(ReadAll(read)->get()->num_rows(), 2);
}

TEST_F(WebdatasetTest, BlocksStayNearTheirSizeAndLaterSuffixesAddColumns) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    bytes += Member(fmt::format("{:03}.{}", i, i < 90 ? "txt" : "new"), std::string(5000, 'x'));
  }
  ReadOp read = ReadOf("webdataset", {folder_.Write("a.tar", bytes + End())});
  const ReadLimits limits{.block_bytes = 20'000};
  const auto source = MakeSource(read, limits, 1).ValueOrDie();
  for (const Split& split : AllSplits(*source).ValueOrDie()) {
    for (const auto& batch : testing::ReadSplit(*source, split).ValueOrDie()) {
      EXPECT_LE(batch->num_rows(), 5);
    }
  }
  const auto table = ReadAll(read, limits).ValueOrDie();
  EXPECT_EQ(table->num_rows(), 100);
  EXPECT_EQ(table->GetColumnByName("new")->null_count(), 90);
}

TEST_F(WebdatasetTest, OneKeyInTwoArchivesIsTwoSamples) {
  const auto a = folder_.Write("a.tar", Member("x.txt", "A") + End());
  const auto b = folder_.Write("b.tar", Member("x.cls", "1") + End());
  const auto table = ReadAll(ReadOf("webdataset", {a, b})).ValueOrDie();
  EXPECT_EQ(table->num_rows(), 2);
  EXPECT_EQ(table->GetColumnByName("txt")->null_count(), 1);
}

TEST_F(WebdatasetTest, KeysThatComeAgainAndFilesThatAreThereTwiceAreErrors) {
  ExpectError(ReadBytes(kTwo + Member("a.jpg", "J") + End()).status(), ErrorKind::kCorruptData,
              {"a.tar", fmt::format("at byte {}", kTwo.size()), "sorted by name"});
  ExpectError(ReadBytes(kTwo + Member("b.txt", "C") + End()).status(), ErrorKind::kCorruptData,
              {"a.tar", "twice", "b.txt"});
  ExpectError(ReadBytes(Member("a.__key__", "C") + End()).status(), ErrorKind::kCorruptData,
              {"a.tar", "__key__"});
}

TEST_F(WebdatasetTest, ArchivesAsRowsHoldTheFilesThatWereChosen) {
  ExpectTable(ReadBytes(kTwo + End(), {{"archives", true}, {"select", {"*.txt"}}}),
              TableOf({{"__url__", Archive(1)},
                       {"__names__", Column(arrow::list(arrow::utf8()), R"([["a.txt", "b.txt"]])")},
                       {"__data__", Column(arrow::list(arrow::binary()), R"([["A", "B"]])")}}));
}

TEST_F(WebdatasetTest, AnArchiveWithoutFilesHasNoRowsButColumns) {
  ExpectTable(ReadBytes(End()), TableOf({{"__key__", Column(arrow::utf8(), "[]")},
                                         {"__url__", Column(arrow::utf8(), "[]")}}));
}

TEST_F(WebdatasetTest, EveryTruncationIsAnErrorThatNamesTheArchive) {
  const std::string bytes = Member("x", Pax("path", "a.txt"), 'x') + Member("z", "A") +
                            Member("L", "b.txt", 'L') + Member("b", std::string(600, 'B')) + End();
  ASSERT_EQ(ReadBytes(bytes)->get()->num_rows(), 2);
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto table = ReadBytes(bytes.substr(0, length));
    if (length >= bytes.size() - kBlock) {
      EXPECT_EQ(table->get()->num_rows(), 2);  // One block of zeros ends an archive.
    } else {
      ExpectError(table.status(), ErrorKind::kCorruptData, {"a.tar", "at byte", "ends with"});
    }
  }
}

TEST_F(WebdatasetTest, AFlippedBitOfAHeaderOrTheEndIsAnErrorOrChangesNothing) {
  const std::string bytes = Member("a.txt", "A") + End();
  const auto good = ReadBytes(bytes).ValueOrDie();
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    if (bit / 8 == kBlock) continue;  // The data: no checksum covers it.
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto table = ReadBytes(damaged);
    if (table.ok()) {
      EXPECT_TRUE((*table)->Equals(*good)) << bit;
    } else {
      ExpectError(table.status(), ErrorKind::kCorruptData, {"a.tar", "at byte"});
    }
  }
}

TEST_F(WebdatasetTest, SizesBeyondTheArchiveAreErrorsAndTakeNoMemory) {
  const std::string huge = "\x80" + std::string(3, '\0') + "\x10" + std::string(7, '\0');
  const std::string endless = "\xFF" + std::string(11, '\xFF');
  const std::string beyond = "\x80\x01" + std::string(10, '\0');
  for (const std::string& size : {huge, endless, beyond, Octal(1 << 20), std::string("12x")}) {
    for (const char kind : {'0', 'x', 'L', 'D'}) {
      ExpectError(ReadBytes(Header("a.txt", size, kind) + Padded("abc") + End()).status(),
                  ErrorKind::kCorruptData, {"a.tar", "at byte 0"});
    }
  }
  const std::string pax = Member("x", Pax("size", "1152921504606846976"), 'x');
  ExpectError(ReadBytes(pax + Member("a.txt", "A") + End()).status(), ErrorKind::kCorruptData,
              {"a.tar", "1152921504606846976"});
}

TEST_F(WebdatasetTest, DamagedExtendedHeadersAreErrors) {
  for (const std::string& records :
       {std::string("x"), std::string("5 a=\n9"), std::string("99 path=a\n"), std::string("0 a=\n"),
        std::string("6 abc\n"), Pax("size", "1x"), Pax("GNU.sparse.map", "1"),
        std::string("99999999999999999999 a=\n")}) {
    ExpectError(ReadBytes(Member("x", records, 'x') + Member("a.txt", "A") + End()).status(),
                ErrorKind::kCorruptData, {"a.tar", "at byte 0"});
  }
}

TEST_F(WebdatasetTest, WhatCannotBeReadIsRefusedByName) {
  const std::array<std::pair<std::string, std::string>, 7> cases{{
      {Member("a.txt", "A", 'S') + End(), "sparse"},
      {Member("a.txt", "A", 'M') + End(), "another archive"},
      {Member("x", Pax("path", "b.txt"), 'g') + kTwo + End(), "all files"},
      {Member("x", Pax("path", "b.txt"), 'x') + End(), "ends after"},
      {kTwo + End() + kTwo + End(), "more follows"},
      {Member("\xFF.txt", "A") + End(), "UTF-8"},
      {std::string(2000, 'w'), "no tar"},
  }};
  for (const auto& [bytes, words] : cases) {
    ExpectError(ReadBytes(bytes).status(), ErrorKind::kCorruptData, {"a.tar", "at byte", words});
  }
}

TEST_F(WebdatasetTest, AMissingArchiveIsAnError) {
  ExpectError(ReadAll(ReadOf("webdataset", {folder_.path("x.tar")})).status(),
              ErrorKind::kMissingPath, {"x.tar"});
}

}  // namespace
}  // namespace penstock
