#include "penstock/sink/file_format.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace penstock {
namespace {

struct StreamCodec {
  std::string_view name;
  arrow::Compression::type type;
  std::string_view suffix;
};

constexpr std::array kCodecs{
    StreamCodec{"none", arrow::Compression::UNCOMPRESSED, ""},
    StreamCodec{"gzip", arrow::Compression::GZIP, ".gz"},
    StreamCodec{"zstd", arrow::Compression::ZSTD, ".zst"},
    StreamCodec{"bz2", arrow::Compression::BZ2, ".bz2"},
    StreamCodec{"lz4", arrow::Compression::LZ4_FRAME, ".lz4"},
};

}  // namespace

Result<arrow::Compression::type> ReadStreamCompression(OptionReader& options) {
  PENSTOCK_TRY(const std::string name, options.Text("compression", "none"));
  const auto* codec = std::ranges::find(kCodecs.begin(), kCodecs.end(), name, &StreamCodec::name);
  if (codec == kCodecs.end()) {
    return options.Wrong("compression", "none, gzip, zstd, bz2 or lz4");
  }
  return codec->type;
}

std::string CompressionSuffix(arrow::Compression::type compression) {
  const auto* codec =
      std::ranges::find(kCodecs.begin(), kCodecs.end(), compression, &StreamCodec::type);
  return codec == kCodecs.end() ? "" : std::string(codec->suffix);
}

}  // namespace penstock
