#pragma once

#include <arrow/buffer.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/files/path_placer.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/options.h"

namespace penstock {

/// How a file's bytes are compressed, where the user says it; absent: as the path's suffix says.
using SaidCodec = std::optional<arrow::Compression::type>;

/// A file that is to be read.
struct InputFile {
  std::string path;                                    // As errors and the column "path" show it.
  std::shared_ptr<arrow::fs::FileSystem> file_system;  // Shared by all files that lie on it.
  std::string location;                                // The path as its file system knows it.
  int64_t bytes = -1;                                  // -1: not known.
  SaidCodec codec;
};

/// What every file reader lets the user say.
struct FileOptions {
  std::vector<std::string> paths;
  FileAccess access;
  bool include_paths = false;
  bool ignore_missing_paths = false;
  std::optional<std::vector<std::string>> file_extensions;  // Without the leading dot.
  SaidCodec codec;
};

/// Reads "paths", "include_paths", "ignore_missing_paths", "file_extensions", "compression" (none,
/// gzip, zstd, bz2, lz4 or brotli, whatever the files are called) and "retried_io_errors"; takes
/// the file system from `read_op`.
Result<FileOptions> ReadFileOptions(OptionReader& options, const ReadOp& read_op);

/// Lists the files that `options` name: files, folders, globs (`*`, `?`, `[..]` in a name, `**` for
/// any folders), URIs of any file system that Arrow knows. In the order of `paths`; what a folder
/// or glob yields is sorted by path.
///
/// Folders are searched with all their subfolders; names that begin with "." or "_" are passed
/// over. `file_extensions` chooses among all files, `folder_extensions` only among those that a
/// folder yields and only where the user gave none; empty: all files.
///
/// kMissingPath for a path that is not there (unless ignore_missing_paths) or where nothing is
/// left; Invalid for a folder without such files, naming the extensions.
Result<std::vector<InputFile>> ListFiles(const FileOptions& options,
                                         const std::vector<std::string>& folder_extensions);

/// Returns the part of a path that can have an extension: of a file of the web all but the query.
std::string_view NamePart(std::string_view path);

/// Returns the extensions with and without the suffixes of the codecs that OpenStream knows.
std::vector<std::string> WithCodecs(const std::vector<std::string>& extensions);

/// Says whether OpenStream decompresses the file.
bool IsCompressed(const InputFile& file);

inline constexpr int64_t kDecompressedFreely = int64_t{128} << 20;

/// Returns how many bytes one value of a compressed file may claim: `freely` or 32 times the file's
/// size, whichever is more. What honest content does not become is a file that was made to fill the
/// memory. -1: the file's size is not known.
int64_t DecompressedBytesMax(int64_t compressed_bytes, int64_t freely = kDecompressedFreely);

/// Returns the Invalid that says so of something within a file, which need not be named.
Status TooLargeUnpacked(int64_t bytes_max);

/// Opens a file for reading anywhere in it; kMissingPath when it has gone, NotImplemented where the
/// user says that it is compressed.
Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenFile(const InputFile& file);

/// Opens a file for reading front to back; one that the user says is compressed, or that ends in
/// .gz or .gzip, .zst or .zstd, .bz2, .lz4 or .br where nothing is said, is decompressed on the
/// way. NotImplemented for .snappy, .sz, .xz, .zip and .7z then: Arrow has no streaming decoder for
/// them.
Result<std::shared_ptr<arrow::io::InputStream>> OpenStream(const InputFile& file);

/// Reads all bytes of a file, decompressed as by OpenStream; kCorruptData where that becomes
/// suspiciously large. Invalid for more than `bytes_max` bytes.
Result<std::shared_ptr<arrow::Buffer>> ReadWhole(const InputFile& file, int64_t bytes_max);

/// Says which file and what part of it failed. What the operating system reports stays as it is
/// (kMissingPath for a file that has gone); all else becomes kCorruptData with Arrow's reason.
Status ReadFailure(const Status& status, const std::string& where);

/// The same of a file whose format is read anywhere in it and which could not be opened: where its
/// name says that it is compressed as a whole, NotImplemented saying so.
Status OpenFailure(const Status& status, const InputFile& file);

}  // namespace penstock
