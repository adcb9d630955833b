#include "penstock/source/input_files.h"

#include <arrow/io/compressed.h>
#include <arrow/util/compression.h>
#include <arrow/util/io_util.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string_view>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/file_lister.h"

namespace penstock {
namespace {

struct NamedCodec {
  std::string_view name;
  std::string_view suffix;
  arrow::Compression::type codec;
};
constexpr NamedCodec kCodecs[] = {
    {"gzip", ".gz", arrow::Compression::GZIP},     {"zstd", ".zst", arrow::Compression::ZSTD},
    {"bz2", ".bz2", arrow::Compression::BZ2},      {"lz4", ".lz4", arrow::Compression::LZ4_FRAME},
    {"brotli", ".br", arrow::Compression::BROTLI}, {"gzip", ".gzip", arrow::Compression::GZIP},
    {"zstd", ".zstd", arrow::Compression::ZSTD}};
constexpr std::string_view kNoCodec = "none";
constexpr std::string_view kNotRead[] = {".snappy", ".sz", ".xz", ".zip", ".7z"};

constexpr int64_t kCompressionRatioMax = 32;
constexpr int64_t kPieceBytes = int64_t{64} << 10;

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char letter) { return std::tolower(letter); });
  return lower;
}

arrow::Compression::type CodecOf(const InputFile& file) {
  if (file.codec) return *file.codec;
  const std::string lower = LowerCase(NamePart(file.path));
  const auto* found = std::ranges::find_if(
      kCodecs, [&lower](const NamedCodec& codec) { return lower.ends_with(codec.suffix); });
  return found == std::end(kCodecs) ? arrow::Compression::UNCOMPRESSED : found->codec;
}

Result<SaidCodec> ReadCodec(OptionReader& options) {
  PENSTOCK_TRY(const std::string name, options.Text("compression", ""));
  if (name.empty()) return std::nullopt;
  if (name == kNoCodec) return arrow::Compression::UNCOMPRESSED;
  const auto* found = std::ranges::find(kCodecs, name, &NamedCodec::name);
  if (found == std::end(kCodecs)) {
    return options.Wrong("compression", "one of none, gzip, zstd, bz2, lz4, brotli");
  }
  return found->codec;
}

Status TooLarge(const InputFile& file, int64_t bytes_max) {
  return Status::Invalid(
      fmt::format("{}: the file is too large to become values of one column; split it; bytes at "
                  "most: {}",
                  file.path, bytes_max));
}

/// Reads to the end, but no further than a compressed file of honest content would lead.
Result<std::shared_ptr<arrow::Buffer>> ReadDecompressed(const InputFile& file, int64_t bytes_max) {
  PENSTOCK_TRY(const auto stream, OpenStream(file));
  PENSTOCK_TRY(const auto info, file.file_system->GetFileInfo(file.location));
  const int64_t honest_max = DecompressedBytesMax(info.size());
  PENSTOCK_TRY(auto bytes, arrow::AllocateResizableBuffer(0));
  while (true) {
    const int64_t held = bytes->size();
    if (held > bytes_max) return TooLarge(file, bytes_max);
    if (held > honest_max) {
      return ReadFailure(TooLargeUnpacked(honest_max), file.path);
    }
    const int64_t most =
        std::min(bytes_max, honest_max) + 1;  // One more tells that it is too much.
    const int64_t wanted = std::min(std::max(held, kPieceBytes), most - held);
    PENSTOCK_RETURN_NOT_OK(bytes->Resize(held + wanted));
    const auto read = stream->Read(bytes->size() - held, bytes->mutable_data() + held);
    if (!read.ok()) return ReadFailure(read.status(), file.path);
    PENSTOCK_RETURN_NOT_OK(bytes->Resize(held + *read, /*shrink_to_fit=*/false));
    if (*read == 0) return bytes;
  }
}

}  // namespace

Result<FileOptions> ReadFileOptions(OptionReader& options, const ReadOp& read_op) {
  FileOptions read;
  PENSTOCK_TRY(auto paths, options.Texts("paths"));
  if (!paths || paths->empty()) {
    return Status::Invalid("There is no path to read; give at least one in \"paths\"");
  }
  read.paths = std::move(*paths);
  PENSTOCK_TRY(read.include_paths, options.Bool("include_paths", false));
  PENSTOCK_TRY(read.ignore_missing_paths, options.Bool("ignore_missing_paths", false));
  PENSTOCK_TRY(read.file_extensions, options.Texts("file_extensions"));
  PENSTOCK_TRY(read.codec, ReadCodec(options));
  PENSTOCK_TRY(auto retried, options.Texts("retried_io_errors"));
  if (retried) read.access.retried_errors = std::move(*retried);
  read.access.file_system = read_op.file_system;
  return read;
}

