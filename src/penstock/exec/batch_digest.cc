#include "penstock/exec/batch_digest.h"

#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>

#include "penstock/ledger/digest.h"

namespace penstock {
namespace {

/// Takes what is written to it into a digest.
class DigestStream final : public arrow::io::OutputStream {
 public:
  Status Close() override { return Status::OK(); }
  bool closed() const override { return false; }
  Result<int64_t> Tell() const override { return bytes_; }
  using arrow::io::OutputStream::Write;
  Status Write(const void* data, int64_t bytes) override {
    digest_.Add({static_cast<const char*>(data), static_cast<size_t>(bytes)});
    bytes_ += bytes;
    return Status::OK();
  }
  std::string Hex() const { return digest_.Hex(); }

 private:
  Digest digest_;
  int64_t bytes_ = 0;
};

}  // namespace

Result<std::string> DigestOfBatches(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  DigestStream stream;
  for (const auto& batch : batches) {
    PENSTOCK_TRY(const auto writer, arrow::ipc::MakeStreamWriter(&stream, batch->schema()));
    PENSTOCK_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
    PENSTOCK_RETURN_NOT_OK(writer->Close());
  }
  return stream.Hex();
}

}  // namespace penstock
