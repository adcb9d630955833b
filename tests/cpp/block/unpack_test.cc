#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <utility>

#include "block/batches.h"
#include "penstock/block/layout.h"

namespace penstock {
namespace {

using testing::HasSubstr;

constexpr int64_t kMebibyte = 1 << 20;

std::shared_ptr<arrow::RecordBatch> PlainBatch() {
  return Batch({{"number", Int64s(5)},
                {"text", Json(arrow::utf8(), R"(["a", null, "ccc", "", "e"])")},
                {"tensor", Tensors(5, {2, 2})}});
}

std::shared_ptr<arrow::RecordBatch> NestedBatch() {
  const auto words = arrow::dictionary(arrow::int8(), arrow::utf8());
  return Batch({{"words", Json(words, R"(["a", "b", null, "a", "b"])")},
                {"lists", Json(arrow::list(arrow::utf8_view()),
                               R"([["a"], [], null, ["more than twelve", "b"], ["c"]])")},
                {"either", Json(arrow::dense_union({arrow::field("n", arrow::int32()),
                                                    arrow::field("t", arrow::utf8())}),
                                R"([[0, 1], [1, "b"], [0, null], [1, "d"], [0, 5]])")}});
}

class UnpackTest : public testing::Test {
 protected:
  std::shared_ptr<Segment> Pack(const std::shared_ptr<arrow::RecordBatch>& batch) {
    const auto packed = PackPieces(std::vector{Whole(batch)}, *pool_).ValueOrDie();
    bytes_ = packed.bytes();
    return packed.segment();
  }

  static BatchHeader* HeaderOf(Segment& segment) {
    return reinterpret_cast<BatchHeader*>(segment.data());
  }
  static ColumnEntry* ColumnsOf(Segment& segment) {
    return reinterpret_cast<ColumnEntry*>(segment.data() + sizeof(BatchHeader));
  }
  static NodeEntry* NodesOf(Segment& segment) {
    return reinterpret_cast<NodeEntry*>(ColumnsOf(segment) + HeaderOf(segment)->columns);
  }
  static BufferEntry* BuffersOf(Segment& segment) {
    return reinterpret_cast<BufferEntry*>(NodesOf(segment) + HeaderOf(segment)->nodes);
  }

  /// Unpacks both ways; what comes back as valid must be safe to read to its last byte.
  static void ReadAll(const std::shared_ptr<Segment>& segment) {
    for (const int64_t copy_bytes_max : {int64_t{0}, kMebibyte}) {
      const auto block = UnpackBatch(segment, copy_bytes_max);
      if (!block.ok()) continue;
      EXPECT_TRUE(block->batch->ValidateFull().ok());
      EXPECT_FALSE(block->batch->ToString().empty());
    }
  }

  /// Tries every byte of the area before the data buffers with several wrong values.
  void Scribble(const std::shared_ptr<arrow::RecordBatch>& batch, int64_t area) {
    const auto segment = Pack(batch);
    for (int64_t i = 0; i < area; ++i) {
      const uint8_t right = segment->data()[i];
      for (const int change : {0x01, 0x80, 0xff, 0x40}) {
        segment->data()[i] = static_cast<uint8_t>(right ^ change);
        ReadAll(segment);
      }
      segment->data()[i] = right;
    }
  }

  Status Refusal(const std::function<void(Segment&)>& change) {
    const auto segment = Pack(PlainBatch());
    EXPECT_TRUE(UnpackBatch(segment, 0).ok());
    change(*segment);
    const Status status = UnpackBatch(segment, 0).status();
    EXPECT_EQ(UnpackBatch(segment, kMebibyte).status().message(), status.message());
    return status;
  }

