#include "penstock/block/packed.h"

#include <arrow/array/concatenate.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/batches.h"
#include "penstock/base/error.h"
#include "penstock/block/layout.h"

namespace penstock {
namespace {

using testing::HasSubstr;

constexpr int64_t kMebibyte = 1 << 20;

/// A mebibyte of text in the first row, then the others.
std::shared_ptr<arrow::Array> LargeText(const std::vector<std::string>& others) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.Append(std::string(kMebibyte, 'x')).ok());
  EXPECT_TRUE(builder.AppendValues(others).ok());
  return builder.Finish().ValueOrDie();
}

class PackedTest : public testing::Test {
 protected:
  PackedBatch Pack(const std::vector<Piece>& pieces) {
    return PackPieces(pieces, *pool_).ValueOrDie();
  }

  const std::shared_ptr<SegmentPool> pool_ = SegmentPool::Make(64 * kMebibyte);
};

TEST_F(PackedTest, KeepsTheRowsOfBatchesWithoutColumns) {
  const auto batch = Batch({}, 7);
  const PackedBatch packed = Pack({Whole(batch), Whole(batch)});
  EXPECT_EQ(packed.rows(), 14);
  const Block back = UnpackBatch(packed.segment(), 0).ValueOrDie();
  EXPECT_EQ(back.rows(), 14);
  EXPECT_EQ(back.batch->num_columns(), 0);
}

TEST_F(PackedTest, KeepsNamesThatAreEmptyEqualOrNotLatin) {
  const auto batch =
      Batch({{"", Int64s(2)}, {"x", Int64s(2)}, {"x", Int64s(2)}, {"名前", Int64s(2)}});
  const Block back = UnpackBatch(Pack({Whole(batch)}).segment(), 0).ValueOrDie();
  EXPECT_TRUE(back.batch->Equals(*batch));
}

TEST_F(PackedTest, ReturnsAWholePackedBlockAsItIs) {
  const PackedBatch packed = Pack({Whole(Batch({{"x", Int64s(100)}}))});
  const Block block = UnpackBatch(packed.segment(), 0).ValueOrDie();
  EXPECT_EQ(Pack({{block, 0, 100}}).segment(), packed.segment());
  EXPECT_NE(Pack({{block, 0, 99}}).segment(), packed.segment());
  EXPECT_NE(Pack({{block, 0, 100}, {block, 0, 100}}).segment(), packed.segment());
}

TEST_F(PackedTest, PutsTheValuesOfUnpackedBlocksInPlaceAndAligned) {
  const PackedBatch packed = Pack({Whole(Batch({{"x", Int64s(9)}, {"t", Tensors(9, {3})}}))});
  const Block block = UnpackBatch(packed.segment(), 0).ValueOrDie();
  const uint8_t* first = packed.segment()->data();
  for (const auto& data :
       {block.batch->column_data(0), block.batch->column_data(1)->child_data[0]}) {
    const uint8_t* values = data->buffers[1]->data();
    EXPECT_GT(values, first);
    EXPECT_LT(values, first + packed.bytes());
    EXPECT_EQ((values - first) % kBufferAlignment, 0);
  }
}

TEST_F(PackedTest, KeepsTheSegmentWhileColumnsOfItLive) {
  auto packed = std::make_unique<PackedBatch>(Pack({Whole(Batch({{"x", Int64s(9)}}))}));
  Block block = UnpackBatch(packed->segment(), 0).ValueOrDie();
  packed.reset();
  const auto column = block.batch->column(0);
  block = Block{};
  EXPECT_EQ(pool_->idle_bytes(), 0);
  EXPECT_TRUE(column->Equals(Int64s(9)));
}

TEST_F(PackedTest, FreesTheSegmentOfSmallBatchesAtOnce) {
  Block block;
  {
    const PackedBatch packed = Pack({Whole(Batch({{"x", Int64s(9)}}))});
    block = UnpackBatch(packed.segment(), packed.bytes()).ValueOrDie();
  }
  EXPECT_EQ(block.packed, nullptr);
  EXPECT_GT(pool_->idle_bytes(), 0);
  EXPECT_TRUE(block.batch->column(0)->Equals(Int64s(9)));
}

