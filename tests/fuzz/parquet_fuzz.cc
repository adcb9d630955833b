#include "reading.h"

/// Parquet files, whose footers and columns Arrow reads: what we make of them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  static ScratchFile file("a.parquet");
  const std::string path = file.Hold({reinterpret_cast<const char*>(data), size});
  const auto whole = ReadTable("parquet", path, nlohmann::json::object(), {});
  RequireSameRows(whole, ReadTable("parquet", path, nlohmann::json::object(), {.block_bytes = 64}));
  return 0;
}