  const std::shared_ptr<SegmentPool> pool_ = SegmentPool::Make(64 * kMebibyte);
  int64_t bytes_ = 0;
};

TEST_F(UnpackTest, SurvivesAnyWrongByteBeforeThePlainData) { Scribble(PlainBatch(), 512); }

TEST_F(UnpackTest, SurvivesAnyWrongByteInNestedBatchesSchemasAndData) {
  Pack(NestedBatch());
  Scribble(NestedBatch(), bytes_);
}

TEST_F(UnpackTest, SurvivesTheAbsenceOfAnyBufferAndTheEmptinessOfAnyNode) {
  for (const auto& batch : {PlainBatch(), NestedBatch(), NestedBatch()->Slice(0, 0)}) {
    const auto segment = Pack(batch);
    for (uint32_t i = 0; i < HeaderOf(*segment)->buffers; ++i) {
      const BufferEntry right = std::exchange(BuffersOf(*segment)[i], BufferEntry{});
      ReadAll(segment);
      BuffersOf(*segment)[i] = right;
    }
    for (uint32_t i = 0; i < HeaderOf(*segment)->nodes; ++i) {
      const NodeEntry right = std::exchange(NodesOf(*segment)[i], NodeEntry{});
      ReadAll(segment);
      NodesOf(*segment)[i] = right;
    }
  }
}

TEST_F(UnpackTest, SurvivesAnyClaimOfItsSize) {
  const auto segment = Pack(NestedBatch());
  for (int64_t bytes = -2; bytes < bytes_ + 2; ++bytes) {
    HeaderOf(*segment)->bytes = bytes;
    ReadAll(segment);
  }
}

TEST_F(UnpackTest, NeverBelievesClaimsBeyondTheSegment) {
  const Status status =
      Refusal([](Segment& segment) { HeaderOf(segment)->bytes = segment.capacity() + 1; });
  EXPECT_THAT(status.message(), HasSubstr("its size"));
}

TEST_F(UnpackTest, RefusesSegmentsThatHoldNoBatch) {
  EXPECT_THAT(Refusal([](Segment& segment) { HeaderOf(segment)->magic = 0; }).message(),
              HasSubstr("does not begin"));
}

TEST_F(UnpackTest, RefusesCountsBeyondTheLimits) {
  EXPECT_FALSE(Refusal([](Segment& s) { HeaderOf(s)->columns = 0xffff'ffff; }).ok());
  EXPECT_FALSE(Refusal([](Segment& s) { HeaderOf(s)->nodes = 0xffff'ffff; }).ok());
  EXPECT_FALSE(Refusal([](Segment& s) { HeaderOf(s)->rows = -1; }).ok());
  EXPECT_FALSE(Refusal([](Segment& s) { HeaderOf(s)->names_bytes = int64_t{1} << 62; }).ok());
}

TEST_F(UnpackTest, RefusesColumnsOfAnotherLengthThanTheBatch) {
  const Status status = Refusal([](Segment& segment) { HeaderOf(segment)->rows = 4; });
  EXPECT_THAT(status.message(), HasSubstr("Column 'number'"));
  EXPECT_FALSE(Refusal([](Segment& s) { NodesOf(s)[0].length = 1 << 20; }).ok());
}

TEST_F(UnpackTest, RefusesBuffersThatLeaveTheBatchOrAreNotAligned) {
  EXPECT_THAT(Refusal([](Segment& s) { BuffersOf(s)[1].bytes = 1 << 20; }).message(),
              HasSubstr("leaves it"));
  EXPECT_THAT(Refusal([](Segment& s) { BuffersOf(s)[1].offset = int64_t{1} << 62; }).message(),
              HasSubstr("leaves it"));
  EXPECT_THAT(Refusal([](Segment& s) { BuffersOf(s)[1].offset -= 8; }).message(),
              HasSubstr("not aligned"));
  EXPECT_FALSE(Refusal([](Segment& s) { BuffersOf(s)[1].offset = -2; }).ok());
}

TEST_F(UnpackTest, RefusesBuffersThatAreTooShortForTheirRows) {
  EXPECT_THAT(Refusal([](Segment& s) { BuffersOf(s)[1].bytes = 39; }).message(),
              HasSubstr("Column 'number'"));
}

TEST_F(UnpackTest, RefusesWrongCountsOfNulls) {
  EXPECT_FALSE(Refusal([](Segment& s) { NodesOf(s)[1].null_count = 3; }).ok());
  EXPECT_FALSE(Refusal([](Segment& s) { NodesOf(s)[0].null_count = 1; }).ok());
  EXPECT_FALSE(Refusal([](Segment& s) { NodesOf(s)[0].null_count = -2; }).ok());
}

TEST_F(UnpackTest, CountsNullsItselfWhereTheWriterDidNot) {
  const auto segment = Pack(PlainBatch());
  NodesOf(*segment)[1].null_count = -1;
  EXPECT_TRUE(UnpackBatch(segment, 0)->batch->Equals(*PlainBatch()));
}

TEST_F(UnpackTest, RefusesTextOffsetsThatLeaveTheText) {
  const Status status = Refusal([](Segment& segment) {
    auto* offsets = reinterpret_cast<int32_t*>(segment.data() + BuffersOf(segment)[3].offset);
    offsets[3] = 1'000'000;
  });
  EXPECT_THAT(status.message(), HasSubstr("Column 'text'"));
}

TEST_F(UnpackTest, RefusesTextAndNamesThatAreNotUtf8) {
  EXPECT_FALSE(Refusal([](Segment& s) { s.data()[BuffersOf(s)[4].offset] = 0xff; }).ok());
  EXPECT_FALSE(Refusal([](Segment& s) { s.data()[HeaderOf(s)->names_offset] = 0xff; }).ok());
}

TEST_F(UnpackTest, RefusesDictionaryIndicesThatNameNothing) {
  const auto segment = Pack(NestedBatch());
  segment->data()[BuffersOf(*segment)[1].offset] = 17;
  EXPECT_THAT(UnpackBatch(segment, 0).status().message(), HasSubstr("Column 'words'"));
}

TEST_F(UnpackTest, RefusesOtherColumnsWithoutASchema) {
  EXPECT_THAT(Refusal([](Segment& s) { ColumnsOf(s)[0].kind = 0; }).message(),
              HasSubstr("no schema"));
  EXPECT_THAT(Refusal([](Segment& s) { ColumnsOf(s)[0].kind = 99; }).message(), HasSubstr("99"));
}

TEST_F(UnpackTest, RefusesEntriesThatAreSharedOrLeftOver) {
  EXPECT_THAT(Refusal([](Segment& s) { ColumnsOf(s)[1].first_node = 0; }).message(),
              HasSubstr("out of order"));
  EXPECT_THAT(Refusal([](Segment& s) { ColumnsOf(s)[2].first_buffer = 0; }).message(),
              HasSubstr("out of order"));
}

TEST_F(UnpackTest, IsNotLedAstrayByWhatIsWrittenAfterTheCheck) {
  const auto segment = Pack(PlainBatch());
  const Block block = UnpackBatch(segment, 0).ValueOrDie();
  const auto* number = block.batch->column_data(0)->buffers[1]->data();
  const auto text = std::static_pointer_cast<arrow::StringArray>(block.batch->column(1));
  std::memset(segment->data(), 0x7f, static_cast<size_t>(bytes_));
  EXPECT_EQ(number[0], 0x7f);
  EXPECT_EQ(text->null_count(), 1);
  EXPECT_TRUE(text->IsNull(1));
  EXPECT_EQ(text->GetView(2).size(), 3U);
}

TEST_F(UnpackTest, RefusesSegmentsWithoutRoomForAHeader) {
  class Tiny final : public Segment {
   public:
    explicit Tiny(uint8_t* data) : Segment(1, -1, data, 8) {}
  };
  uint8_t bytes[8] = {};
  EXPECT_TRUE(UnpackBatch(std::make_shared<Tiny>(bytes), 0).status().IsInvalid());
}

}  // namespace
}  // namespace penstock
