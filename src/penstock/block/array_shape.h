#pragma once

#include <arrow/array/data.h>
#include <arrow/type.h>

#include <cstdint>

namespace penstock {

/// Returns the type that an array's buffers follow: extension types are looked through.
const arrow::DataType& StorageOf(const arrow::DataType& type);

/// Returns how many buffers an array of this storage type has in a packed batch, validity
/// included. View types have one data buffer there.
int BufferCountOf(const arrow::DataType& storage);

/// Says whether buffer `index` holds values alone: no bits, offsets, sizes, indices or views, from
/// which a reader would compute where to read or write.
bool HoldsValuesAlone(const arrow::DataType& storage, int index);

/// What an array of a type needs in a packed batch, children and dictionary included.
struct EntryCounts {
  int64_t nodes = 0;
  int64_t buffers = 0;
};
EntryCounts EntryCountsOf(const arrow::DataType& type);

/// Returns the bytes that rows [offset, offset + rows) hold in the array's buffers; `offset`
/// counts from the buffers' start. Dictionaries, and children that rows point into at will (dense
/// unions, list views, run ends), count whole.
int64_t ArrayBytes(const arrow::ArrayData& array, int64_t offset, int64_t rows);

}  // namespace penstock
