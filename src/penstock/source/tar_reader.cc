#include "penstock/source/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "penstock/base/error.h"

namespace penstock {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr uint64_t kExtensionBytesMax = uint64_t{1} << 20;

// The fields of a header.
constexpr size_t kNameAt = 0, kNameBytes = 100;
constexpr size_t kSizeAt = 124, kSizeBytes = 12;
constexpr size_t kSumAt = 148, kSumBytes = 8;
constexpr size_t kKindAt = 156;
constexpr size_t kMagicAt = 257;
constexpr size_t kPrefixAt = 345, kPrefixBytes = 155;
constexpr std::string_view kPosixMagic("ustar\0", 6);

bool IsZeros(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

/// Returns a field's text up to the first null.
std::string_view TextIn(std::string_view field) { return field.substr(0, field.find('\0')); }

/// Returns an octal number with blanks around it, nothing being 0; nullopt for anything else.
std::optional<uint64_t> OctalIn(std::string_view field) {
  constexpr std::string_view kEnds(" \0", 2);
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  const size_t digits = std::min(field.find_first_of(kEnds), field.size());
  if (field.substr(digits).find_first_not_of(kEnds) != std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  for (const char digit : field.substr(0, digits)) {
    if (digit < '0' || digit > '7') return std::nullopt;
    number = number << 3 | static_cast<uint64_t>(digit - '0');  // 36 bits at most: 12 digits.
  }
  return number;
}

/// Returns a size, octal or (GNU) to the base 256; nullopt where it is neither or beyond 63 bits.
std::optional<uint64_t> SizeIn(std::string_view field) {
  const auto first = static_cast<unsigned char>(field.front());
  if ((first & 0x80) == 0) return OctalIn(field);
  uint64_t number = first & 0x7F;
  for (const char byte : field.substr(1)) {
    if (number >> 55 != 0) return std::nullopt;
    number = number << 8 | static_cast<unsigned char>(byte);
  }
  return number;
}

/// Says whether a header's checksum matches: the sum of its bytes, its own place as blanks.
bool SumMatches(std::string_view header) {
  const auto told = OctalIn(header.substr(kSumAt, kSumBytes));
  uint64_t sum = kSumBytes * ' ';
  int64_t signed_sum = kSumBytes * ' ';  // As some old systems had it.
  for (size_t i = 0; i < header.size(); ++i) {
    if (i >= kSumAt && i < kSumAt + kSumBytes) continue;
    sum += static_cast<unsigned char>(header[i]);
    signed_sum += static_cast<signed char>(header[i]);
  }
  return told == sum || (signed_sum > 0 && told == static_cast<uint64_t>(signed_sum));
}

/// Kinds whose headers no data follows, whatever size they tell.
bool HasNoData(char kind) { return kind >= '1' && kind <= '6'; }

bool IsFile(char kind) { return kind == '0' || kind == '\0' || kind == '7'; }

}  // namespace

Status TarReader::Corrupt(uint64_t position, const std::string& reason) const {
  return MakeError(ErrorKind::kCorruptData, fmt::format("{}: {}", bytes_.TextOf(position), reason));
}

Result<std::optional<TarMember>> TarReader::Next() {
  PENSTOCK_RETURN_NOT_OK(Leave());
  Extension extension;
  while (true) {
    PENSTOCK_TRY(const bool came, ReadHeader());
    if (!came) {
      if (extension.name || extension.bytes) {
        return Corrupt(header_begin_, "the archive ends after what tells of a file's name");
      }
      PENSTOCK_RETURN_NOT_OK(ReadEnd());
      return std::nullopt;
    }
    const char kind = header_[kKindAt];
    const bool extends = kind == 'x' || kind == 'g' || kind == 'L' || kind == 'K';
    PENSTOCK_TRY(TarMember member, MemberOf(extends ? Extension{} : extension));
    if (extends) {
      PENSTOCK_RETURN_NOT_OK(Extend(kind, member.bytes, extension));
      continue;
    }
    if (kind == 'S') return Corrupt(header_begin_, "files with holes (sparse) are not read");
    if (kind == 'M') {
      return Corrupt(header_begin_,
                     "the file begins in another archive; write each file into one archive");
    }
    data_left_ = HasNoData(kind) ? 0 : member.bytes;
    padding_left_ = (kBlockBytes - data_left_ % kBlockBytes) % kBlockBytes;
    PENSTOCK_RETURN_NOT_OK(CheckFits(data_left_));
    if (IsFile(kind) && !member.name.ends_with('/')) return member;
    PENSTOCK_RETURN_NOT_OK(Leave());
    extension = {};
  }
}

Status TarReader::ReadData(std::string* out) {
  PENSTOCK_TRY(const uint64_t came, bytes_.Read(data_left_, out));
  if (came < data_left_) return Corrupt(header_begin_, "the archive ends within a file's data");
  data_left_ = 0;
  return Status::OK();
}

/// Returns false at the mark of the archive's end.
Result<bool> TarReader::ReadHeader() {
  header_begin_ = bytes_.position();
  header_.clear();
  PENSTOCK_TRY(const uint64_t came, bytes_.Read(kBlockBytes, &header_));
  if (came < kBlockBytes) {
    return Corrupt(header_begin_,
                   came == 0 ? "the archive ends without the mark of its end: it is cut off"
                             : "the archive ends within a header: it is cut off, or no archive");
  }
  if (IsZeros(header_)) return false;
  if (!SumMatches(header_)) {
    return Corrupt(header_begin_,
                   "a header does not match its checksum: the archive is damaged, or it is no tar "
                   "archive, or it is compressed although its name does not end so");
  }
  return true;
}

Status TarReader::ReadEnd() {
  std::string rest;
  while (true) {
    const uint64_t begin = bytes_.position();
    rest.clear();
    PENSTOCK_TRY(const uint64_t came, bytes_.Read(uint64_t{64} << 10, &rest));
    if (came == 0) return Status::OK();
    if (!IsZeros(rest)) {
      return Corrupt(begin + rest.find_first_not_of('\0'),
                     "more follows after the mark of the archive's end; archives that were put "
                     "together byte by byte must be read as files of their own");
    }
  }
}

Result<TarMember> TarReader::MemberOf(const Extension& extension) const {
  const std::string_view header = header_;
  const auto bytes = SizeIn(header.substr(kSizeAt, kSizeBytes));
  if (!bytes) return Corrupt(header_begin_, "a header's size is no number");
  TarMember member{.bytes = extension.bytes.value_or(*bytes), .position = header_begin_};
  if (extension.name) {
    member.name = *extension.name;
    return member;
  }
  member.name = TextIn(header.substr(kNameAt, kNameBytes));
  if (header.substr(kMagicAt, kPosixMagic.size()) == kPosixMagic) {
    const std::string_view prefix = TextIn(header.substr(kPrefixAt, kPrefixBytes));
    if (!prefix.empty()) member.name = fmt::format("{}/{}", prefix, member.name);
  }
  return member;
}

Status TarReader::Extend(char kind, uint64_t bytes, Extension& extension) {
  if (bytes > kExtensionBytesMax) {
    return Corrupt(header_begin_, fmt::format("what tells of a file's name has at most {} bytes; "
                                              "got: {}",
                                              kExtensionBytesMax, bytes));
  }
  std::string text;
  data_left_ = bytes;
  padding_left_ = (kBlockBytes - bytes % kBlockBytes) % kBlockBytes;
  PENSTOCK_RETURN_NOT_OK(ReadData(&text));
  PENSTOCK_RETURN_NOT_OK(Leave());
  if (kind == 'L') extension.name = TextIn(text);
  if (kind == 'x') return ExtendByPax(text, extension);
  if (kind != 'g') return Status::OK();
  Extension of_all;
  PENSTOCK_RETURN_NOT_OK(ExtendByPax(text, of_all));
  if (!of_all.name && !of_all.bytes) return Status::OK();
  return Corrupt(header_begin_, "one name or size is told for all files of the archive");
}

/// Reads records `<length> <key>=<value>\n`, whose length counts all of it.
Status TarReader::ExtendByPax(std::string_view records, Extension& extension) const {
  const auto damaged = [this] {
    return Corrupt(header_begin_, "an extended header (pax) is damaged");
  };
  while (!records.empty()) {
    size_t length = 0;
    const char* end = records.data() + records.size();
    const auto [after, error] = std::from_chars(records.data(), end, length);
    if (error != std::errc() || after == end || *after != ' ') return damaged();
    const auto head = static_cast<size_t>(after - records.data()) + 1;
    if (length <= head || length > records.size() || records[length - 1] != '\n') return damaged();
    const std::string_view record = records.substr(head, length - 1 - head);
    records.remove_prefix(length);
    const size_t sign = record.find('=');
    if (sign == std::string_view::npos) return damaged();
    const std::string_view key = record.substr(0, sign);
    const std::string_view value = record.substr(sign + 1);
    if (key == "path") extension.name = value;
    if (key == "size") {
      uint64_t bytes = 0;
      const auto [stop, wrong] = std::from_chars(value.data(), value.data() + value.size(), bytes);
      if (wrong != std::errc() || stop != value.data() + value.size()) return damaged();
      extension.bytes = bytes;
    }
    if (key.starts_with("GNU.sparse.")) {
      return Corrupt(header_begin_, "files with holes (sparse) are not read");
    }
  }
  return Status::OK();
}

Status TarReader::CheckFits(uint64_t bytes) const {
  if (bytes <= bytes_.bytes_left_max()) return Status::OK();
  return Corrupt(header_begin_,
                 fmt::format("the archive ends within a file's data, or a compressed archive holds "
                             "one that is suspiciously large; got: {} bytes",
                             bytes));
}

/// Passes over what is left of a file.
Status TarReader::Leave() {
  const uint64_t left = data_left_ + padding_left_;
  data_left_ = padding_left_ = 0;
  PENSTOCK_TRY(const uint64_t came, bytes_.Skip(left));
  if (came < left) return Corrupt(header_begin_, "the archive ends within a file's data");
  return Status::OK();
}

}  // namespace penstock
