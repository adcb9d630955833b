#include "penstock/block/zip.h"

#include <arrow/builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<arrow::RecordBatch> Batch(const std::vector<std::string>& names, int64_t first) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const std::string& name : names) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.AppendValues({first, first + 1}).ok());
    fields.push_back(arrow::field(name, arrow::int64()));
    columns.push_back(builder.Finish().ValueOrDie());
    first += 2;
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), 2, columns);
}

TEST(ZipTest, ColumnsStandSideBySideWithoutACopy) {
  const auto left = Batch({"a"}, 0);
  const auto right = Batch({"b", "c"}, 10);
  const auto zipped = ZipBatches(std::vector{left, right});
  EXPECT_THAT(zipped->schema()->field_names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(zipped->num_rows(), 2);
  EXPECT_EQ(zipped->column_data(2)->buffers[1], right->column_data(1)->buffers[1]);
}

TEST(ZipTest, ANameThatIsTakenGetsANumber) {
  const auto zipped =
      ZipBatches(std::vector{Batch({"a", "a_1"}, 0), Batch({"a", "b"}, 4), Batch({"a", "b"}, 8)});
  EXPECT_THAT(zipped->schema()->field_names(), ElementsAre("a", "a_1", "a_2", "b", "a_3", "b_1"));
}

}  // namespace
}  // namespace penstock
