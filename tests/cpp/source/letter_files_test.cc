#include "penstock/source/letter_files.h"

#include <arrow/array/array_nested.h>
#include <arrow/compute/initialize.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::AllSplits;
using testing::Column;
using testing::TableOf;
using testing::TemporaryFolder;

class LetterFilesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(arrow::compute::Initialize().ok()); }

  /// Writes letters whose rows are in row groups of two.
  std::string Write(const std::string& name, const std::shared_ptr<arrow::Table>& table) {
    const std::string path = folder_.path(name);
    const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 2).ok());
    EXPECT_TRUE(file->Close().ok());
    return path;
  }

  static std::shared_ptr<arrow::Array> Row(const std::shared_ptr<arrow::DataType>& type,
                                           const std::string& json) {
    return Column(arrow::struct_({arrow::field("stage", type)}), json);
  }

  static std::shared_ptr<arrow::Array> Attempts(const std::string& json) {
    return Column(arrow::int32(), json);
  }

  const TemporaryFolder folder_;
};

TEST_F(LetterFilesTest, GiveTheRowsAsTheyWereFileByFile) {
  const std::string numbers =
      Write("a.parquet", TableOf({{"stage", Column(arrow::utf8(), R"(["s","s","s"])")},
                                  {"attempts", Attempts("[1,2,3]")},
                                  {"row", Row(arrow::int64(), "[[7],[null],[9]]")}}));
  const std::string texts =
      Write("b.parquet",
            TableOf({{"attempts", Attempts("[1]")}, {"row", Row(arrow::utf8(), R"([["x"]])")}}));
  const auto source = MakeLetterSource({numbers, texts}, ReadLimits{}, 1).ValueOrDie();
  EXPECT_EQ(source->CountRows().ValueOrDie(), 4);
  EXPECT_EQ(source->ReadSchema().ValueOrDie()->ToString(), "stage: int64");
  const std::vector<Split> splits = AllSplits(*source).ValueOrDie();
  ASSERT_EQ(splits.size(), 3U);
  std::vector<std::string> read;
  for (const Split& split : splits) {
    EXPECT_EQ(split.index, static_cast<int64_t>(read.size()));
    const auto batch = source->Open(split).ValueOrDie()->Next().ValueOrDie();
    read.push_back(batch->schema()->ToString() + " " + batch->column(0)->ToString());
  }
  EXPECT_EQ(read[0], "stage: int64 [\n  7,\n  null\n]");
  EXPECT_EQ(read[1], "stage: int64 [\n  9\n]");
  EXPECT_EQ(read[2], "stage: string [\n  \"x\"\n]");
  EXPECT_EQ(splits[1].name, "a.parquet, row group 1");
}

TEST_F(LetterFilesTest, GiveRowsWithoutColumnsByTheirNumber) {
  const std::string path = Write("a.parquet", TableOf({{"attempts", Attempts("[1,1]")}}));
  const auto source = MakeLetterSource({path}, ReadLimits{}, 1).ValueOrDie();
  EXPECT_EQ(source->ReadSchema().ValueOrDie()->num_fields(), 0);
  const std::vector<Split> splits = AllSplits(*source).ValueOrDie();
  const auto batch = source->Open(splits.at(0)).ValueOrDie()->Next().ValueOrDie();
  EXPECT_EQ(batch->num_rows(), 2);
  EXPECT_EQ(batch->num_columns(), 0);
}

TEST_F(LetterFilesTest, NameAFileThatIsNotThere) {
  const auto made = MakeLetterSource({folder_.path("gone.parquet")}, ReadLimits{}, 1);
  EXPECT_NE(made.status().message().find("gone.parquet"), std::string::npos);
}

}  // namespace
}  // namespace penstock
