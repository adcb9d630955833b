#include "penstock/block/tensor_union.h"

#include <arrow/array/array_nested.h>
#include <arrow/extension/variable_shape_tensor.h>
#include <arrow/extension_type.h>
#include <arrow/json/from_string.h>

#include "penstock/block/tensor.h"
#include "penstock/block/unify.h"

namespace penstock {
namespace {

using arrow::extension::variable_shape_tensor;
using Type = std::shared_ptr<arrow::DataType>;

Type Tensor(std::vector<int64_t> shape, Type values = arrow::float32()) {
  return TensorType(values, shape).ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> Tensors(const Type& type, const std::string& json) {
  const auto& storage = static_cast<const arrow::ExtensionType&>(*type).storage_type();
  const auto column = arrow::ExtensionType::WrapArray(
      type, arrow::json::ArrayFromJSONString(storage, json).ValueOrDie());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("t", type)}), column->length(),
                                  {column});
}

TEST(TensorUnionTest, HoldsTensorsOfEveryShape) {
  const Type ragged = variable_shape_tensor(arrow::float32(), 2);
  EXPECT_TRUE(CommonTensorType(Tensor({1, 2}), Tensor({3, 2}))->Equals(ragged));
  EXPECT_TRUE(CommonTensorType(Tensor({1, 2}), ragged)->Equals(ragged));
  EXPECT_TRUE(CommonTensorType(ragged, Tensor({1, 2}))->Equals(ragged));
}

TEST(TensorUnionTest, HoldsVectorsOfEveryLength) {
  const Type ragged = variable_shape_tensor(arrow::float32(), 1);
  EXPECT_TRUE(CommonTensorType(Tensor({2}), Tensor({3}))->Equals(ragged));
  EXPECT_TRUE(CommonTensorType(ragged, Tensor({3}))->Equals(ragged));
}

TEST(TensorUnionTest, MakesListsOfVectorsBesideLists) {
  const Type lists = arrow::list(arrow::float32());
  EXPECT_TRUE(CommonTensorType(Tensor({2}), lists)->Equals(lists));
  EXPECT_TRUE(CommonTensorType(lists, variable_shape_tensor(arrow::float32(), 1))->Equals(lists));
}

TEST(TensorUnionTest, HoldsTheNumbersOfBoth) {
  const Type wide = variable_shape_tensor(arrow::float64(), 1);
  EXPECT_TRUE(
      CommonTensorType(Tensor({2}, arrow::int64()), Tensor({2}, arrow::float64()))->Equals(wide));
}

TEST(TensorUnionTest, RefusesOtherNumbersOfDimensionsAndOtherValues) {
  EXPECT_EQ(CommonTensorType(Tensor({1, 2}), Tensor({2})), nullptr);
  EXPECT_EQ(CommonTensorType(Tensor({1, 2}), Tensor({2, 1}, arrow::boolean())), nullptr);
  EXPECT_EQ(CommonTensorType(Tensor({1, 2}), arrow::list(arrow::float32())), nullptr);
  EXPECT_EQ(CommonTensorType(Tensor({1, 2}), arrow::float32()), nullptr);
  EXPECT_EQ(CommonTensorType(arrow::list(arrow::int8()), arrow::list(arrow::int16())), nullptr);
}

TEST(TensorUnionTest, BringsTensorsAndTheirNullsAndSlices) {
  const auto batch = Tensors(Tensor({1, 2}), "[[9, 9], [1, 2], null, [3, 4]]")->Slice(1);
  const Type ragged = variable_shape_tensor(arrow::float32(), 2);
  const auto brought =
      BringToSchema(batch, arrow::schema({arrow::field("t", ragged)})).ValueOrDie();
  ASSERT_TRUE(brought->ValidateFull().ok());
  const auto& storage = static_cast<const arrow::ExtensionArray&>(*brought->column(0)).storage();
  EXPECT_EQ(storage->null_count(), 1);
  const auto& parts = static_cast<const arrow::StructArray&>(*storage);
  const auto& data = static_cast<const arrow::ListArray&>(*parts.field(0));
  EXPECT_TRUE(data.value_slice(2)->Equals(
      arrow::json::ArrayFromJSONString(arrow::float32(), "[3, 4]").ValueOrDie()));
  const auto& shapes = static_cast<const arrow::FixedSizeListArray&>(*parts.field(1));
  EXPECT_TRUE(shapes.value_slice(2)->Equals(
      arrow::json::ArrayFromJSONString(arrow::int32(), "[1, 2]").ValueOrDie()));
}

TEST(TensorUnionTest, BringsVectorsToLists) {
  const auto batch = Tensors(Tensor({2}), "[[1, 2], null]");
  const Type lists = arrow::list(arrow::float32());
  const auto brought = BringToSchema(batch, arrow::schema({arrow::field("t", lists)})).ValueOrDie();
  ASSERT_TRUE(brought->ValidateFull().ok());
  EXPECT_TRUE(brought->column(0)->Equals(
      arrow::json::ArrayFromJSONString(lists, "[[1, 2], null]").ValueOrDie()));
}

TEST(TensorUnionTest, BringsVectorsThatVaryToWiderNumbersAndToLists) {
  const Type narrow = variable_shape_tensor(arrow::int64(), 1);
  const auto batch = Tensors(narrow, "[[[9], [1]], [[1, 2], [2]], null, [[], [0]]]")->Slice(1);
  const Type wide = variable_shape_tensor(arrow::float64(), 1);
  const auto brought = BringToSchema(batch, arrow::schema({arrow::field("t", wide)})).ValueOrDie();
  ASSERT_TRUE(brought->ValidateFull().ok());
  EXPECT_TRUE(
      brought->column(0)->Equals(Tensors(wide, "[[[1, 2], [2]], null, [[], [0]]]")->column(0)));
  const Type lists = arrow::list(arrow::int64());
  const auto listed = BringToSchema(batch, arrow::schema({arrow::field("t", lists)})).ValueOrDie();
  ASSERT_TRUE(listed->ValidateFull().ok());
  EXPECT_TRUE(listed->column(0)->Equals(
      arrow::json::ArrayFromJSONString(lists, "[[1, 2], null, []]").ValueOrDie()));
}

}  // namespace
}  // namespace penstock
