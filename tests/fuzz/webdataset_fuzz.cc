#include "reading.h"

/// Tar archives as samples. The first byte chooses whether headers' checksums are put right, since
/// no change to a header gets past them else, and whether an archive is one row.
namespace penstock {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr size_t kMagicAt = 257;
constexpr size_t kChecksumAt = 148;
constexpr size_t kChecksumBytes = 8;

void PutRightChecksums(std::string& archive) {
  for (size_t at = 0; at + kBlockBytes <= archive.size(); at += kBlockBytes) {
    if (archive.compare(at + kMagicAt, 5, "ustar") != 0) continue;
    const auto checksum = archive.begin() + static_cast<std::ptrdiff_t>(at + kChecksumAt);
    std::fill_n(checksum, kChecksumBytes, ' ');
    unsigned sum = 0;
    for (size_t i = 0; i < kBlockBytes; ++i) sum += static_cast<unsigned char>(archive[at + i]);
    char text[kChecksumBytes + 1];
    std::snprintf(text, sizeof(text), "%06o", sum);
    std::copy_n(text, kChecksumBytes - 1, checksum);
  }
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  static ScratchFile file("a.tar");
  InputBytes input(data, size);
  const uint8_t choice = input.Byte();
  std::string archive(input.Rest());
  if ((choice & 1) == 0) PutRightChecksums(archive);
  const std::string path = file.Hold(archive);
  const nlohmann::json options = {{"archives", (choice & 2) != 0}};
  const auto whole = ReadTable("webdataset", path, options, {});
  RequireSameRows(whole, ReadTable("webdataset", path, options, {.block_bytes = 64}));
  return 0;
}
