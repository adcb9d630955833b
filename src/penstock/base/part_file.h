#pragma once

#include <cstdint>
#include <string>

namespace penstock {

/// A file of a job's output: as the sink has written it, and as the ledger has it on record.
struct PartFile {
  std::string name;            // In the output folder, once it has this name,
  std::string temporary_name;  // and until then.
  int64_t rows = 0;
  int64_t bytes = 0;
  uint32_t crc32c = 0;  // Of its bytes, on this machine's file systems.

  bool operator==(const PartFile&) const = default;
};

}  // namespace penstock