TEST_F(PackedTest, LeavesOutTheValidityOfColumnsThatTurnOutToHaveNoNulls) {
  const auto column = Json(arrow::int32(), "[null, 1, 2, 3]")->Slice(1, 3);
  const Block back = UnpackBatch(Pack({Whole(Batch({{"x", column}}))}).segment(), 0).ValueOrDie();
  EXPECT_EQ(back.batch->column_data(0)->buffers[0], nullptr);
}

TEST_F(PackedTest, JoinsDictionariesThatDiffer) {
  const auto words = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto first = Json(words, R"(["a", "b", "a"])");
  const auto second = Json(words, R"(["c", "b", null])");
  const auto packed = Pack({Whole(Batch({{"x", first}})), Whole(Batch({{"x", second}}))});
  const Block back = UnpackBatch(packed.segment(), 0).ValueOrDie();
  const auto wanted = arrow::Concatenate({first, second}).ValueOrDie();
  EXPECT_TRUE(back.batch->column(0)->Equals(wanted));
}

TEST_F(PackedTest, CountsADictionaryThatAllPiecesShareOnce) {
  const auto words = arrow::dictionary(arrow::int32(), arrow::utf8());
  const auto values = LargeText({});
  const auto column =
      arrow::DictionaryArray::FromArrays(words, Json(arrow::int32(), "[0, 0]"), values)
          .ValueOrDie();
  const std::vector<Piece> pieces(20, Whole(Batch({{"x", column}})));
  EXPECT_LT(Pack(pieces).segment()->capacity(), 2 * kMebibyte);
}

TEST_F(PackedTest, PacksTheUsedPartOfALargeSharedText) {
  const auto texts = LargeText({"y"});
  EXPECT_LT(Pack({Part(Batch({{"x", texts}}), 1, 1)}).segment()->capacity(), 4097);
}

TEST_F(PackedTest, FindsRoomWhenNullsTurnUpInOnePieceOnly) {
  const auto type = arrow::fixed_size_list(arrow::boolean(), 4096);
  const auto values = arrow::MakeArrayFromScalar(arrow::BooleanScalar(true), 64 * 4096);
  const auto full = std::make_shared<arrow::FixedSizeListArray>(type, 64, values.ValueOrDie());
  const auto nulls = arrow::MakeArrayOfNull(arrow::boolean(), 4096).ValueOrDie();
  const auto holed = std::make_shared<arrow::FixedSizeListArray>(type, 1, nulls);
  const auto packed = Pack({Whole(Batch({{"x", full}})), Whole(Batch({{"x", holed}}))});
  const Block back = UnpackBatch(packed.segment(), 0).ValueOrDie();
  EXPECT_TRUE(back.batch->column(0)->Slice(0, 64)->Equals(full));
  EXPECT_TRUE(back.batch->column(0)->Slice(64, 1)->Equals(holed));
}

TEST_F(PackedTest, NamesTheColumnAndBothTypesThatDiffer) {
  const auto first = Batch({{"a", Int64s(1)}, {"b", Int64s(1)}});
  const auto other = Batch({{"a", Int64s(1)}, {"b", Json(arrow::utf8(), R"(["x"])")}});
  for (const Status& status :
       {PackPieces(std::vector{Whole(first), Whole(other)}, *pool_).status(),
        ConcatenatePieces(std::vector{Whole(first), Whole(other)}).status()}) {
    ASSERT_NE(DetailOf(status), nullptr);
    EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kSchemaMismatch);
    EXPECT_THAT(status.message(),
                HasSubstr("Column 'b' is int64 in one place and string in another"));
  }
}

TEST_F(PackedTest, AColumnOfNullsTakesTheTypeThatItHasInOtherPieces) {
  const auto nulls = Batch({{"a", Json(arrow::null(), "[null]")}});
  const auto texts = Batch({{"a", Json(arrow::utf8(), R"(["x", null])")}});
  const auto wanted = Json(arrow::utf8(), R"([null, "x", null, null])");
  const std::vector<Piece> pieces{Whole(nulls), Whole(texts), Whole(nulls)};
  const Block packed = UnpackBatch(Pack(pieces).segment(), 0).ValueOrDie();
  EXPECT_TRUE(packed.batch->column(0)->Equals(*wanted)) << packed.batch->ToString();
  const Block joined = ConcatenatePieces(pieces).ValueOrDie();
  EXPECT_TRUE(joined.batch->column(0)->Equals(*wanted)) << joined.batch->ToString();
}

