#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <bit>

#include "penstock/base/crc32c.h"
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

std::string Little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string Varint(uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}

std::string Counted(int field, const std::string& value) {
  return Varint(static_cast<uint64_t>(field) << 3 | 2) + Varint(value.size()) + value;
}

std::string Bytes(const std::vector<std::string>& values) {
  std::string list;
  for (const auto& value : values) list += Counted(1, value);
  return Counted(1, list);
}

std::string Floats(const std::vector<float>& values, bool packed = true) {
  std::string list;
  for (const float value : values) {
    list += (packed ? "" : Varint(1 << 3 | 5)) + Little(std::bit_cast<uint32_t>(value), 4);
  }
  return Counted(2, packed ? Counted(1, list) : list);
}

std::string Integers(const std::vector<int64_t>& values, bool packed = true) {
  std::string list;
  for (const int64_t value : values) {
    list += (packed ? "" : Varint(1 << 3)) + Varint(static_cast<uint64_t>(value));
  }
  return Counted(3, packed ? Counted(1, list) : list);
}

using Features = std::vector<std::pair<std::string, std::string>>;

std::string Example(const Features& features) {
  std::string map;
  for (const auto& [name, feature] : features) {
    map += Counted(1, Counted(1, name) + Counted(2, feature));
  }
  return Counted(1, map);
}

std::string Record(const std::string& data) {
  const std::string length = Little(data.size(), 8);
  return length + Little(MaskedCrc32c(length), 4) + data + Little(MaskedCrc32c(data), 4);
}

std::string File(const std::vector<Features>& rows) {
  std::string file;
  for (const auto& row : rows) file += Record(Example(row));
  return file;
}

class TfrecordTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<arrow::Table>> ReadBytes(const std::string& bytes,
                                                  ReadLimits limits = {}) const {
    std::filesystem::remove(folder_.path("a.tfrecords"));  // Writing over a file is slow.
    return ReadAll(ReadOf("tfrecord", {folder_.Write("a.tfrecords", bytes)}), limits);
  }

  const TemporaryFolder folder_;
};

TEST_F(TfrecordTest, OneValueARecordIsAValueAndOtherCountsAreLists) {
  ExpectTable(
      ReadBytes(File({{{"b", Bytes({"x"})}, {"i", Integers({-1})}, {"list", Integers({1, 2})}},
                      {{"b", Bytes({"y"})}, {"i", Integers({2})}, {"list", Integers({3})}},
                      {{"b", Bytes({""})}, {"i", Integers({INT64_MIN})}, {"list", Integers({})}}})),
      TableOf({{"b", Column(arrow::binary(), R"(["x", "y", ""])")},
               {"i", Column(arrow::int64(), "[-1, 2, -9223372036854775808]")},
               {"list", Column(arrow::list(arrow::int64()), "[[1, 2], [3], []]")}}));
}

TEST_F(TfrecordTest, PackedAndUnpackedValuesAreTheSame) {
  for (const bool packed : {true, false}) {
    ExpectTable(
        ReadBytes(File({{{"f", Floats({0.5F, -2}, packed)}, {"i", Integers({300}, packed)}}})),
        TableOf({{"f", Column(arrow::list(arrow::float32()), "[[0.5, -2]]")},
                 {"i", Column(arrow::int64(), "[300]")}}));
  }
}

TEST_F(TfrecordTest, WhatARecordLacksIsNull) {
  ExpectTable(
      ReadBytes(File({{{"a", Integers({1})}},
                      {{"b", Bytes({"x", "y"})}, {"a", ""}},
                      {},
                      {{"b", ""}, {"a", Integers({2})}}})),
      TableOf({{"a", Column(arrow::int64(), "[1, null, null, 2]")},
               {"b", Column(arrow::list(arrow::binary()), R"([null, ["x", "y"], null, null])")}}));
}

TEST_F(TfrecordTest, IntegersAndFloatsOfOneFeatureAreFloats) {
  ExpectTable(ReadBytes(File({{{"x", Integers({1})}}, {{"x", Floats({0.5F})}}})),
              TableOf({{"x", Column(arrow::float64(), "[1, 0.5]")}}));
  ExpectError(ReadBytes(File({{{"x", Integers({INT64_MAX})}}, {{"x", Floats({0.5F})}}})).status(),
              ErrorKind::kSchemaMismatch, {"a.tfrecords", "\"x\"", "no float holds"});
}

