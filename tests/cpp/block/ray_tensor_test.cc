#include "penstock/block/ray_tensor.h"

#include <arrow/api.h>
#include <arrow/extension/fixed_shape_tensor.h>
#include <arrow/extension/variable_shape_tensor.h>
#include <arrow/json/from_string.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<arrow::RecordBatch> Stored(const std::string& name, const std::string& metadata,
                                           const std::shared_ptr<arrow::DataType>& type,
                                           const std::string& json) {
  const auto field =
      arrow::field("t", type, true,
                   arrow::key_value_metadata({"ARROW:extension:name", "ARROW:extension:metadata"},
                                             {name, metadata}));
  const auto column = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  return arrow::RecordBatch::Make(arrow::schema({field}), column->length(), {column});
}

std::shared_ptr<arrow::DataType> Variable() {
  return arrow::struct_({arrow::field("data", arrow::large_list(arrow::uint8())),
                         arrow::field("shape", arrow::list(arrow::int64()))});
}

TEST(RayTensorTest, ListsOfOneShapeBecomeFixedShapeTensors) {
  for (const auto& [name, type] : std::vector<std::pair<std::string, arrow::Type::type>>{
           {"ray.data.arrow_tensor", arrow::Type::LIST},
           {"ray.data.arrow_tensor_v2", arrow::Type::LARGE_LIST}}) {
    const auto lists = type == arrow::Type::LIST ? arrow::list(arrow::float32())
                                                 : arrow::large_list(arrow::float32());
    const auto stored = Stored(name, "[2, 2]", lists, "[[0,0,0,0],[1,2,3,4],[5,6,7,8]]");
    const auto batch = WithCanonicalTensors(stored->Slice(1)).ValueOrDie();
    const auto& tensors =
        dynamic_cast<const arrow::extension::FixedShapeTensorArray&>(*batch->column(0));
    const auto& tensor_type =
        static_cast<const arrow::extension::FixedShapeTensorType&>(*tensors.type());
    EXPECT_THAT(tensor_type.shape(), ElementsAre(2, 2));
    EXPECT_EQ(tensors.storage()->ToString(),
              arrow::json::ArrayFromJSONString(arrow::fixed_size_list(arrow::float32(), 4),
                                               "[[1,2,3,4],[5,6,7,8]]")
                  .ValueOrDie()
                  ->ToString());
    EXPECT_TRUE(batch->ValidateFull().ok());
  }
}

TEST(RayTensorTest, ListsWithShapesBecomeVariableShapeTensors) {
  const auto stored =
      Stored("ray.data.arrow_variable_shaped_tensor", "2", Variable(),
             R"([{"data": [1, 2], "shape": [1, 2]}, {"data": [3], "shape": [1, 1]}])");
  const auto batch = WithCanonicalTensors(stored).ValueOrDie();
  const auto* type = dynamic_cast<const arrow::extension::VariableShapeTensorType*>(
      batch->column(0)->type().get());
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(type->ndim(), 2);
  EXPECT_TRUE(batch->ValidateFull().ok());
}

TEST(RayTensorTest, WhatIsNotJsonIsNeverDecodedAndStaysLists) {
  const std::string pickled = "\x80\x05K\x02K\x02\x86\x94.";
  const auto stored =
      Stored("ray.data.arrow_tensor", pickled, arrow::list(arrow::int8()), "[[1, 2, 3, 4]]");
  EXPECT_EQ(WithCanonicalTensors(stored).ValueOrDie(), stored);
  EXPECT_EQ(WithCanonicalTensors(stored->schema()), stored->schema());
}

TEST(RayTensorTest, OtherColumnsAndOddMetadataStayAsTheyAre) {
  for (const std::string metadata :
       {"", "{}", "[2.5]", "[-1]", "[\"a\"]", "[1e99]", "-3", "[[2]]"}) {
    for (const std::string name : {"ray.data.arrow_tensor", "ray.data.arrow_variable_shaped_tensor",
                                   "ray.data.arrow_pickled_object", "other"}) {
      const auto stored = Stored(name, metadata, arrow::list(arrow::int8()), "[[1, 2]]");
      EXPECT_EQ(WithCanonicalTensors(stored).ValueOrDie(), stored) << name << metadata;
    }
  }
}

TEST(RayTensorTest, ListsThatDoNotFitTheShapeAreCorrupt) {
  const auto stored =
      Stored("ray.data.arrow_tensor", "[2, 2]", arrow::list(arrow::int8()), "[[1, 2, 3]]");
  const Status status = WithCanonicalTensors(stored).status();
  ASSERT_NE(DetailOf(status), nullptr) << status;
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kCorruptData);
  EXPECT_NE(status.message().find("'t'"), std::string::npos);
}

}  // namespace
}  // namespace penstock
