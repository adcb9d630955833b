#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "columns.h"
#include "mapping.h"
#include "penstock/block/layout.h"

namespace penstock::python {

/// Keeps a packed batch's memory; every view of the batch holds a reference to its slab.
class Slab {
 public:
  explicit Slab(std::shared_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}
  const std::shared_ptr<Mapping>& mapping() const { return mapping_; }

 private:
  std::shared_ptr<Mapping> mapping_;
};

/// A packed batch (layout.h), read where it lies. The views it gives are writable and live as long
/// as they are wanted, whatever becomes of the batch. The GIL is held throughout.
class Batch {
 public:
  /// Reads the entries of the batch in the mapping's first `bytes`. Throws std::invalid_argument
  /// when they are not a packed batch.
  Batch(std::shared_ptr<Mapping> mapping, int64_t bytes);

  /// Returns `rows` rows from `first` on, over the same memory; throws std::out_of_range when they
  /// are not there. Columns that may have nulls are read as such, whether these rows have any.
  Batch* Slice(int64_t first, int64_t rows) const;

  /// Returns the same rows over memory of their own. Throws std::bad_alloc.
  Batch* Copy() const;

  int64_t rows() const { return rows_; }

  /// Bytes of the packed batch; of a slice its rows' share.
  int64_t bytes() const;
  std::span<const ColumnView> columns() const { return columns_; }
  nb::handle slab() const { return slab_; }

  /// The IPC schema message; empty when all columns are plain.
  nb::bytes schema() const;

  /// {name: array}; None stands for a column that is not plain.
  nb::dict ToNumpyDict() const;

  /// Returns an "arrow_array" capsule of the whole batch as a struct array of the given
  /// "arrow_schema" capsule's type, without a copy.
  nb::object ToArrow(nb::handle schema_capsule) const;

  /// True while somebody still looks at the memory.
  bool IsViewed() const { return Py_REFCNT(slab_.ptr()) > 1; }

  /// See Mapping::Detach.
  std::shared_ptr<Mapping> Detach();

 private:
  void ReadColumns();
  ColumnView ReadColumn(const ColumnEntry& entry) const;
  const uint8_t* BufferAt(uint32_t index) const;
  template <typename Entry>
  const Entry* EntriesAt(int64_t offset, int64_t count) const;

  std::shared_ptr<Mapping> mapping_;
  nb::object slab_;
  int64_t bytes_;
  int64_t first_row_ = 0;  // Of a slice.
  int64_t rows_ = 0;
  BatchHeader header_;
  const ColumnEntry* column_entries_ = nullptr;
  const NodeEntry* nodes_ = nullptr;
  const BufferEntry* buffers_ = nullptr;
  const int64_t* dimensions_ = nullptr;
  std::vector<ColumnView> columns_;
};

}  // namespace penstock::python