TEST_F(TfrecordTest, BytesAndNumbersOfOneFeatureAreAnErrorThatNamesTheRecord) {
  const std::string first = File({{{"x", Integers({1})}}});
  ExpectError(ReadBytes(first + File({{{"x", Bytes({"a"})}}})).status(), ErrorKind::kSchemaMismatch,
              {"a.tfrecords", fmt::format("byte {}", first.size()), "record 2", "\"x\""});
}

TEST_F(TfrecordTest, ValuesInOneFileAndListsInAnotherAreLists) {
  const auto a = folder_.Write("1.tfrecord", File({{{"x", Integers({1})}}}));
  const auto b = folder_.Write("2.tfrecord", File({{{"x", Integers({2, 3})}}}));
  const auto wanted = TableOf({{"x", Column(arrow::list(arrow::int64()), "[[1], [2, 3]]")}});
  ExpectTable(ReadAll(ReadOf("tfrecord", {a, b})), wanted);
  ExpectTable(ReadAll(ReadOf("tfrecord", {folder_.path()})), wanted);
  const auto c = folder_.Write("3.tfrecord", File({{{"x", Bytes({"a"})}}}));
  ExpectError(ReadAll(ReadOf("tfrecord", {a, c})).status(), ErrorKind::kSchemaMismatch,
              {"1.tfrecord", "3.tfrecord", "'x'", "tf_schema"});
}

TEST_F(TfrecordTest, IntegersInOneFileAndListsOfFloatsInAnotherAreListsOfFloats) {
  const auto a = folder_.Write("1.tfrecord", File({{{"x", Integers({1})}}}));
  const auto b = folder_.Write("2.tfrecord", File({{{"x", Floats({0.5F, 2})}}}));
  ExpectTable(ReadAll(ReadOf("tfrecord", {a, b})),
              TableOf({{"x", Column(arrow::list(arrow::float64()), "[[1], [0.5, 2]]")}}));
}

TEST_F(TfrecordTest, AListAfterTheFirstRecordsSaysToNameTheType) {
  std::vector<Features> rows(1000, {{"x", Integers({1})}});
  rows.push_back({{"x", Integers({1, 2})}});
  ExpectError(ReadBytes(File(rows), {.block_bytes = 4096}).status(), ErrorKind::kSchemaMismatch,
              {"record 1001", "tf_schema"});
}

TEST_F(TfrecordTest, NamedFeaturesAreListsAndNoOthersAreAllowed) {
  const nlohmann::json features = {{"features", {{"x", "int"}, {"y", "bytes"}}}};
  const auto a = folder_.Write("a.tfrecord", File({{{"x", Integers({1})}}, {{"x", ""}}}));
  ExpectTable(ReadAll(ReadOf("tfrecord", {a}, features)),
              TableOf({{"x", Column(arrow::list(arrow::int64()), "[[1], null]")},
                       {"y", Column(arrow::list(arrow::binary()), "[null, null]")}}));
  const auto b = folder_.Write("b.tfrecord", File({{{"z", Integers({1})}}}));
  ExpectError(ReadAll(ReadOf("tfrecord", {b}, features)).status(), ErrorKind::kSchemaMismatch,
              {"b.tfrecord", "\"z\"", "tf_schema"});
  const auto c = folder_.Write("c.tfrecord", File({{{"x", Bytes({"a"})}}}));
  ExpectError(ReadAll(ReadOf("tfrecord", {c}, features)).status(), ErrorKind::kSchemaMismatch,
              {"\"x\"", "says int; got: bytes"});
  EXPECT_TRUE(
      ReadAll(ReadOf("tfrecord", {a}, {{"features", {{"x", "text"}}}})).status().IsInvalid());
}

