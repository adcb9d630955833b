#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>
#include <arrow/util/bitmap_builders.h>

#include "penstock/base/mix.h"
#include "penstock/op/columns.h"
#include "penstock/op/operators.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

constexpr double kUnit = 1.0 / (uint64_t{1} << 53);
constexpr uint64_t kInexact = 0x5E6D;  // Rows after a function that may change their number.
constexpr uint64_t kNull = 0x4E554C4C;

uint64_t KeyOf(uint64_t seed, int64_t split) {
  return Mix(Mix(seed) ^ static_cast<uint64_t>(split));
}

/// Collects which rows of a block stay.
class RowChoice {
 public:
  RowChoice(const SampleOp& op, int64_t rows) : op_(op) {
    keeps_.reserve(static_cast<size_t>(rows));
  }

  void Add(uint64_t hash) {
    const double place = static_cast<double>(hash >> 11) * kUnit;
    keeps_.push_back(place >= op_.begin && place < op_.end ? 1 : 0);
  }

  Result<arrow::Datum> Mask() const {
    PENSTOCK_TRY(auto bits, arrow::internal::BytesToBits(keeps_));
    return arrow::Datum(std::make_shared<arrow::BooleanArray>(static_cast<int64_t>(keeps_.size()),
                                                              std::move(bits)));
  }

 private:
  const SampleOp& op_;
  std::vector<uint8_t> keeps_;
};

void ChooseByPosition(const Lineage& lineage, uint64_t seed, int64_t rows, RowChoice& choice) {
  if (lineage.exact() && lineage.rows() == rows) {
    for (const RowRange& range : lineage.ranges()) {
      const uint64_t key = KeyOf(seed, range.split);
      for (int64_t i = 0; i < range.rows; ++i) {
        choice.Add(Mix(key + static_cast<uint64_t>(range.first_row + i)));
      }
    }
    return;
  }
  const RowRange first = lineage.ranges().empty() ? RowRange{} : lineage.ranges().front();
  const uint64_t key =
      Mix(KeyOf(seed ^ kInexact, first.split) + static_cast<uint64_t>(first.first_row));
  for (int64_t i = 0; i < rows; ++i) choice.Add(Mix(key + static_cast<uint64_t>(i)));
}

Status ChooseByInteger(const arrow::Array& column, uint64_t seed, RowChoice& choice) {
  PENSTOCK_TRY(const auto cast,
               compute::Cast(column, arrow::int64(), compute::CastOptions::Unsafe()));
  const auto& numbers = dynamic_cast<const arrow::Int64Array&>(*cast);
  for (int64_t i = 0; i < numbers.length(); ++i) {
    const uint64_t value = numbers.IsNull(i) ? kNull : static_cast<uint64_t>(numbers.Value(i));
    choice.Add(Mix(KeyOf(seed, numbers.IsNull(i) ? 1 : 0) + value));
  }
  return Status::OK();
}

Status ChooseByText(const arrow::Array& column, uint64_t seed, RowChoice& choice) {
  PENSTOCK_TRY(const auto cast, compute::Cast(column, arrow::large_binary()));
  const auto& texts = dynamic_cast<const arrow::LargeBinaryArray&>(*cast);
  for (int64_t i = 0; i < texts.length(); ++i) {
    const uint64_t value = texts.IsNull(i) ? kNull : HashText(texts.GetView(i));
    choice.Add(Mix(KeyOf(seed, texts.IsNull(i) ? 1 : 0) + value));
  }
  return Status::OK();
}

class SampleTransform final : public Transform {
 public:
  explicit SampleTransform(SampleOp op) : op_(std::move(op)) {}

  Result<Block> Apply(Block block) const override {
    RowChoice choice(op_, block.rows());
    const auto seed = static_cast<uint64_t>(op_.seed);
    if (op_.column) {
      PENSTOCK_RETURN_NOT_OK(ChooseByColumn(*block.batch, seed, choice));
    } else {
      ChooseByPosition(block.lineage, seed, block.rows(), choice);
    }
    PENSTOCK_TRY(const arrow::Datum mask, choice.Mask());
    return KeepWhere(std::move(block), mask);
  }

  Result<std::shared_ptr<arrow::Schema>> OutputSchema(
      const std::shared_ptr<arrow::Schema>& input) const override {
    if (op_.column) {
      PENSTOCK_TRY(const int index, FindColumn(*input, *op_.column, "Sample"));
      PENSTOCK_RETURN_NOT_OK(CheckType(*input->field(index)->type()));
    }
    return input;
  }

 private:
  Status CheckType(const arrow::DataType& type) const {
    const auto* dictionary = dynamic_cast<const arrow::DictionaryType*>(&type);
    const arrow::DataType& values = dictionary == nullptr ? type : *dictionary->value_type();
    if (arrow::is_integer(values.id()) || arrow::is_base_binary_like(values.id())) {
      return Status::OK();
    }
    return Status::TypeError("Sample: rows are chosen by a column of integers, text or binary; '",
                             *op_.column, "' is ", type.ToString());
  }

  Status ChooseByColumn(const arrow::RecordBatch& batch, uint64_t seed, RowChoice& choice) const {
    PENSTOCK_TRY(const int index, FindColumn(*batch.schema(), *op_.column, "Sample"));
    std::shared_ptr<arrow::Array> column = batch.column(index);
    PENSTOCK_RETURN_NOT_OK(CheckType(*column->type()));
    if (const auto* type = dynamic_cast<const arrow::DictionaryType*>(column->type().get())) {
      PENSTOCK_TRY(column, compute::Cast(*column, type->value_type()));
    }
    return arrow::is_integer(column->type_id()) ? ChooseByInteger(*column, seed, choice)
                                                : ChooseByText(*column, seed, choice);
  }

  const SampleOp op_;
};

}  // namespace

std::unique_ptr<Transform> MakeSample(SampleOp op) {
  return std::make_unique<SampleTransform>(std::move(op));
}

}  // namespace penstock
