#include "penstock/base/crc32c.h"
#include "penstock/source/tfrecord_example.h"
#include "reading.h"

/// TFRecord files. The first byte chooses whether the rest is such a file, or the data of one
/// record, and how the file is cut.
namespace penstock {
namespace {

void Append(std::string& out, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i));
}

/// Returns a file of the record, three times.
std::string FileOf(std::string_view record) {
  std::string file;
  for (int i = 0; i < 3; ++i) {
    std::string length;
    Append(length, record.size(), 8);
    file += length;
    Append(file, MaskedCrc32c(length), 4);
    file += record;
    Append(file, MaskedCrc32c(record), 4);
  }
  return file;
}

void CheckExample(std::string_view record) {
  std::vector<Feature> features;
  if (!ParseExample(record, &features).ok()) return;
  for (const Feature& feature : features) {
    FeatureValues values;
    const auto shape = ParseFeature(feature.message, &values);
    if (!shape.ok()) continue;
    const size_t count = values.texts.size() + values.floats.size() + values.integers.size();
    Require(static_cast<size_t>(shape->count) == count, "a feature's values are counted");
  }
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  static ScratchFile file("a.tfrecords");
  InputBytes input(data, size);
  const uint8_t choice = input.Byte();
  const bool is_record = (choice & 1) != 0;
  if (is_record) CheckExample(input.Rest());
  const std::string path = file.Hold(is_record ? FileOf(input.Rest()) : std::string(input.Rest()));
  const auto none = nlohmann::json::object();
  const auto whole = ReadTable("tfrecord", path, none, {});
  RequireSameRows(whole, ReadTable("tfrecord", path, none, {.split_bytes = 1 + choice / 2}));
  if (is_record && whole.ok()) Require((*whole)->num_rows() == 3, "each record is a row");
  return 0;
}
