#include <arrow/array/array_nested.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/ubsan.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "penstock/source/numpy_header.h"
#include "penstock/source/numpy_text.h"
#include "penstock/source/registry.h"
#include "penstock/source/whole_files.h"

/// The reader numpy has only the options of all readers of whole files. The rows of a file are the
/// array's first dimension, in a column "data"; all files have the type and the other dimensions
/// of the first. Times in hours, days and weeks become seconds.
namespace penstock {
namespace {

constexpr const char* kColumn = "data";
constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

/// Copies values, the first index running slowest in `to` and fastest in `from`.
void CopyFromFortranOrder(const NumpyHeader& header, const uint8_t* from, uint8_t* to) {
  const auto width = static_cast<size_t>(header.value_bytes);
  const size_t dimensions = header.shape.size();
  std::vector<int64_t> strides(dimensions, 1);
  for (size_t i = 1; i < dimensions; ++i) strides[i] = strides[i - 1] * header.shape[i - 1];
  std::vector<int64_t> index(dimensions, 0);
  int64_t offset = 0;
  for (int64_t value = 0; value < header.value_count; ++value, to += width) {
    std::memcpy(to, from + offset * header.value_bytes, width);
    for (size_t i = dimensions; i-- > 0;) {
      offset += strides[i];
      if (++index[i] < header.shape[i]) break;
      offset -= strides[i] * header.shape[i];
      index[i] = 0;
    }
  }
}

void SwapBytes(uint8_t* values, int64_t count, int64_t width) {
  for (int64_t i = 0; i < count; ++i, values += width) std::reverse(values, values + width);
}

/// Brings times to the unit that their column has.
Status MultiplyTimes(uint8_t* values, const NumpyHeader& header) {
  if (header.unit_factor == 1) return Status::OK();
  for (int64_t i = 0; i < header.value_count; ++i, values += sizeof(int64_t)) {
    auto time = arrow::util::SafeLoadAs<int64_t>(values);
    if (time == kNoTime) continue;
    if (__builtin_mul_overflow(time, header.unit_factor, &time)) {
      return Status::Invalid("a time is too far away to be counted in seconds");
    }
    arrow::util::SafeStore(values, time);
  }
  return Status::OK();
}

/// Collects values in row order; one file alone is not copied.
class NumpyRows final : public FileRows {
 public:
  explicit NumpyRows(std::shared_ptr<arrow::Schema> schema)
      : schema_(std::move(schema)), type_(schema_->field(0)->type()) {}

  Status Add(const std::string& path, const std::shared_ptr<arrow::Buffer>& bytes) override {
    PENSTOCK_TRY(const NumpyHeader header, ReadNumpyHeaderOf(path, bytes, *type_));
    values_ = header.type;
    value_bytes_ = header.value_bytes;
    PENSTOCK_TRY(auto piece, InRowOrder(header, bytes));
    pieces_.push_back(std::move(piece));
    rows_ += header.shape[0];
    value_count_ += header.value_count;
    return Status::OK();
  }

  int64_t rows() const override { return rows_; }
  int64_t bytes() const override { return value_count_ * value_bytes_; }

  Result<std::shared_ptr<arrow::RecordBatch>> Take() override {
    PENSTOCK_TRY(auto buffer, TakeValues());
    PENSTOCK_TRY(auto validity, ValidityOf(*buffer));
    auto values = arrow::MakeArray(arrow::ArrayData::Make(
        values_, std::exchange(value_count_, 0), {std::move(validity), std::move(buffer)}));
    const int64_t rows = std::exchange(rows_, 0);
    if (type_->id() == arrow::Type::EXTENSION) {
      const auto& storage = static_cast<const arrow::ExtensionType&>(*type_).storage_type();
      auto lists = std::make_shared<arrow::FixedSizeListArray>(storage, rows, std::move(values));
      values = arrow::ExtensionType::WrapArray(type_, std::move(lists));
    }
    return arrow::RecordBatch::Make(schema_, rows, {std::move(values)});
  }

