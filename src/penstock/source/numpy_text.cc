#include "penstock/source/numpy_text.h"

#include <arrow/array/builder_binary.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/block/tensor.h"

namespace penstock {
namespace {

constexpr int64_t kCodePointBytes = 4;
constexpr uint32_t kCodePointMax = 0x10FFFF;

void AppendByte(uint32_t byte, std::string* out) { *out += static_cast<char>(byte); }

/// False for what is no character, such as half of a surrogate pair.
bool AppendCodePoint(uint32_t point, std::string* out) {
  if (point > kCodePointMax || (point >= 0xD800 && point < 0xE000)) return false;
  if (point < 0x80) {
    AppendByte(point, out);
    return true;
  }
  if (point < 0x800) {
    AppendByte(0xC0 | point >> 6, out);
  } else if (point < 0x10000) {
    AppendByte(0xE0 | point >> 12, out);
    AppendByte(0x80 | (point >> 6 & 0x3F), out);
  } else {
    AppendByte(0xF0 | point >> 18, out);
    AppendByte(0x80 | (point >> 12 & 0x3F), out);
    AppendByte(0x80 | (point >> 6 & 0x3F), out);
  }
  AppendByte(0x80 | (point & 0x3F), out);
  return true;
}

uint32_t CodePointAt(const uint8_t* bytes, bool big_endian) {
  uint32_t point = 0;
  for (int i = 0; i < kCodePointBytes; ++i) {
    point |= uint32_t{bytes[big_endian ? kCodePointBytes - 1 - i : i]} << (8 * i);
  }
  return point;
}

Status AppendWideText(const uint8_t* value, const NumpyHeader& header, std::string* out) {
  int64_t length = header.value_bytes / kCodePointBytes;
  while (length > 0 && CodePointAt(value + (length - 1) * kCodePointBytes, false) == 0) --length;
  for (int64_t i = 0; i < length; ++i) {
    const uint32_t point = CodePointAt(value + i * kCodePointBytes, header.swapped);
    if (AppendCodePoint(point, out)) continue;
    return Status::Invalid(fmt::format("a text holds what is no character; got: {:#x}", point));
  }
  return Status::OK();
}

template <typename Builder>
class TextRows final : public FileRows {
 public:
  explicit TextRows(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  Status Add(const std::string& path, const std::shared_ptr<arrow::Buffer>& bytes) override {
    PENSTOCK_TRY(const NumpyHeader header,
                 ReadNumpyHeaderOf(path, bytes, *schema_->field(0)->type()));
    const uint8_t* value = bytes->data() + header.data_begin;
    std::string text;
    for (int64_t i = 0; i < header.value_count; ++i, value += header.value_bytes) {
      text.clear();
      if (header.type->id() == arrow::Type::STRING) {
        PENSTOCK_RETURN_NOT_OK(AppendWideText(value, header, &text));
      } else {
        text.assign(reinterpret_cast<const char*>(value), static_cast<size_t>(header.value_bytes));
        text.erase(text.find_last_not_of('\0') + 1);
      }
      PENSTOCK_RETURN_NOT_OK(builder_.Append(text));
    }
    return Status::OK();
  }

  int64_t rows() const override { return builder_.length(); }
  int64_t bytes() const override { return builder_.value_data_length(); }

  Result<std::shared_ptr<arrow::RecordBatch>> Take() override {
    PENSTOCK_TRY(auto texts, builder_.Finish());
    return arrow::RecordBatch::Make(schema_, texts->length(), {texts});
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  Builder builder_;
};

}  // namespace

bool IsNumpyText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY;
}

std::unique_ptr<FileRows> MakeNumpyTextRows(const std::shared_ptr<arrow::Schema>& schema) {
  if (schema->field(0)->type()->id() == arrow::Type::STRING) {
    return std::make_unique<TextRows<arrow::StringBuilder>>(schema);
  }
  return std::make_unique<TextRows<arrow::BinaryBuilder>>(schema);
}

Result<NumpyHeader> ReadNumpyHeaderOf(const std::string& path,
                                      const std::shared_ptr<arrow::Buffer>& bytes,
                                      const arrow::DataType& wanted) {
  PENSTOCK_TRY(NumpyHeader header, ReadNumpyHeader(std::string_view(*bytes)));
  PENSTOCK_TRY(const auto type, NumpyRowType(header));
  if (type->Equals(wanted)) return header;
  return MakeError(ErrorKind::kSchemaMismatch,
                   fmt::format("{}: the rows are not of the first file's type; wanted: {}; "
                               "got: {}",
                               path, wanted.ToString(), type->ToString()));
}

Result<std::shared_ptr<arrow::DataType>> NumpyRowType(const NumpyHeader& header) {
  if (header.shape.size() == 1) return header.type;
  if (IsNumpyText(*header.type)) {
    return Status::NotImplemented(
        "texts are read from arrays of one dimension; save each column as an array; dimensions: ",
        header.shape.size());
  }
  return TensorType(header.type, {header.shape.begin() + 1, header.shape.end()});
}

}  // namespace penstock
