#include "penstock/source/ipc_stream.h"

#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>

#include "penstock/source/ipc_batch.h"

namespace penstock {
namespace {

namespace ipc = arrow::ipc;

using Message = IpcStreamIndex::Message;

constexpr uint32_t kContinuation = 0xFFFFFFFF;  // Before a length; absent in old streams.

template <typename Number>
Number Load(const uint8_t* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

/// Returns the length of a record batch, its flatbuffer's first field, which Arrow does not hand
/// out before it has read the body. Arrow has verified the flatbuffer.
int64_t RowsOf(const ipc::Message& message) {
  const auto* table = static_cast<const uint8_t*>(message.header());
  const uint8_t* fields = table - Load<int32_t>(table);
  if (Load<uint16_t>(fields) < 6) return 0;
  const auto place = Load<uint16_t>(fields + 4);
  return place == 0 ? 0 : Load<int64_t>(table + place);
}

/// Goes from message to message.
class Indexer {
 public:
  Indexer(arrow::io::RandomAccessFile& file, int64_t size) : file_(file), size_(size) {}

  Result<std::shared_ptr<const IpcStreamIndex>> Run() {
    PENSTOCK_TRY(const auto first, NextHead());
    if (first == nullptr || first->type() != ipc::MessageType::SCHEMA) {
      return Status::Invalid("it begins neither as an Arrow file nor as an Arrow stream");
    }
    ipc::DictionaryMemo dictionaries;
    PENSTOCK_TRY(index_->schema, ipc::ReadSchema(*first, &dictionaries));
    while (true) {
      PENSTOCK_TRY(const auto head, NextHead());
      if (head == nullptr) return index_;
      PENSTOCK_RETURN_NOT_OK(Take(*head));
    }
  }

 private:
  std::string Place() const {
    if (index_->messages.empty()) return "the schema";
    return fmt::format("record batch {}", index_->batches.size());
  }

  Status EndsWithin() const {
    return Status::Invalid("the file ends within ", Place(),
                           " of an Arrow stream; it may have been cut off");
  }

  /// Reads exactly so many bytes and moves on.
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) {
    if (bytes > size_ - offset_) return EndsWithin();
    PENSTOCK_TRY(auto read, file_.ReadAt(offset_, bytes));
    if (read->size() < bytes) return EndsWithin();
    offset_ += bytes;
    return read;
  }

  /// Returns the next message without its body, which is passed over; null at the end.
  Result<std::unique_ptr<ipc::Message>> NextHead() {
    if (offset_ == size_) return nullptr;
    const int64_t begin = offset_;
    PENSTOCK_TRY(auto prefix, Read(4));
    auto length = Load<uint32_t>(prefix->data());
    if (length == kContinuation) {
      PENSTOCK_TRY(prefix, Read(4));
      length = Load<uint32_t>(prefix->data());
    }
    if (length == 0) {
      PENSTOCK_RETURN_NOT_OK(CheckNothingFollows());
      return nullptr;
    }
    const int64_t head_bytes = offset_ - begin + length;
    if (head_bytes > INT32_MAX || head_bytes > size_ - begin) {
      return index_->messages.empty() && length > uint32_t{1} << 28
                 ? Status::Invalid("it begins neither as an Arrow file nor as an Arrow stream")
                 : EndsWithin();
    }
    offset_ = begin;
    PENSTOCK_TRY(auto head, Read(head_bytes));
    PENSTOCK_TRY(auto message, ipc::ReadMessage(std::move(head), /*body=*/nullptr));
    const int64_t body_bytes = message->body_length();
    if (body_bytes < 0 || body_bytes > size_ - offset_) return EndsWithin();
    offset_ += body_bytes;
    index_->messages.push_back({.offset = begin,
                                .head_bytes = static_cast<int32_t>(head_bytes),
                                .body_bytes = body_bytes});
    return message;
  }

  /// Streams that were written one after another would otherwise lose all rows but the first's.
  Status CheckNothingFollows() {
    if (size_ - offset_ < 4) return Status::OK();
    PENSTOCK_TRY(const auto next, Read(4));
    if (Load<uint32_t>(next->data()) == 0) return Status::OK();
    return Status::Invalid("bytes follow the end of its Arrow stream (at byte ", offset_ - 4,
                           "); write streams to files of their own");
  }

  Status Take(const ipc::Message& head) {
    Message& message = index_->messages.back();
    switch (head.type()) {
      case ipc::MessageType::DICTIONARY_BATCH:
        message.is_dictionary = true;
        return Status::OK();
      case ipc::MessageType::RECORD_BATCH:
        message.rows = RowsOf(head);
        if (message.rows < 0) return Status::Invalid(Place(), " has a negative length");
        index_->batches.push_back(index_->messages.size() - 1);
        return Status::OK();
      default:
        return Status::Invalid("what should be ", Place(), " is a message of another kind: ",
                               ipc::FormatMessageType(head.type()));
    }
  }

  arrow::io::RandomAccessFile& file_;
  const int64_t size_;
  int64_t offset_ = 0;
  const std::shared_ptr<IpcStreamIndex> index_ = std::make_shared<IpcStreamIndex>();
};

/// Yields what a stream of one record batch would have: schema, the dictionaries before it, itself.
class OneBatchMessages final : public ipc::MessageReader {
 public:
  OneBatchMessages(std::shared_ptr<arrow::io::RandomAccessFile> file,
                   std::shared_ptr<const IpcStreamIndex> index, size_t batch)
      : file_(std::move(file)), index_(std::move(index)), batch_(batch) {}