 private:
  static Result<std::shared_ptr<arrow::Buffer>> InRowOrder(
      const NumpyHeader& header, const std::shared_ptr<arrow::Buffer>& file) {
    auto values = arrow::SliceBuffer(file, header.data_begin);
    const bool transposed = header.fortran_order && header.shape.size() > 1;
    if (!transposed && !header.swapped && header.unit_factor == 1) return values;
    PENSTOCK_TRY(std::shared_ptr<arrow::Buffer> ordered, arrow::AllocateBuffer(values->size()));
    if (transposed) {
      CopyFromFortranOrder(header, values->data(), ordered->mutable_data());
    } else {
      std::copy_n(values->data(), values->size(), ordered->mutable_data());
    }
    if (header.swapped) SwapBytes(ordered->mutable_data(), header.value_count, header.value_bytes);
    PENSTOCK_RETURN_NOT_OK(MultiplyTimes(ordered->mutable_data(), header));
    return ordered;
  }

  /// Alone, times that are not there (NaT) are nulls; a tensor has none.
  Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Buffer& values) const {
    const bool times =
        values_->id() == arrow::Type::TIMESTAMP || values_->id() == arrow::Type::DURATION;
    if (!times || type_->id() == arrow::Type::EXTENSION) return nullptr;
    PENSTOCK_TRY(std::shared_ptr<arrow::Buffer> bits, arrow::AllocateEmptyBitmap(value_count_));
    for (int64_t i = 0; i < value_count_; ++i) {
      const auto time = arrow::util::SafeLoadAs<int64_t>(values.data() + i * value_bytes_);
      if (time != kNoTime) arrow::bit_util::SetBit(bits->mutable_data(), i);
    }
    return bits;
  }

  Result<std::shared_ptr<arrow::Buffer>> TakeValues() {
    const auto pieces = std::exchange(pieces_, {});
    if (values_->id() == arrow::Type::BOOL) return PackedBits(pieces);
    const bool aligned = pieces.size() == 1 && pieces[0]->address() % value_bytes_ == 0;
    if (aligned) return pieces[0];
    return arrow::ConcatenateBuffers(pieces);
  }

  Result<std::shared_ptr<arrow::Buffer>> PackedBits(const arrow::BufferVector& pieces) const {
    PENSTOCK_TRY(std::shared_ptr<arrow::Buffer> bits,
                 arrow::AllocateBuffer(arrow::bit_util::BytesForBits(value_count_)));
    std::fill_n(bits->mutable_data(), bits->size(), uint8_t{0});
    int64_t next = 0;
    for (const auto& piece : pieces) {
      for (int64_t i = 0; i < piece->size(); ++i, ++next) {
        if (piece->data()[i] != 0) arrow::bit_util::SetBit(bits->mutable_data(), next);
      }
    }
    return bits;
  }

  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<arrow::DataType> type_;
  std::shared_ptr<arrow::DataType> values_;
  arrow::BufferVector pieces_;
  int64_t value_bytes_ = 0;
  int64_t value_count_ = 0;
  int64_t rows_ = 0;
};

class NumpyFormat final : public FileFormat {
 public:
  std::vector<std::string> extensions() const override { return {"npy"}; }
  bool one_row_per_file() const override { return false; }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema(const NextFile& next) const override {
    PENSTOCK_TRY(const auto file, next());
    PENSTOCK_TRY(const auto bytes, ReadWhole(*file, file_bytes_max()));
    const auto header = ReadNumpyHeader(std::string_view(*bytes));
    if (!header.ok()) return ReadFailure(header.status(), file->path);
    const auto type = NumpyRowType(*header);
    if (!type.ok()) return ReadFailure(type.status(), file->path);
    return arrow::schema({arrow::field(kColumn, *type)});
  }

  std::unique_ptr<FileRows> MakeRows(const std::shared_ptr<arrow::Schema>& schema) const override {
    if (IsNumpyText(*schema->field(0)->type())) return MakeNumpyTextRows(schema);
    return std::make_unique<NumpyRows>(schema);
  }
};

}  // namespace

Result<std::unique_ptr<Source>> MakeNumpySource(const ReadOp& read, const ReadLimits& limits,
                                                int /*parallelism*/) {
  OptionReader options("reader numpy", read.options);
  PENSTOCK_TRY(WholeFileOptions files, ReadWholeFileOptions(options, read));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakeWholeFileSource(std::make_unique<NumpyFormat>(), std::move(files), read, limits);
}

}  // namespace penstock
