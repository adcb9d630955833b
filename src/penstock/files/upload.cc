#include "penstock/files/upload.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include "penstock/base/error.h"

namespace penstock {
namespace {

constexpr int64_t kPieceBytes = int64_t{8} << 20;

Status Copy(arrow::io::RandomAccessFile& file, arrow::io::OutputStream& stream) {
  PENSTOCK_TRY(const int64_t bytes, file.GetSize());
  for (int64_t done = 0; done < bytes;) {
    PENSTOCK_TRY(const auto piece, file.ReadAt(done, kPieceBytes));
    PENSTOCK_RETURN_NOT_OK(stream.Write(piece));
    done += piece->size();
    if (piece->size() == 0) return Status::IOError("the temporary file has become shorter");
  }
  return stream.Close();
}

Status CopyOnce(arrow::io::RandomAccessFile& file, const PlacedPath& place) {
  PENSTOCK_TRY(const auto stream, place.file_system->OpenOutputStream(place.location));
  const Status copied = Copy(file, *stream);
  if (!copied.ok()) static_cast<void>(stream->Abort());
  return copied;
}

}  // namespace

Status Upload(arrow::io::RandomAccessFile& file, const PlacedPath& place) {
  const std::string path = place.prefix + place.location;
  PENSTOCK_RETURN_NOT_OK(
      place.retrier->Run("write", path, [&](int /*attempt*/) { return CopyOnce(file, place); }));
  PENSTOCK_TRY(const auto info, place.file_system->GetFileInfo(place.location));
  PENSTOCK_TRY(const int64_t bytes, file.GetSize());
  if (info.size() < 0 || info.size() == bytes) return Status::OK();
  return MakeError(ErrorKind::kRemoteFailure,
                   fmt::format("What was written is not what arrived: {} bytes, of {}; got: {}",
                               info.size(), bytes, path));
}

}  // namespace penstock
