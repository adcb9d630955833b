// Decodes images to tensors of one size and prints each file's mean brightness. Argument: a folder.

#include <arrow/api.h>
#include <arrow/extension/fixed_shape_tensor.h>
#include <penstock/penstock.h>

#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>

namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

constexpr int64_t kHeight = 32;
constexpr int64_t kWidth = 32;
constexpr int64_t kValues = kHeight * kWidth;

/// Replaces the column "image" (uint8, 32 x 32 x 1) by its mean.
arrow::Result<Batch> Mean(const Batch& batch) {
  const auto images =
      std::dynamic_pointer_cast<arrow::ExtensionArray>(batch->GetColumnByName("image"));
  if (images == nullptr) return arrow::Status::Invalid("image must be a column of tensors");
  const auto& storage = static_cast<const arrow::FixedSizeListArray&>(*images->storage());
  const auto& pixels = static_cast<const arrow::UInt8Array&>(*storage.values());
  arrow::DoubleBuilder means;
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    const uint8_t* const first = pixels.raw_values() + storage.value_offset(row);
    ARROW_RETURN_NOT_OK(means.Append(std::accumulate(first, first + kValues, 0.0) / kValues));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column, means.Finish());
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("path", arrow::utf8()), arrow::field("mean", arrow::float64())}),
      batch->num_rows(), {batch->GetColumnByName("path"), column});
}

/// Writes backslashes and control characters as \xNN, so that a path stays in its place of a line.
std::string Escaped(std::string_view path) {
  std::ostringstream text;
  text << std::hex << std::setfill('0');
  for (const char character : path) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7F || byte == '\\') {
      text << "\\x" << std::setw(2) << int{byte};
    } else {
      text << character;
    }
  }
  return text.str();
}

arrow::Status Print(const Batch& batch) {
  const auto& paths = static_cast<const arrow::StringArray&>(*batch->column(0));
  const auto& means = static_cast<const arrow::DoubleArray&>(*batch->column(1));
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    std::cout << Escaped(paths.GetView(row)) << '\t' << means.Value(row) << '\n';
  }
  return arrow::Status::OK();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: brightness FOLDER\n";
    return EXIT_FAILURE;
  }
  const penstock::ReadOptions options{
      .options_json = R"({"size": [32, 32], "mode": "L", "include_paths": true})"};
  const arrow::Status status = penstock::ReadFiles("images", {arguments[1]}, options)
                                   .MapBatches(Mean, {.name = "Mean"})
                                   .ForEach(Print);
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
