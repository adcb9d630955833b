#include <arrow/array/concatenate.h>
#include <arrow/extension/fixed_shape_tensor.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/batches.h"
#include "penstock/block/layout.h"

namespace penstock {
namespace {

constexpr int64_t kMebibyte = 1 << 20;
constexpr int64_t kInPlace = 0;
constexpr int64_t kOnTheHeap = kMebibyte;

struct Case {
  std::string name;
  std::shared_ptr<arrow::Array> array;  // 9 rows, some of them null where the type can.
};

std::shared_ptr<arrow::Array> Wrapped(const std::shared_ptr<arrow::DataType>& type,
                                      const std::string& json) {
  const auto& storage = static_cast<const arrow::ExtensionType&>(*type).storage_type();
  return arrow::ExtensionType::WrapArray(type, Json(storage, json));
}

std::vector<Case> PlainCases() {
  const std::string numbers = "[1, null, 3, 4, 5, null, 7, 8, 9]";
  std::vector<Case> cases;
  for (uint32_t kind = 2; kind <= 12; ++kind) {
    const auto type = TypeOf(static_cast<ColumnKind>(kind));
    cases.push_back({type->ToString(), Json(type, numbers)});
    cases.push_back({type->ToString() + " without nulls", Json(type, "[1,2,3,4,5,6,7,8,9]")});
  }
  for (uint32_t kind = 18; kind <= 21; ++kind) {
    const auto type = TypeOf(static_cast<ColumnKind>(kind));
    cases.push_back({type->ToString(), Json(type, numbers)});
  }
  const std::string texts = R"(["a", "", null, "four", "fünf", "6", "seven seven seven", "8", ""])";
  for (uint32_t kind = 13; kind <= 16; ++kind) {
    const auto type = TypeOf(static_cast<ColumnKind>(kind));
    cases.push_back({type->ToString(), Json(type, texts)});
  }
  cases.push_back(
      {"bool", Json(arrow::boolean(), "[true,false,null,true,true,false,true,null,false]")});
  cases.push_back({"null", Json(arrow::null(), "[null,null,null,null,null,null,null,null,null]")});
  cases.push_back({"tensor", Tensors(9, {2, 3})});
  cases.push_back({"tensor without values", Tensors(9, {2, 0})});
  cases.push_back(
      {"tensor with nulls", Wrapped(TensorType(arrow::float32(), {2}).ValueOrDie(),
                                    "[[1,2],null,[3,null],[4,5],[6,7],[8,9],null,[1,1],[2,2]]")});
  cases.push_back(
      {"tensor of bool", Wrapped(TensorType(arrow::boolean(), {1, 2}).ValueOrDie(),
                                 "[[true,false],[true,true],[false,false],[true,false],[true,true],"
                                 "[false,false],[true,false],[true,true],[false,false]]")});
  return cases;
}

std::vector<Case> OtherCases() {
  const std::string numbers = "[1, null, 3, 4, 5, null, 7, 8, 9]";
  const std::string texts =
      R"(["a", "", null, "four", "more than twelve", "6", "seven seven seven", "8", ""])";
  const std::string lists = "[[1,2],null,[],[3,null],[4],[5,6,7],null,[8],[9,9]]";
  const std::string unions =
      R"([[0,1],[1,"b"],[0,null],[1,"d"],[0,5],[1,null],[0,7],[1,"h"],[0,9]])";
  const auto number_or_text = {arrow::field("n", arrow::int32()), arrow::field("t", arrow::utf8())};
  const auto words = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto person =
      arrow::struct_({arrow::field("name", arrow::utf8()), arrow::field("word", words),
                      arrow::field("tags", arrow::list(arrow::int16()))});
  const std::string people =
      R"([{"name":"a","word":"x","tags":[1]},null,{"name":null,"word":"y","tags":null},
          {"name":"d","word":null,"tags":[]},{"name":"e","word":"x","tags":[1,2,3]},null,
          {"name":"g","word":"z","tags":[4]},{"name":"h","word":"x","tags":[5]},
          {"name":"i","word":"y","tags":[null]}])";
  const auto runs = arrow::RunEndEncodedArray::Make(9, Json(arrow::int32(), "[2,5,9]"),
                                                    Json(arrow::utf8(), R"(["p",null,"q"])"))
                        .ValueOrDie();
  return {
      {"zoned", Json(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), numbers)},
      {"date32", Json(arrow::date32(), numbers)},
      {"date64", Json(arrow::date64(), "[0,86400000,null,0,0,0,0,0,86400000]")},
      {"time32", Json(arrow::time32(arrow::TimeUnit::SECOND), numbers)},
      {"duration", Json(arrow::duration(arrow::TimeUnit::NANO), numbers)},
      {"interval", Json(arrow::month_day_nano_interval(),
                        "[[1,2,3],null,[1,1,1],[0,0,0],[1,1,1],null,[2,2,2],[3,3,3],[4,4,4]]")},
      {"decimal",
       Json(arrow::decimal128(5, 1), R"(["1.0",null,"3.0","4.0","5.0","6.5","7.0","8.0","9.9"])")},
      {"fixed binary",
       Json(arrow::fixed_size_binary(2), R"(["ab",null,"cd","ef","gh","ij","kl","mn","op"])")},
      {"string view", Json(arrow::utf8_view(), texts)},
      {"binary view", Json(arrow::binary_view(), texts)},
      {"list", Json(arrow::list(arrow::int64()), lists)},
      {"large list", Json(arrow::large_list(arrow::int8()), lists)},
      {"list view", Json(arrow::list_view(arrow::int64()), lists)},
      {"large list view", Json(arrow::large_list_view(arrow::int64()), lists)},
      {"list of views",
       Json(arrow::list(arrow::utf8_view()),
            R"([["a"],[],null,["more than twelve","b"],[],["c"],[null],[],["d"]])")},
      {"fixed list", Json(arrow::fixed_size_list(arrow::utf8(), 1),
                          R"([["a"],null,["c"],[null],["e"],["f"],["g"],["h"],["i"]])")},
      {"map", Json(arrow::map(arrow::utf8(), arrow::int32()),
                   R"([[["a",1]],null,[],[["b",null],["c",3]],[],[],[["d",4]],[],[["e",5]]])")},
      {"struct", Json(person, people)},
      {"list of structs", Json(arrow::list(person),
                               R"([[{"name":"a","word":"x","tags":[1]}],null,[],[null],
                                   [{"name":"b","word":"y","tags":[2]}],[],[],[],[]])")},
      {"sparse union", Json(arrow::sparse_union(number_or_text), unions)},
      {"dense union", Json(arrow::dense_union(number_or_text), unions)},
      {"dictionary", Json(words, R"(["a","b",null,"a","c","b","a",null,"c"])")},
      {"run ends", runs},
      {"uuid", Wrapped(arrow::extension::uuid(),
                       R"(["0123456789abcdef",null,"0123456789abcdef","0123456789abcdef",
                           "0123456789abcdef","0123456789abcdef",null,null,"fedcba9876543210"])")},
      {"permuted tensor", arrow::ExtensionType::WrapArray(
                              arrow::extension::fixed_shape_tensor(arrow::int8(), {1, 2}, {1, 0}),
                              Json(arrow::fixed_size_list(arrow::int8(), 2),
                                   "[[1,2],[3,4],[5,6],[7,8],[9,1],[2,3],[4,5],[6,7],[8,9]]"))},
  };
}