  Result<std::unique_ptr<ipc::Message>> ReadNextMessage() override {
    while (next_ <= batch_) {
      const size_t place = next_++;
      const Message& message = index_->messages[place];
      if (place == 0 || place == batch_ || message.is_dictionary) {
        return ipc::ReadMessage(message.offset, message.head_bytes, message.body_bytes,
                                file_.get());
      }
    }
    return nullptr;
  }

 private:
  const std::shared_ptr<arrow::io::RandomAccessFile> file_;  // Shared with the file.
  const std::shared_ptr<const IpcStreamIndex> index_;
  const size_t batch_;  // Among the messages.
  size_t next_ = 0;
};

class IpcStreamFile final : public PartedFile {
 public:
  IpcStreamFile(std::shared_ptr<arrow::io::RandomAccessFile> file,
                std::shared_ptr<const IpcStreamIndex> index)
      : file_(std::move(file)), index_(std::move(index)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return index_->schema; }
  int64_t parts() const override { return static_cast<int64_t>(index_->batches.size()); }
  int64_t rows(int64_t part) const override { return Of(part).rows; }
  int64_t bytes(int64_t part) const override { return Of(part).body_bytes; }

  Result<int64_t> CountRows() override {
    int64_t rows = 0;
    for (int64_t part = 0; part < parts(); ++part) {
      if (__builtin_add_overflow(rows, this->rows(part), &rows)) {
        return Status::Invalid("its record batches claim more rows than there can be");
      }
    }
    return rows;
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int64_t part,
                                                         const std::vector<int>& columns) override {
    PENSTOCK_TRY(const int64_t file_bytes, file_->GetSize());
    return ReadIpcBatch(file_bytes, [&](ipc::IpcReadOptions options) -> IpcBatch {
      options.included_fields = columns;
      options.ensure_alignment = ipc::Alignment::kDataTypeSpecificAlignment;
      auto messages = std::make_unique<OneBatchMessages>(
          file_, index_, index_->batches[static_cast<size_t>(part)]);
      PENSTOCK_TRY(const auto reader,
                   ipc::RecordBatchStreamReader::Open(std::move(messages), options));
      PENSTOCK_TRY(auto batch, reader->Next());
      if (batch == nullptr) return Status::Invalid("its dictionaries take the place of its rows");
      return batch;
    });
  }

 private:
  const Message& Of(int64_t part) const {
    return index_->messages[index_->batches[static_cast<size_t>(part)]];
  }

  const std::shared_ptr<arrow::io::RandomAccessFile> file_;  // Shared with the readers.
  const std::shared_ptr<const IpcStreamIndex> index_;        // Shared with the format.
};

}  // namespace

Result<std::shared_ptr<const IpcStreamIndex>> IndexIpcStream(arrow::io::RandomAccessFile& file) {
  PENSTOCK_TRY(const int64_t size, file.GetSize());
  return Indexer(file, size).Run();
}

std::unique_ptr<PartedFile> MakeIpcStreamFile(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                              std::shared_ptr<const IpcStreamIndex> index) {
  return std::make_unique<IpcStreamFile>(std::move(file), std::move(index));
}

}  // namespace penstock
