#include "penstock/block/tensor.h"

#include <arrow/api.h>
#include <arrow/extension/fixed_shape_tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using testing::ElementsAre;

TEST(TensorTest, FindsItsPartsAgain) {
  const auto type = TensorType(arrow::float32(), {2, 3}).ValueOrDie();
  const TensorParts parts = TensorPartsOf(*type);
  EXPECT_TRUE(parts.values->Equals(arrow::float32()));
  EXPECT_THAT(parts.shape, ElementsAre(2, 3));
}

TEST(TensorTest, KnowsThatOtherTypesAreNoRowMajorTensors) {
  EXPECT_EQ(TensorPartsOf(*arrow::int64()).values, nullptr);
  EXPECT_EQ(TensorPartsOf(*arrow::fixed_size_list(arrow::int64(), 6)).values, nullptr);
  const auto turned = arrow::extension::fixed_shape_tensor(arrow::int64(), {2, 3}, {1, 0});
  EXPECT_EQ(TensorPartsOf(*turned).values, nullptr);
  const auto straight = arrow::extension::fixed_shape_tensor(arrow::int64(), {2, 3}, {0, 1});
  EXPECT_NE(TensorPartsOf(*straight).values, nullptr);
}

TEST(TensorTest, RefusesShapesThatNoRowCanHold) {
  EXPECT_TRUE(TensorType(arrow::int8(), {2, -1}).status().IsInvalid());
  EXPECT_TRUE(TensorType(arrow::int8(), {65'536, 65'536}).status().IsInvalid());
  EXPECT_TRUE(TensorType(arrow::int8(), {int64_t{1} << 62, 4}).status().IsInvalid());
}

TEST(ColumnKindTest, FindsEveryKindsTypeAndTheKindAgain) {
  for (uint32_t number = 1; number <= 21; ++number) {
    const auto kind = static_cast<ColumnKind>(number);
    ASSERT_NE(TypeOf(kind), nullptr) << number;
    EXPECT_EQ(KindOf(*TypeOf(kind)), kind) << number;
  }
}

TEST(ColumnKindTest, HasNoTypeForOtherAndUnknownKinds) {
  EXPECT_EQ(TypeOf(ColumnKind::kOther), nullptr);
  EXPECT_EQ(TypeOf(static_cast<ColumnKind>(22)), nullptr);
  EXPECT_EQ(TypeOf(static_cast<ColumnKind>(0xffff'ffff)), nullptr);
}

TEST(ColumnKindTest, CallsTypesOtherThatTheEntriesAloneCannotTell) {
  EXPECT_EQ(KindOf(*arrow::timestamp(arrow::TimeUnit::MILLI, "UTC")), ColumnKind::kOther);
  EXPECT_EQ(KindOf(*arrow::list(arrow::int8())), ColumnKind::kOther);
  EXPECT_EQ(KindOf(*arrow::date32()), ColumnKind::kOther);
}

}  // namespace
}  // namespace penstock