std::vector<Case> AllCases() {
  std::vector<Case> cases = PlainCases();
  for (auto& other : OtherCases()) cases.push_back(std::move(other));
  return cases;
}

std::shared_ptr<arrow::RecordBatch> RoundTrip(const std::vector<Piece>& pieces, SegmentPool& pool,
                                              int64_t copy_bytes_max) {
  const auto packed = PackPieces(pieces, pool);
  EXPECT_TRUE(packed.ok()) << packed.status();
  const auto block = UnpackBatch(packed->segment(), copy_bytes_max);
  EXPECT_TRUE(block.ok()) << block.status();
  EXPECT_EQ(block->rows(), packed->rows());
  EXPECT_EQ(block->packed != nullptr, copy_bytes_max == kInPlace);
  return block->batch;
}

class RoundTripTest : public testing::TestWithParam<size_t> {
 protected:
  const Case case_ = AllCases()[GetParam()];
  const std::shared_ptr<SegmentPool> pool_ = SegmentPool::Make(kMebibyte);
};

TEST_P(RoundTripTest, BringsBackWholeBatches) {
  SCOPED_TRACE(case_.name);
  ASSERT_EQ(case_.array->length(), 9);
  const auto batch = Batch({{"first", Int64s(9)}, {"x", case_.array}, {"last", Int64s(9)}});
  for (const int64_t copy_bytes_max : {kInPlace, kOnTheHeap}) {
    const auto back = RoundTrip({Whole(batch)}, *pool_, copy_bytes_max);
    EXPECT_TRUE(back->Equals(*batch)) << back->ToString();
  }
}

