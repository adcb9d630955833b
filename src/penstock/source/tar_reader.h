#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/base/status.h"
#include "penstock/source/byte_stream.h"

namespace penstock {

/// A file in an archive.
struct TarMember {
  std::string name;
  uint64_t bytes = 0;
  uint64_t position = 0;  // Of its header.
};

/// Reads a tar archive front to back: ustar, those of pax (names and sizes) and of GNU tar (long
/// names, sizes to the base 256). One thread.
///
/// Each header's checksum must match, and the archive must end as tar ends it, with zeros: one
/// without them is cut off, and data behind them is another archive. What a checksum does not cover
/// is believed: the files' data, and long names.
class TarReader {
 public:
  explicit TarReader(ByteStream bytes) : bytes_(std::move(bytes)) {}

  /// Returns the next file; folders, links and devices are passed over. nullopt at the end.
  /// kCorruptData naming archive and byte, as all errors are; files with holes (sparse) and those
  /// that span archives are refused so.
  Result<std::optional<TarMember>> Next();

  /// Appends the data of the file that Next returned; at most once.
  Status ReadData(std::string* out);

  /// Returns kCorruptData: what is wrong at a byte of the archive.
  Status Corrupt(uint64_t position, const std::string& reason) const;

 private:
  /// What headers before a file's own say of it.
  struct Extension {
    std::optional<std::string> name;
    std::optional<uint64_t> bytes;
  };

  Result<bool> ReadHeader();
  Status ReadEnd();
  Result<TarMember> MemberOf(const Extension& extension) const;
  Status Extend(char kind, uint64_t bytes, Extension& extension);
  Status ExtendByPax(std::string_view records, Extension& extension) const;
  Status CheckFits(uint64_t bytes) const;
  Status Leave();

  ByteStream bytes_;
  std::string header_;
  uint64_t header_begin_ = 0;
  uint64_t data_left_ = 0;     // Of the file that Next returned.
  uint64_t padding_left_ = 0;  // After it, to a whole block.
};

}  // namespace penstock
