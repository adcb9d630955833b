#include "output.h"

#include <cstring>
#include <stdexcept>

#include "numpy.h"

namespace penstock::python {
namespace {

int64_t Aligned(int64_t place) {
  return (place + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

template <typename Entry>
int64_t BytesOf(const std::vector<Entry>& entries) {
  return static_cast<int64_t>(entries.size() * sizeof(Entry));
}

BufferSlice SliceOf(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int64_t>(bytes.size())};
}

template <typename Entry>
uint8_t* Put(uint8_t* place, const std::vector<Entry>& entries) {
  const auto bytes = static_cast<size_t>(BytesOf(entries));
  if (bytes > 0) std::memcpy(place, entries.data(), bytes);
  return place + bytes;
}

}  // namespace

void Output::Add(std::string name, std::optional<EncodedColumn> encoded) {
  Column& column = columns_.emplace_back();
  column.name = std::move(name);
  if (encoded) column.values = std::move(*encoded);
}

void Output::SetEncoded(size_t column, EncodedColumn values) {
  columns_.at(column).values = std::move(values);
}

void Output::SetArrow(size_t column, ArrowColumn values) {
  columns_.at(column).values = std::move(values);
}

std::vector<Output::Facts> Output::Describe() const {
  std::vector<Facts> all;
  for (const Column& column : columns_) {
    Facts& facts = all.emplace_back();
    facts.name = column.name;
    if (const auto* encoded = std::get_if<EncodedColumn>(&column.values)) {
      facts.kind = encoded->kind;
      facts.rows = encoded->rows;
      facts.shape = encoded->shape;
    } else if (const auto* arrow = std::get_if<ArrowColumn>(&column.values)) {
      facts.kind = arrow->kind;
      facts.rows = arrow->rows;
      facts.shape = arrow->shape;
    }
  }
  return all;
}

int64_t Output::rows() const {
  if (columns_.empty()) return rows_;
  return Describe().front().rows;
}

void Output::PlanEncoded(const EncodedColumn& column) {
  nodes_.push_back(
      {column.rows, column.kind == ColumnKind::kNull ? column.rows : column.null_count});
  if (column.null_count > 0 && !column.validity.empty()) {
    slices_.push_back(SliceOf(column.validity));
  } else {
    slices_.push_back({.absent = true});
  }
  if (column.kind == ColumnKind::kNull) return;
  if (!column.shape.empty()) {
    int64_t values = column.rows;
    for (const int64_t extent : column.shape) values *= extent;
    nodes_.push_back({values, 0});
    slices_.push_back({.absent = true});
  }
  if (HasOffsets(column.kind)) slices_.push_back(SliceOf(column.offsets));
  slices_.push_back(column.data == nullptr ? SliceOf(column.owned_data)
                                           : BufferSlice{column.data, column.data_bytes});
}

void Output::PlanColumn(const Column& column, std::string* names) {
  ColumnEntry entry;
  entry.first_node = static_cast<uint32_t>(nodes_.size());
  entry.first_buffer = static_cast<uint32_t>(slices_.size());
  entry.first_dimension = static_cast<uint32_t>(dimensions_.size());
  entry.name_bytes = static_cast<uint32_t>(column.name.size());
  entry.name_offset = static_cast<int64_t>(names->size());  // Moved to its place by Plan.
  names->append(column.name);
  const std::vector<int64_t>* shape = nullptr;
  if (const auto* encoded = std::get_if<EncodedColumn>(&column.values)) {
    entry.kind = static_cast<uint32_t>(encoded->kind);
    shape = &encoded->shape;
    PlanEncoded(*encoded);
  } else if (const auto* arrow = std::get_if<ArrowColumn>(&column.values)) {
    entry.kind = static_cast<uint32_t>(arrow->kind);
    shape = &arrow->shape;
    nodes_.insert(nodes_.end(), arrow->nodes.begin(), arrow->nodes.end());
    slices_.insert(slices_.end(), arrow->buffers.begin(), arrow->buffers.end());
  } else {
    throw std::invalid_argument("a column's values are missing");
  }
  if (entry.kind == static_cast<uint32_t>(ColumnKind::kOther) && schema_.empty()) {
    throw std::invalid_argument("the schema message is missing");
  }
  entry.dimension_count = static_cast<uint32_t>(shape->size());
  dimensions_.insert(dimensions_.end(), shape->begin(), shape->end());
  entries_.push_back(entry);
}

int64_t Output::PlaceBuffers(int64_t place) {
  for (const BufferSlice& slice : slices_) {
    if (slice.absent) {
      buffers_.push_back({});
      continue;
    }
    buffers_.push_back({place, slice.bytes});
    place = Aligned(place + slice.bytes);
  }
  return place;
}

int64_t Output::Plan() {
  entries_.clear();
  nodes_.clear();
  slices_.clear();
  buffers_.clear();
  dimensions_.clear();
  names_.clear();
  const int64_t rows_wanted = rows();
  for (const Facts& facts : Describe()) {
    if (facts.rows != rows_wanted) throw std::invalid_argument("columns differ in length");
  }
  for (const Column& column : columns_) PlanColumn(column, &names_);
  buffers_.reserve(slices_.size());
  header_ = {};
  header_.rows = rows_wanted;
  header_.columns = static_cast<uint32_t>(entries_.size());
  header_.nodes = static_cast<uint32_t>(nodes_.size());
  header_.buffers = static_cast<uint32_t>(slices_.size());
  header_.dimensions = static_cast<uint32_t>(dimensions_.size());
  header_.names_offset =
      static_cast<int64_t>(sizeof header_) + BytesOf(entries_) + BytesOf(nodes_) +
      static_cast<int64_t>(slices_.size() * sizeof(BufferEntry)) + BytesOf(dimensions_);
  header_.names_bytes = static_cast<int64_t>(names_.size());
  for (ColumnEntry& entry : entries_) entry.name_offset += header_.names_offset;
  int64_t place = Aligned(header_.names_offset + header_.names_bytes);
  if (!schema_.empty()) {
    header_.schema_offset = place;
    header_.schema_bytes = static_cast<int64_t>(schema_.size());
    place = Aligned(place + header_.schema_bytes);
  }
  header_.bytes = PlaceBuffers(place);
  return header_.bytes;
}

void Output::Write(uint8_t* place) const {
  std::memcpy(place, &header_, sizeof header_);
  uint8_t* next = Put(place + sizeof header_, entries_);
  next = Put(next, nodes_);
  next = Put(next, buffers_);
  next = Put(next, dimensions_);
  if (!names_.empty()) std::memcpy(next, names_.data(), names_.size());
  if (!schema_.empty()) {
    std::memcpy(place + header_.schema_offset, schema_.data(), schema_.size());
  }
  for (size_t i = 0; i < slices_.size(); ++i) {
    if (slices_[i].bytes == 0) continue;
    std::memcpy(place + buffers_[i].offset, slices_[i].data, static_cast<size_t>(slices_[i].bytes));
  }
}

}  // namespace penstock::python
