#include "penstock/source/text_rows.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace penstock {

Result<int64_t> RowBytesMaxOf(const InputFile& file) {
  if (!IsCompressed(file)) return kRowBytesMax;
  PENSTOCK_TRY(const auto info, file.file_system->GetFileInfo(file.location));
  return std::min(kRowBytesMax, DecompressedBytesMax(info.size()));
}

TextRows::TextRows(std::shared_ptr<arrow::io::InputStream> stream,
                   std::unique_ptr<arrow::Chunker> chunker, int64_t piece_bytes,
                   int64_t row_bytes_max)
    : stream_(std::move(stream)),
      chunker_(std::move(chunker)),
      piece_bytes_(piece_bytes),
      row_bytes_max_(row_bytes_max),
      held_(arrow::Buffer::FromString("")) {}

Result<std::shared_ptr<arrow::Buffer>> TextRows::NextRow() {
  PENSTOCK_TRY(const auto whole, WholeRows());
  if (whole == nullptr) return Take(held_->size());
  int64_t rows = 1;
  std::shared_ptr<arrow::Buffer> rest;
  PENSTOCK_RETURN_NOT_OK(chunker_->ProcessSkip(arrow::Buffer::FromString(""), whole,
                                               /*final=*/false, &rows, &rest));
  return Take(whole->size() - rest->size());
}

Result<std::shared_ptr<arrow::Buffer>> TextRows::NextPiece() {
  while (!at_end_ && held_->size() < piece_bytes_) PENSTOCK_RETURN_NOT_OK(ReadMore());
  if (at_end_) return Take(held_->size());
  PENSTOCK_TRY(const auto whole, WholeRows());
  return Take(whole == nullptr ? held_->size() : whole->size());
}

Result<std::shared_ptr<arrow::Buffer>> TextRows::WholeRows() {
  while (true) {
    std::shared_ptr<arrow::Buffer> whole;
    std::shared_ptr<arrow::Buffer> partial;
    PENSTOCK_RETURN_NOT_OK(chunker_->Process(held_, &whole, &partial));
    if (whole->size() > 0) return whole;
    if (at_end_) return nullptr;
    if (held_->size() >= row_bytes_max_) {
      return Status::Invalid("a row does not end within ", row_bytes_max_ >> 20, " MiB");
    }
    PENSTOCK_RETURN_NOT_OK(ReadMore());
  }
}

std::shared_ptr<arrow::Buffer> TextRows::Take(int64_t bytes) {
  if (bytes == 0) return nullptr;
  bytes_taken_ += bytes;
  auto piece = arrow::SliceBuffer(held_, 0, bytes);
  // Of the buffer that was read, not of the slice before: a chain of slices as long as the rows
  // are many would be let go of by recursion.
  const std::shared_ptr<arrow::Buffer> read = held_->parent() == nullptr ? held_ : held_->parent();
  held_ = arrow::SliceBuffer(read, held_->data() - read->data() + bytes);
  return piece;
}

Status TextRows::ReadMore() {
  const int64_t left = std::max(piece_bytes_, row_bytes_max_ - held_->size());
  const int64_t wanted = std::clamp(held_->size(), piece_bytes_, left);
  PENSTOCK_TRY(std::shared_ptr<arrow::ResizableBuffer> longer,
               arrow::AllocateResizableBuffer(held_->size() + wanted));
  std::memcpy(longer->mutable_data(), held_->data(), static_cast<size_t>(held_->size()));
  PENSTOCK_TRY(const int64_t read, stream_->Read(wanted, longer->mutable_data() + held_->size()));
  at_end_ = read == 0;
  PENSTOCK_RETURN_NOT_OK(longer->Resize(held_->size() + read, /*shrink_to_fit=*/false));
  held_ = std::move(longer);
  return Status::OK();
}

bool IsBlank(const arrow::Buffer& text) {
  return std::string_view(text).find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace penstock
