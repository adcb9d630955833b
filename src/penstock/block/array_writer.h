#pragma once

#include <arrow/array/data.h>

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/block/arena.h"
#include "penstock/block/layout.h"

namespace penstock {

/// Writes the entries that layout.h puts between a packed batch's header and its names, and the
/// names. The header says how many of each there will be. Borrows the segment's bytes.
class EntryTables {
 public:
  EntryTables(uint8_t* data, const BatchHeader& header);

  /// Begins a column: the nodes and buffers added from here on are its own.
  void AddColumn(ColumnKind kind, const std::vector<int64_t>& shape, const std::string& name);
  void AddNode(int64_t length, int64_t null_count);
  void AddBuffer(int64_t offset, int64_t bytes);

 private:
  void Put(int64_t& place, const void* source, size_t bytes);

  uint8_t* const data_;
  int64_t column_;
  int64_t node_;
  int64_t buffer_;
  int64_t dimension_;
  int64_t name_;
  uint32_t nodes_ = 0;
  uint32_t buffers_ = 0;
  uint32_t dimensions_ = 0;
};

/// Adds the nodes and buffers of an array that starts at offset 0. Buffers that do not lie in the
/// arena yet (dictionaries, the text of views) are copied into it. May change `array`.
Status WriteArray(arrow::ArrayData& array, SegmentArena& arena, EntryTables& tables);

}  // namespace penstock
