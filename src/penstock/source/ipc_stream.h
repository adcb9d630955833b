#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/parted_source.h"

namespace penstock {

/// Where the messages of an Arrow IPC stream lie in its file. A stream has no list of them, so that
/// the file is gone through once, from head to head: only bodies are passed over.
struct IpcStreamIndex {
  struct Message {
    int64_t offset = 0;
    int32_t head_bytes = 0;  // With the prefix that holds their number.
    int64_t body_bytes = 0;
    int64_t rows = 0;
    bool is_dictionary = false;
  };

  std::shared_ptr<arrow::Schema> schema;
  std::vector<Message> messages;  // The schema's first.
  std::vector<size_t> batches;    // Which of them are record batches.
};

/// Goes through a stream. It ends with the mark of its end or with the file; Invalid, naming the
/// record batch, where the file ends within a message, and for bytes after the mark.
Result<std::shared_ptr<const IpcStreamIndex>> IndexIpcStream(arrow::io::RandomAccessFile& file);

/// Returns the stream as a file whose parts are its record batches.
std::unique_ptr<PartedFile> MakeIpcStreamFile(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                              std::shared_ptr<const IpcStreamIndex> index);

}  // namespace penstock