TEST_P(RoundTripTest, JoinsSlicesAtOddPlaces) {
  SCOPED_TRACE(case_.name);
  const auto batch = Batch({{"x", case_.array}});
  const auto inner = batch->Slice(2, 6);
  const std::vector<Piece> pieces = {Part(batch, 1, 4), Part(batch, 3, 0), Part(inner, 1, 5),
                                     Part(batch, 8, 1)};
  const auto& array = case_.array;
  const auto wanted =
      arrow::Concatenate({array->Slice(1, 4), array->Slice(3, 5), array->Slice(8, 1)}).ValueOrDie();
  for (const int64_t copy_bytes_max : {kInPlace, kOnTheHeap}) {
    const auto back = RoundTrip(pieces, *pool_, copy_bytes_max);
    EXPECT_TRUE(back->column(0)->Equals(wanted)) << back->ToString();
  }
  const Block joined = ConcatenatePieces(pieces).ValueOrDie();
  EXPECT_TRUE(joined.batch->column(0)->Equals(wanted));
}

TEST_P(RoundTripTest, BringsBackSingleSlicesAndEmptyOnes) {
  SCOPED_TRACE(case_.name);
  const auto batch = Batch({{"x", case_.array}});
  for (const int64_t rows : {0, 1, 3}) {
    const auto back = RoundTrip({Part(batch, 5, rows)}, *pool_, kInPlace);
    EXPECT_TRUE(back->column(0)->Equals(case_.array->Slice(5, rows))) << back->ToString();
  }
}

TEST_P(RoundTripTest, PacksAgainWhatWasUnpacked) {
  SCOPED_TRACE(case_.name);
  const auto batch = Batch({{"x", case_.array}});
  const auto once = RoundTrip({Whole(batch)}, *pool_, kInPlace);
  const auto twice = RoundTrip({Part(once, 2, 7)}, *pool_, kInPlace);
  EXPECT_TRUE(twice->Equals(*batch->Slice(2, 7))) << twice->ToString();
}

TEST_P(RoundTripTest, CountsTheBytesOfSlicesAsTheirPart) {
  SCOPED_TRACE(case_.name);
  const auto batch = Batch({{"x", case_.array}});
  EXPECT_LE(BlockBytes(*batch->Slice(3, 2)), BlockBytes(*batch));
  EXPECT_GE(BlockBytes(*batch->Slice(0, 0)), 0);
}

INSTANTIATE_TEST_SUITE_P(AllTypes, RoundTripTest, testing::Range<size_t>(0, AllCases().size()));

TEST(PlainColumnTest, NeedsNoIpcSchema) {
  const auto pool = SegmentPool::Make(kMebibyte);
  for (const Case& plain : PlainCases()) {
    SCOPED_TRACE(plain.name);
    const auto packed = PackPieces(std::vector{Whole(Batch({{"x", plain.array}}))}, *pool);
    const auto* header = reinterpret_cast<const BatchHeader*>(packed->segment()->data());
    EXPECT_EQ(header->schema_offset, 0);
  }
}

TEST(OtherColumnTest, CarriesTheIpcSchema) {
  const auto pool = SegmentPool::Make(kMebibyte);
  for (const Case& other : OtherCases()) {
    SCOPED_TRACE(other.name);
    const auto packed = PackPieces(std::vector{Whole(Batch({{"x", other.array}}))}, *pool);
    const auto* header = reinterpret_cast<const BatchHeader*>(packed->segment()->data());
    EXPECT_GT(header->schema_offset, 0);
  }
}

}  // namespace
}  // namespace penstock
