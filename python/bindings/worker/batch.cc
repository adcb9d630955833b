#include "batch.h"

#include <cstring>
#include <memory>
#include <stdexcept>

#include "arrow_export.h"
#include "numpy.h"

namespace penstock::python {

template <typename Entry>
const Entry* Batch::EntriesAt(int64_t offset, int64_t count) const {
  if (offset < 0 || count < 0 || offset + count * static_cast<int64_t>(sizeof(Entry)) > bytes_) {
    throw std::invalid_argument("a packed batch reaches beyond its segment");
  }
  return reinterpret_cast<const Entry*>(mapping_->data() + offset);
}

Batch::Batch(std::shared_ptr<Mapping> mapping, int64_t bytes)
    : mapping_(std::move(mapping)),
      slab_(nb::cast(new Slab(mapping_), nb::rv_policy::take_ownership)),
      bytes_(bytes) {
  if (bytes_ > mapping_->capacity()) {
    throw std::invalid_argument("a packed batch is larger than its segment");
  }
  std::memcpy(&header_, EntriesAt<BatchHeader>(0, 1), sizeof header_);
  if (header_.magic != kBatchMagic || header_.rows < 0) {
    throw std::invalid_argument("a segment holds no packed batch");
  }
  rows_ = header_.rows;
  int64_t place = sizeof(BatchHeader);
  const auto next = [&]<typename Entry>(const Entry** entries, uint32_t count) {
    *entries = EntriesAt<Entry>(place, count);
    place += static_cast<int64_t>(count * sizeof(Entry));
  };
  next(&column_entries_, header_.columns);
  next(&nodes_, header_.nodes);
  next(&buffers_, header_.buffers);
  next(&dimensions_, header_.dimensions);
  ReadColumns();
}

Batch* Batch::Slice(int64_t first, int64_t rows) const {
  if (first < 0 || rows < 0 || first > rows_ - rows) {
    throw std::out_of_range("a slice reaches beyond its batch");
  }
  auto slice = std::make_unique<Batch>(*this);
  slice->first_row_ += first;
  slice->rows_ = rows;
  for (ColumnView& column : slice->columns_) {
    column.offset += first;
    column.rows = rows;
  }
  return slice.release();
}

Batch* Batch::Copy() const {
  std::shared_ptr<Mapping> mapping = Mapping::Anonymous(bytes_);
  std::memcpy(mapping->data(), mapping_->data(), static_cast<size_t>(bytes_));
  const Batch whole(std::move(mapping), bytes_);
  return whole.Slice(first_row_, rows_);
}

int64_t Batch::bytes() const { return header_.rows == 0 ? bytes_ : bytes_ * rows_ / header_.rows; }

void Batch::ReadColumns() {
  columns_.reserve(header_.columns);
  for (uint32_t i = 0; i < header_.columns; ++i) {
    columns_.push_back(ReadColumn(column_entries_[i]));
  }
}

const uint8_t* Batch::BufferAt(uint32_t index) const {
  if (index >= header_.buffers) throw std::invalid_argument("a column lacks buffers");
  const BufferEntry& buffer = buffers_[index];
  if (buffer.offset == kAbsentBuffer) return nullptr;
  return EntriesAt<uint8_t>(buffer.offset, buffer.bytes);
}

ColumnView Batch::ReadColumn(const ColumnEntry& entry) const {
  ColumnView view;
  const auto* name = EntriesAt<char>(entry.name_offset, entry.name_bytes);
  view.name = std::string_view(name, entry.name_bytes);
  view.kind = static_cast<ColumnKind>(entry.kind);
  view.rows = rows_;
  if (view.kind == ColumnKind::kOther) return view;
  if (entry.first_node >= header_.nodes) throw std::invalid_argument("a column lacks its node");
  view.null_count = nodes_[entry.first_node].null_count;
  const bool nulls = view.null_count > 0;
  if (view.kind == ColumnKind::kNull) return view;
  uint32_t buffer = entry.first_buffer;
  view.validity = nulls ? BufferAt(buffer) : nullptr;
  ++buffer;
  if (entry.dimension_count > 0) {
    if (entry.first_dimension + entry.dimension_count > header_.dimensions) {
      throw std::invalid_argument("a tensor column lacks its shape");
    }
    const int64_t* extents = dimensions_ + entry.first_dimension;
    view.shape.assign(extents, extents + entry.dimension_count);
    ++buffer;  // The validity of the values, which have no nulls.
  } else if (HasOffsets(view.kind)) {
    view.offsets = BufferAt(buffer++);
  }
  view.data = BufferAt(buffer);
  return view;
}

nb::bytes Batch::schema() const {
  if (header_.schema_offset == 0) return nb::bytes("", 0);
  const char* message = EntriesAt<char>(header_.schema_offset, header_.schema_bytes);
  return nb::bytes(message, static_cast<size_t>(header_.schema_bytes));
}

nb::dict Batch::ToNumpyDict() const {
  nb::dict arrays;
  for (const ColumnView& column : columns_) {
    nb::str name(column.name.data(), column.name.size());
    arrays[name] = column.kind == ColumnKind::kOther ? nb::none() : ToNumpy(column, slab_, true);
  }
  return arrays;
}

nb::object Batch::ToArrow(nb::handle schema_capsule) const {
  return ExportArrow({.first_row = first_row_,
                      .rows = rows_,
                      .nodes = std::span(nodes_, header_.nodes),
                      .buffers = std::span(buffers_, header_.buffers),
                      .base = mapping_->data(),
                      .owner = slab_},
                     schema_capsule);
}

std::shared_ptr<Mapping> Batch::Detach() { return mapping_->Detach(bytes_); }

}  // namespace penstock::python