TEST_F(TfrecordTest, OnlyTheColumnsAskedForAreRead) {
  ReadOp read =
      ReadOf("tfrecord",
             {folder_.Write("a.tfrecord", File({{{"a", Integers({1})}, {"b", Integers({2})}}}))},
             {{"include_paths", true}});
  read.columns = {"b"};
  ExpectTable(ReadAll(read), TableOf({{"b", Column(arrow::int64(), "[2]")}}));
  read.columns = std::vector<std::string>{};
  EXPECT_EQ(ReadAll(read)->get()->num_rows(), 1);
  read.columns.reset();
  EXPECT_EQ(ReadAll(read)->get()->schema()->field_names(),
            (std::vector<std::string>{"a", "b", "path"}));
}

TEST_F(TfrecordTest, ALongFileIsCutBetweenRecordsAndReadWholeFromItsPieces) {
  std::vector<Features> rows;
  std::string numbers;
  for (int i = 0; i < 2000; ++i) {
    rows.push_back({{"n", Integers({i})}, {"text", Bytes({std::string(size_t(i) % 300, 'x')})}});
    numbers += fmt::format("{}{}", i == 0 ? "" : ",", i);
  }
  const auto path = folder_.Write("a.tfrecord", File(rows));
  const ReadOp read = ReadOf("tfrecord", {path});
  const auto wanted = Column(arrow::int64(), "[" + numbers + "]");
  for (const int64_t split_bytes : {100, 5000, 100'000'000}) {
    const ReadLimits limits{.block_bytes = 20'000, .split_bytes = split_bytes};
    const auto source = MakeSource(read, limits, 1).ValueOrDie();
    const auto splits = AllSplits(*source).ValueOrDie();
    EXPECT_EQ(splits.size() > 20, split_bytes <= 5000);
    const auto table = ReadAll(read, limits).ValueOrDie();
    EXPECT_TRUE(table->GetColumnByName("n")->chunk(0)->Equals(wanted));
  }
}

TEST_F(TfrecordTest, BlocksStayNearTheirSizeHoweverLongTheFile) {
  const std::vector<Features> rows(4000, {{"text", Bytes({std::string(1000, 'x')})}});
  const auto source = MakeSource(ReadOf("tfrecord", {folder_.Write("a.tfrecord", File(rows))}),
                                 {.block_bytes = 100'000}, 1)
                          .ValueOrDie();
  for (const Split& split : AllSplits(*source).ValueOrDie()) {
    for (const auto& batch : testing::ReadSplit(*source, split).ValueOrDie()) {
      EXPECT_LT(batch->num_rows(), 200);
    }
  }
}

TEST_F(TfrecordTest, ARecordWithoutFeaturesIsARowAndAnEmptyFileHasNone) {
  EXPECT_EQ(ReadBytes(Record("") + Record(Example({})))->get()->num_rows(), 2);
  EXPECT_EQ(ReadBytes("")->get()->num_rows(), 0);
}

TEST_F(TfrecordTest, EveryTruncationIsAnErrorOrEndsBetweenRecords) {
  const std::string first = File({{{"i", Integers({1, 2})}, {"b", Bytes({"x"})}}});
  const std::string bytes = first + File({{{"f", Floats({1})}}});
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto table = ReadBytes(bytes.substr(0, length));
    if (length == 0 || length == first.size()) {
      EXPECT_TRUE(table.ok());
    } else {
      const size_t record = length < first.size() ? 0 : first.size();
      ExpectError(table.status(), ErrorKind::kCorruptData,
                  {"a.tfrecords", fmt::format("at byte {}: record", record)});
    }
  }
}

TEST_F(TfrecordTest, EveryFlippedBitIsAnErrorThatNamesTheFile) {
  const std::string bytes = File({{{"i", Integers({1, 2})}}, {{"b", Bytes({"x"})}}});
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ExpectError(ReadBytes(damaged).status(), ErrorKind::kCorruptData, {"a.tfrecords", "record"});
    ExpectError(ReadBytes(damaged, {.split_bytes = 10}).status(), ErrorKind::kCorruptData,
                {"a.tfrecords", "record"});
  }
}

TEST_F(TfrecordTest, ALengthBeyondTheFileIsAnErrorAndTakesNoMemory) {
  for (const uint64_t length : {uint64_t{1} << 60, ~uint64_t{0}, uint64_t{1} << 31}) {
    const std::string head = Little(length, 8);
    const std::string bytes = head + Little(MaskedCrc32c(head), 4) + "abc";
    ExpectError(ReadBytes(bytes).status(), ErrorKind::kCorruptData, {"record 1", "longer"});
    ExpectError(ReadBytes(bytes, {.split_bytes = 4}).status(), ErrorKind::kCorruptData,
                {"record 1", "longer"});
  }
}

TEST_F(TfrecordTest, MessagesThatAreNoExampleAreErrors) {
  const std::string feature = Integers({1});
  const std::vector<std::string> records = {
      "just words",
      Counted(2, ""),                                   // A SequenceExample.
      Counted(1, Counted(1, Counted(3, "x"))),          // Another field of a feature.
      Counted(1, Counted(1, Counted(1, "\xFF"))),       // Its name is not UTF-8.
      Example({{"x", Counted(4, "")}}),                 // Another kind of list.
      Example({{"x", Counted(2, Counted(1, "abc"))}}),  // No floats.
      Example({{"x", Counted(3, Counted(1, std::string(1, '\x80')))}}),          // A cut integer.
      Example({{"x", Counted(3, Counted(1, std::string(10, '\x80') + '\1'))}}),  // An endless one.
      Example({{"x", feature + Floats({1})}}),                                   // Two lists.
      Example({{"x", feature}, {"x", feature}}),                                 // Twice.
      Varint(1 << 3 | 3) + Varint(1 << 3 | 4),                                   // A group.
      Varint(1 << 3 | 2) + Varint(uint64_t{1} << 60),  // Longer than the record.
  };
  for (const std::string& record : records) {
    ExpectError(ReadBytes(File({{}}) + Record(record)).status(), ErrorKind::kCorruptData,
                {"a.tfrecords", "record 2"});
  }
}

TEST_F(TfrecordTest, EveryDamageInsideOfARecordIsAnErrorOrOtherValues) {
  const std::string data = Example({{"i", Integers({1, 300})}, {"b", Bytes({"x"})}, {"f", ""}});
  for (size_t bit = 0; bit < 8 * data.size(); ++bit) {
    std::string damaged = data;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto table = ReadBytes(Record(damaged));
    if (table.ok()) {
      EXPECT_EQ((*table)->num_rows(), 1);
    } else {
      ExpectError(table.status(), ErrorKind::kCorruptData, {"a.tfrecords", "record 1"});
    }
  }
}

TEST_F(TfrecordTest, CompressedFilesAreReadBySuffixAndTheirTruncationsAreErrors) {
  const std::vector<Features> rows(100, {{"i", Integers({1, 2})}});
  for (const auto& [suffix, kind] :
       {std::pair{".gz", arrow::Compression::GZIP}, std::pair{".zst", arrow::Compression::ZSTD}}) {
    const auto path = folder_.path(std::string("c.tfrecord") + suffix);
    const auto codec = arrow::util::Codec::Create(kind).ValueOrDie();
    const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    const auto out = arrow::io::CompressedOutputStream::Make(codec.get(), file).ValueOrDie();
    ASSERT_TRUE(out->Write(File(rows)).ok());
    ASSERT_TRUE(out->Close().ok());
    EXPECT_EQ(ReadAll(ReadOf("tfrecord", {path}))->get()->num_rows(), 100);
    const std::string bytes = testing::ReadBytes(path);
    for (size_t length = 1; length < bytes.size() - 8; ++length) {
      const auto cut = folder_.Write(std::string("t.tfrecord") + suffix, bytes.substr(0, length));
      ExpectError(ReadAll(ReadOf("tfrecord", {cut})).status(), ErrorKind::kCorruptData,
                  {"t.tfrecord"});
    }
  }
}

TEST_F(TfrecordTest, AMissingFileIsAnError) {
  ExpectError(ReadAll(ReadOf("tfrecord", {folder_.path("x.tfrecord")})).status(),
              ErrorKind::kMissingPath, {"x.tfrecord"});
}

}  // namespace
}  // namespace penstock
