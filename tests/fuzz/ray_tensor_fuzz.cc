#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/util/key_value_metadata.h>

#include <string>

#include "fuzzing.h"
#include "penstock/block/ray_tensor.h"

/// What a file's metadata says of a column of tensors: the extension's name, a newline, the shape
/// as it was serialised, a newline, the column's values as JSON.
namespace penstock {
namespace {

std::shared_ptr<arrow::DataType> StorageOf(std::string_view name) {
  if (name != "ray.data.arrow_variable_shaped_tensor") return arrow::list(arrow::int64());
  return arrow::struct_({arrow::field("data", arrow::list(arrow::int64())),
                         arrow::field("shape", arrow::list(arrow::int64()))});
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  InputBytes input(data, size);
  const std::string name(input.Until('\n'));
  const std::string shape(input.Until('\n'));
  auto values = arrow::json::ArrayFromJSONString(StorageOf(name), std::string(input.Rest()));
  if (!values.ok()) return 0;
  const auto metadata = arrow::key_value_metadata(
      {"ARROW:extension:name", "ARROW:extension:metadata"}, {name, shape});
  const auto schema = arrow::schema({arrow::field("x", (*values)->type(), true, metadata)});
  const auto stored = arrow::RecordBatch::Make(schema, (*values)->length(), {*values});
  const auto batch = WithCanonicalTensors(stored);
  if (!batch.ok()) return 0;
  Require((*batch)->num_rows() == stored->num_rows(), "no row is lost");
  Require((*batch)->ValidateFull().ok(), "tensors are valid");
  Require((*batch)->schema()->Equals(*WithCanonicalTensors(schema)), "the schema was foretold");
  return 0;
}
