#include "penstock/sink/tar_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace penstock {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr size_t kRecordBytes = 20 * kBlockBytes;
constexpr size_t kNameBytesMax = 100;
constexpr size_t kDataBytesMax = (size_t{1} << 33) - 1;  // Eleven octal digits.
constexpr size_t kSumOffset = 148;

void Pad(std::string* out, size_t begin) {
  const size_t over = (out->size() - begin) % kBlockBytes;
  if (over != 0) out->append(kBlockBytes - over, '\0');
}

void AppendHeader(std::string_view name, size_t bytes, char kind, std::string* out) {
  std::array<char, kBlockBytes> header{};
  const auto put = [&header](size_t offset, std::string_view text) {
    std::ranges::copy(text, header.begin() + static_cast<ptrdiff_t>(offset));
  };
  put(0, name.substr(0, kNameBytesMax));
  put(100, "0000644");  // Mode, owner, group, size, time.
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", bytes));
  put(136, "00000000000");
  put(kSumOffset, "        ");
  header[156] = kind;
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  uint32_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  put(kSumOffset, fmt::format("{:06o}", sum));
  header[kSumOffset + 6] = '\0';
  out->append(header.data(), header.size());
}

/// Returns a pax record, `<length> path=<name>\n`: the length counts its own digits.
std::string PathRecord(std::string_view name) {
  const size_t rest = std::string_view(" path=\n").size() + name.size();
  size_t length = rest + 1;
  while (fmt::format("{}", length).size() + rest != length) ++length;
  return fmt::format("{} path={}\n", length, name);
}

}  // namespace

Status AppendTarMember(std::string_view name, std::string_view data, std::string* out) {
  if (name.empty() || name.find('\0') != std::string_view::npos) {
    return Status::Invalid("a file in an archive needs a name without null characters; got: '",
                           name, "'");
  }
  if (data.size() > kDataBytesMax) {
    return Status::Invalid("a file in an archive has at most ", kDataBytesMax,
                           " bytes; got: ", data.size());
  }
  if (name.size() > kNameBytesMax) {
    const std::string record = PathRecord(name);
    AppendHeader("././@PaxHeader", record.size(), 'x', out);
    const size_t begin = out->size();
    *out += record;
    Pad(out, begin);
  }
  AppendHeader(name, data.size(), '0', out);
  const size_t begin = out->size();
  *out += data;
  Pad(out, begin);
  return Status::OK();
}

std::string TarEnd(int64_t archive_bytes) {
  const size_t bytes = static_cast<size_t>(archive_bytes) + 2 * kBlockBytes;
  const size_t whole = (bytes + kRecordBytes - 1) / kRecordBytes * kRecordBytes;
  return std::string(whole - static_cast<size_t>(archive_bytes), '\0');
}

}  // namespace penstock
