#include "penstock/block/widen.h"

#include <arrow/compute/cast.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "penstock/block/join.h"

namespace penstock {
namespace {

using Type = std::shared_ptr<arrow::DataType>;

Piece PieceOf(const Type& type, const std::string& json) {
  const auto column = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  const auto schema = arrow::schema({arrow::field("a", type)});
  auto batch = arrow::RecordBatch::Make(schema, column->length(), {column});
  return {.block = {.batch = std::move(batch)}, .offset = 0, .rows = column->length()};
}

/// Returns the type that two pieces of these values have when offsets reach `offset_max`.
Type JoinedType(const Type& type, const std::string& json, int64_t offset_max) {
  const std::vector<Piece> pieces = {PieceOf(type, json), PieceOf(type, json)};
  const auto widened = WidenPieces(pieces, offset_max).ValueOrDie();
  if (widened.empty()) return type;
  const auto joined = ConcatenatePieces(widened).ValueOrDie();
  EXPECT_TRUE(joined.batch->ValidateFull().ok());
  const auto& given = pieces.front().block.batch->column(0);
  const auto back = arrow::compute::Cast(*joined.batch->column(0), type).ValueOrDie();
  EXPECT_TRUE(back->Slice(0, given->length())->Equals(*given));
  EXPECT_TRUE(back->Slice(given->length())->Equals(*given));
  return joined.batch->column(0)->type();
}

TEST(WidenPiecesTest, LeavesWhatOffsetsReach) {
  EXPECT_TRUE(JoinedType(arrow::utf8(), R"(["abc", "de"])", 10)->Equals(arrow::utf8()));
  EXPECT_TRUE(JoinedType(arrow::int64(), "[1, 2]", 1)->Equals(arrow::int64()));
}

TEST(WidenPiecesTest, MakesLargeTypesOfWhatTheyDoNotReach) {
  EXPECT_TRUE(JoinedType(arrow::utf8(), R"(["abc", "de"])", 9)->Equals(arrow::large_utf8()));
  EXPECT_TRUE(JoinedType(arrow::binary(), R"(["abc", null])", 5)->Equals(arrow::large_binary()));
  EXPECT_TRUE(JoinedType(arrow::list(arrow::int8()), "[[1, 2], [3]]", 5)
                  ->Equals(arrow::large_list(arrow::int8())));
}

TEST(WidenPiecesTest, WidensInsideOfListsAndStructs) {
  EXPECT_TRUE(JoinedType(arrow::list(arrow::utf8()), R"([["abcdef"], []])", 11)
                  ->Equals(arrow::list(arrow::large_utf8())));
  EXPECT_TRUE(JoinedType(arrow::struct_({arrow::field("s", arrow::utf8())}),
                         R"([{"s": "abcdef"}, null])", 11)
                  ->Equals(arrow::struct_({arrow::field("s", arrow::large_utf8())})));
  EXPECT_TRUE(JoinedType(arrow::fixed_size_list(arrow::utf8(), 2), R"([["abc", "def"]])", 11)
                  ->Equals(arrow::fixed_size_list(arrow::large_utf8(), 2)));
}

TEST(WidenPiecesTest, CountsThePiecesRowsAlone) {
  Piece piece = PieceOf(arrow::utf8(), R"(["abcdefgh", "ab", "abcdefgh"])");
  piece.offset = 1;
  piece.rows = 1;
  const std::vector<Piece> pieces = {piece, piece};
  EXPECT_TRUE(WidenPieces(pieces, 4).ValueOrDie().empty());
  const auto widened = WidenPieces(pieces, 3).ValueOrDie();
  ASSERT_EQ(widened.size(), 2U);
  EXPECT_EQ(widened[1].block.batch->column(0)->ToString(), "[\n  \"ab\"\n]");
}

TEST(WidenPiecesTest, CountsEveryPieceThatRefersToOneBuffer) {
  const Piece mebibyte = PieceOf(arrow::utf8(), "[\"" + std::string(size_t{1} << 20, 'x') + "\"]");
  const std::vector<Piece> pieces(2048, mebibyte);
  const auto widened = WidenPieces(pieces).ValueOrDie();
  ASSERT_EQ(widened.size(), pieces.size());
  EXPECT_TRUE(widened.back().block.batch->column(0)->type()->Equals(arrow::large_utf8()));
  EXPECT_TRUE(WidenPieces(std::span(pieces).first(2047)).ValueOrDie().empty());
}

}  // namespace
}  // namespace penstock