TEST_F(PackedTest, MatchesColumnsByNameAndPromotesTheirTypes) {
  const auto first = Batch({{"a", Int64s(1)}, {"b", Json(arrow::int32(), "[7]")}});
  const auto other = Batch(
      {{"c", Json(arrow::utf8(), R"(["v", "x"])")}, {"a", Json(arrow::float64(), "[1, 2.5]")}});
  const std::vector<Piece> pieces{Whole(first), Part(other, 1, 1)};
  const auto a =
      arrow::Concatenate({Json(arrow::float64(), "[0]"), Json(arrow::float64(), "[2.5]")});
  for (const Block& joined : {UnpackBatch(Pack(pieces).segment(), 0).ValueOrDie(),
                              ConcatenatePieces(pieces).ValueOrDie()}) {
    EXPECT_THAT(joined.batch->schema()->field_names(), ::testing::ElementsAre("a", "b", "c"));
    EXPECT_EQ(joined.batch->column(0)->type_id(), arrow::Type::DOUBLE);
    EXPECT_TRUE(joined.batch->column(0)->Slice(1)->Equals((*a)->Slice(1)));
    EXPECT_TRUE(joined.batch->column(1)->Equals(Json(arrow::int32(), "[7, null]")));
    EXPECT_TRUE(joined.batch->column(2)->Equals(Json(arrow::utf8(), R"([null, "x"])")));
  }
}

TEST_F(PackedTest, JoinsBlocksWhoseMetadataAloneDiffers) {
  const auto plain = Batch({{"a", Int64s(1)}});
  const auto noted = plain->ReplaceSchemaMetadata(arrow::key_value_metadata({"k"}, {"v"}));
  EXPECT_EQ(Pack({Whole(plain), Whole(noted)}).rows(), 2);
}

TEST_F(PackedTest, RefusesMoreColumnsThanTheLayoutHolds) {
  const auto column = Int64s(1);
  const std::vector<Column> columns(static_cast<size_t>(kColumnsMax) + 1, Column{"x", column});
  const std::vector<Piece> pieces = {Whole(Batch(columns))};
  EXPECT_TRUE(PackPieces(pieces, *pool_).status().IsInvalid());
}

TEST_F(PackedTest, HandsOnThatTheSystemHasNoMemory) {
  class Empty final : public SegmentPool {
   public:
    Result<std::shared_ptr<Segment>> Acquire(int64_t) override { return Status::OutOfMemory("x"); }
    Result<std::shared_ptr<Segment>> Adopt(int, int64_t) override { return Status::Invalid("x"); }
    void SetFreeListener(std::function<void(uint64_t)>) override {}
    int64_t mapped_bytes() const override { return 0; }
    int64_t idle_bytes() const override { return 0; }
  } empty;
  const std::vector<Piece> pieces = {Whole(Batch({{"x", Int64s(1)}}))};
  EXPECT_TRUE(PackPieces(pieces, empty).status().IsOutOfMemory());
}

TEST(ConcatenatePiecesTest, JoinsLineageAlike) {
  const Block block{Batch({{"x", Int64s(10)}}), Lineage({1, 50, 10}), nullptr};
  const Block joined =
      ConcatenatePieces(std::vector<Piece>{{block, 7, 3}, {block, 0, 2}}).ValueOrDie();
  EXPECT_TRUE(joined.batch->column(0)->Equals(Json(arrow::int64(), "[7, 8, 9, 0, 1]")));
  EXPECT_THAT(joined.lineage.ranges(),
              testing::ElementsAre(RowRange{1, 57, 3}, RowRange{1, 50, 2}));
}

TEST(ConcatenatePiecesTest, CopiesNothingWhereThereIsASinglePiece) {
  const Block block{Batch({{"x", Int64s(10)}}), Lineage({1, 50, 10}), nullptr};
  const Block part = ConcatenatePieces(std::vector<Piece>{{block, 2, 5}}).ValueOrDie();
  EXPECT_EQ(part.batch->column_data(0)->buffers[1], block.batch->column_data(0)->buffers[1]);
  EXPECT_EQ(part.lineage, Lineage({1, 52, 5}));
}

}  // namespace
}  // namespace penstock