Result<std::vector<InputFile>> ListFiles(const FileOptions& options,
                                         const std::vector<std::string>& folder_extensions) {
  return FileLister(options, folder_extensions, FileSizes::kWanted)
      .Next(std::numeric_limits<int64_t>::max());
}

std::string_view NamePart(std::string_view path) {
  const bool of_web = path.starts_with("http://") || path.starts_with("https://");
  return of_web ? path.substr(0, path.find_first_of("?#")) : path;
}

std::vector<std::string> WithCodecs(const std::vector<std::string>& extensions) {
  std::vector<std::string> all = extensions;
  for (const std::string& extension : extensions) {
    for (const NamedCodec& codec : kCodecs) all.push_back(extension + std::string(codec.suffix));
  }
  return all;
}

int64_t DecompressedBytesMax(int64_t compressed_bytes, int64_t freely) {
  return std::max(freely, std::max<int64_t>(compressed_bytes, 0) * kCompressionRatioMax);
}

Status TooLargeUnpacked(int64_t bytes_max) {
  return Status::Invalid(
      fmt::format("it unpacks to more than {} MiB and more than {} times the file's size at once, "
                  "as only what was made to fill the memory does; if it is good, write it again "
                  "without compression, or in smaller pieces",
                  bytes_max >> 20, kCompressionRatioMax));
}

bool IsCompressed(const InputFile& file) {
  return CodecOf(file) != arrow::Compression::UNCOMPRESSED;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenFile(const InputFile& file) {
  if (file.codec && IsCompressed(file)) {
    return Status::NotImplemented(file.path,
                                  ": a file of this format is read anywhere in it, which one that "
                                  "is compressed as a whole cannot be; decompress it first, or "
                                  "leave the compression out if it is not");
  }
  auto opened = file.file_system->OpenInputFile(file.location);
  if (!opened.ok()) return ReadFailure(opened.status(), file.path);
  return opened;
}

Result<std::shared_ptr<arrow::io::InputStream>> OpenStream(const InputFile& file) {
  auto opened = file.file_system->OpenInputStream(file.location);
  if (!opened.ok()) return ReadFailure(opened.status(), file.path);
  const std::string lower = LowerCase(NamePart(file.path));
  if (!file.codec &&
      std::ranges::any_of(kNotRead, [&](auto suffix) { return lower.ends_with(suffix); })) {
    return Status::NotImplemented(
        file.path,
        ": files compressed so are not read; compress it with gzip or zstd instead, or "
        "read it with read_binary_files and unpack it in a function");
  }
  if (!IsCompressed(file)) return opened;
  PENSTOCK_TRY(std::shared_ptr<arrow::util::Codec> codec,
               arrow::util::Codec::Create(CodecOf(file)));
  PENSTOCK_TRY(std::shared_ptr<arrow::io::InputStream> plain,
               arrow::io::CompressedInputStream::Make(codec.get(), opened.MoveValueUnsafe()));
  return plain;
}

Result<std::shared_ptr<arrow::Buffer>> ReadWhole(const InputFile& file, int64_t bytes_max) {
  if (IsCompressed(file)) return ReadDecompressed(file, bytes_max);
  PENSTOCK_TRY(const auto opened, OpenFile(file));
  auto size = opened->GetSize();
  if (!size.ok()) return ReadFailure(size.status(), file.path);
  if (*size > bytes_max) return TooLarge(file, bytes_max);
  auto bytes = opened->ReadAt(0, *size);
  if (!bytes.ok()) return ReadFailure(bytes.status(), file.path);
  return bytes;
}

Status OpenFailure(const Status& status, const InputFile& file) {
  if (DetailOf(status) != nullptr || !IsCompressed(file)) return ReadFailure(status, file.path);
  return Status::NotImplemented(file.path,
                                ": the file is compressed as a whole, as its name says, and its "
                                "format is read anywhere in it; decompress it first");
}

Status ReadFailure(const Status& status, const std::string& where) {
  if (status.ok() || DetailOf(status) != nullptr) return status;
  const int error = arrow::internal::ErrnoFromStatus(status);
  if (error == ENOENT) {
    return MakeError(ErrorKind::kMissingPath, fmt::format("{}: {}", where, status.message()));
  }
  if (error != 0 || status.IsOutOfMemory() || status.IsCancelled() || status.IsNotImplemented()) {
    return status.WithMessage(where, ": ", status.message());
  }
  return MakeError(ErrorKind::kCorruptData,
                   fmt::format("{} is damaged or of another format: {}", where, status.message()));
}

}  // namespace penstock
