#include <arrow/adapters/orc/adapter.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <fmt/format.h>

#include <random>

#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::AllSplits;
using testing::Column;
using testing::ExpectError;
using testing::ExpectTable;
using testing::ReadAll;
using testing::ReadBytes;
using testing::ReadOf;
using testing::TableOf;
using testing::TemporaryFolder;

std::shared_ptr<arrow::Table> Numbers(int64_t rows, const std::string& name = "n") {
  std::string numbers;
  std::string texts;
  for (int64_t i = 0; i < rows; ++i) {
    numbers += fmt::format("{}{}", i == 0 ? "" : ",", i);
    texts += fmt::format("{}\"text {}\"", i == 0 ? "" : ",", i);
  }
  return TableOf({{name, Column(arrow::int64(), "[" + numbers + "]")},
                  {"t", Column(arrow::utf8(), "[" + texts + "]")}});
}

void WriteOrc(const arrow::Table& table, arrow::io::OutputStream& file) {
  const auto writer = arrow::adapters::orc::ORCFileWriter::Open(&file).ValueOrDie();
  ASSERT_TRUE(writer->Write(table).ok());
  ASSERT_TRUE(writer->Close().ok());
}

void WriteIpc(const arrow::Table& table, arrow::io::OutputStream& file) {
  const auto writer = arrow::ipc::MakeFileWriter(&file, table.schema()).ValueOrDie();
  ASSERT_TRUE(writer->WriteTable(table, /*max_chunksize=*/40).ok());
  ASSERT_TRUE(writer->Close().ok());
}

void WriteStream(const arrow::Table& table, arrow::io::OutputStream& file) {
  const auto writer = arrow::ipc::MakeStreamWriter(&file, table.schema()).ValueOrDie();
  ASSERT_TRUE(writer->WriteTable(table, /*max_chunksize=*/40).ok());
  ASSERT_TRUE(writer->Close().ok());
}

/// By the files' extension.
class PartedTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::string Write(const std::string& name, const arrow::Table& table) const {
    const auto path = folder_.path(name + "." + GetParam());
    const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    if (GetParam() == "orc") WriteOrc(table, *file);
    if (GetParam() == "ipc") WriteIpc(table, *file);
    if (GetParam() == "arrows") WriteStream(table, *file);
    EXPECT_TRUE(file->Close().ok());
    return path;
  }

  ReadOp Read(std::vector<std::string> paths) const {
    return ReadOf(GetParam() == "orc" ? "orc" : "ipc", std::move(paths));
  }

  const TemporaryFolder folder_;
};

TEST_P(PartedTest, ReadsFilesInTheirOrderAndCountsThemWithoutReading) {
  const auto a = Write("a", *Numbers(100));
  const auto b = Write("b", *Numbers(50));
  const auto both = arrow::ConcatenateTables({Numbers(100), Numbers(50)}).ValueOrDie();
  ExpectTable(ReadAll(Read({a, b})), both->CombineChunks().ValueOrDie());
  ExpectTable(ReadAll(Read({folder_.path()}), {.block_bytes = 100}),
              both->CombineChunks().ValueOrDie());
  EXPECT_EQ(MakeSource(Read({a, b}), {}, 1).ValueOrDie()->CountRows().ValueOrDie(), 150);
}

TEST_P(PartedTest, ReadsOnlyTheColumnsAskedForInTheirOrder) {
  ReadOp read = Read({Write("a", *Numbers(2))});
  read.columns = {"t", "n"};
  ExpectTable(ReadAll(read), TableOf({{"t", Column(arrow::utf8(), R"(["text 0", "text 1"])")},
                                      {"n", Column(arrow::int64(), "[0, 1]")}}));
  read.columns = std::vector<std::string>{};
  EXPECT_EQ(ReadAll(read)->get()->num_rows(), 2);
  read.columns = {"x"};
  EXPECT_TRUE(ReadAll(read).status().IsKeyError());
}

TEST_P(PartedTest, FilesWithOtherColumnsAreReadAsOne) {
  const auto a = Write("a", *Numbers(1, "n"));
  const auto b = Write("b", *Numbers(1, "m"));
  ExpectTable(ReadAll(Read({a, b})),
              TableOf({{"n", Column(arrow::int64(), "[0, null]")},
                       {"t", Column(arrow::utf8(), R"(["text 0", "text 0"])")},
                       {"m", Column(arrow::int64(), "[null, 0]")}}));
  const auto c = Write("c", *TableOf({{"t", Column(arrow::int64(), "[1]")}}));
  ExpectError(ReadAll(Read({a, c})).status(), ErrorKind::kSchemaMismatch, {"a.", "c.", "'t'"});
}

TEST_P(PartedTest, AFileWithoutRowsHasItsColumns) {
  const auto table = ReadAll(Read({Write("a", *Numbers(0))})).ValueOrDie();
  EXPECT_EQ(table->num_rows(), 0);
  EXPECT_EQ(table->schema()->field_names(), (std::vector<std::string>{"n", "t"}));
}

TEST_P(PartedTest, ALimitStopsTheReader) {
  ReadOp read = Read({Write("a", *Numbers(100))});
  read.row_limit = 3;
  EXPECT_LE(ReadAll(read)->get()->num_rows(), 40);
}

TEST_P(PartedTest, EveryTruncationIsCorruptNamingTheFile) {
  const std::string bytes = ReadBytes(Write("a", *Numbers(3)));
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto path = folder_.Write("t." + GetParam(), bytes.substr(0, length));
    const auto table = ReadAll(Read({path}));
    if (table.ok() && GetParam() == "arrows" && (*table)->num_rows() == 0) {
      continue;  // A stream may end after any message, so after its schema.
    }
    if (table.ok()) {
      EXPECT_GE(length + 16, bytes.size());
    } else {
      ExpectError(table.status(), ErrorKind::kCorruptData, {"t." + GetParam()});
    }
  }
}

TEST_P(PartedTest, FlippedBitsGiveAnErrorOrRows) {
  const std::string bytes = ReadBytes(Write("a", *Numbers(30)));
  std::mt19937 random(17);
  for (int i = 0; i < 1500; ++i) {
    std::string flipped = bytes;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      flipped[random() % flipped.size()] ^= static_cast<char>(1U << (random() % 8));
    }
    const auto table = ReadAll(Read({folder_.Write("f." + GetParam(), flipped)}));
    if (table.ok()) {
      EXPECT_TRUE((*table)->ValidateFull().ok());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, PartedTest, ::testing::Values("orc", "ipc", "arrows"));

}  // namespace
}  // namespace penstock
