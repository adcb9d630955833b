#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/source/tar_reader.h"
#include "penstock/source/text_columns.h"
#include "penstock/source/utf8.h"
#include "penstock/source/webdataset_parsers.h"
#include "penstock/source/webdataset_rows.h"

namespace penstock {
namespace {

constexpr uint64_t kFileBytesMax = (uint64_t{1} << 31) - (uint64_t{1} << 27);
constexpr size_t kSamplesMax = 10'000'000;

class SampleParser final : public TextParser {
 public:
  SampleParser(const WebdatasetChoice& choice, InputFile file, ParseTarget target)
      : choice_(choice),
        file_(std::move(file)),
        piece_bytes_(target.piece_bytes),
        columns_(std::move(target.wanted), target.only_wanted, std::move(target.schema_origin)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (!archive_) {
      PENSTOCK_TRY(auto bytes, ByteStream::Open(file_, TextRange{}));
      archive_.emplace(std::move(bytes));
      PENSTOCK_RETURN_NOT_OK(GoOn());
    }
    WebdatasetRows rows;
    while (member_ && rows.bytes() < piece_bytes_) PENSTOCK_RETURN_NOT_OK(ReadSample(rows));
    if (rows.rows() == 0) return nullptr;
    PENSTOCK_TRY(auto batch, rows.Finish(file_.path));
    auto fitted = columns_.Fit(std::move(batch));
    if (fitted.ok()) return fitted;
    return fitted.status().WithMessage(file_.path, ": ", fitted.status().message());
  }

  std::shared_ptr<arrow::Schema> header() const override { return WebdatasetRows::EmptySchema(); }

 private:
  /// Moves to the next file that was chosen and belongs to a sample.
  Status GoOn() {
    while (true) {
      PENSTOCK_TRY(member_, archive_->Next());
      if (!member_) return Status::OK();
      if (!IsUtf8(member_->name)) return Corrupt("a file's name is not UTF-8; rename it");
      if (!choice_.files.Has(member_->name)) continue;
      name_ = SplitMemberName(member_->name);
      if (name_) return Status::OK();
    }
  }

  Status ReadSample(WebdatasetRows& rows) {
    const std::string key(name_->key);
    if (keys_.size() == kSamplesMax) {
      return Corrupt(fmt::format("an archive has at most {} samples; split it", kSamplesMax));
    }
    if (!keys_.insert(key).second) {
      return Corrupt(fmt::format(
          "the files of a sample must follow each other; write the archive sorted by name "
          "(tar --sort=name); this sample's are apart: {}",
          key));
    }
    PENSTOCK_RETURN_NOT_OK(rows.Begin(key));
    suffixes_.clear();
    while (member_ && name_->key == key) {
      PENSTOCK_RETURN_NOT_OK(ReadFile(rows));
      PENSTOCK_RETURN_NOT_OK(GoOn());
    }
    return Status::OK();
  }

  Status ReadFile(WebdatasetRows& rows) {
    const std::string suffix(name_->suffix);
    if (!choice_.suffixes.Has(suffix)) return Status::OK();
    if (suffix == kSampleKey || suffix == kSampleArchive) {
      return Corrupt(fmt::format("no file's suffix may be {}; rename it", suffix));
    }
    if (std::ranges::find(suffixes_, suffix) != suffixes_.end()) {
      return Corrupt(fmt::format("the archive has a file twice; got: {}", member_->name));
    }
    if (suffixes_.size() == WebdatasetRows::kColumnsMax) {
      return Corrupt(fmt::format("a sample has at most {} files", suffixes_.size()));
    }
    suffixes_.push_back(suffix);
    if (columns_.only_wanted() && columns_.schema()->GetFieldIndex(suffix) < 0) {
      return Status::OK();
    }
    if (member_->bytes > kFileBytesMax) {
      return Corrupt(fmt::format("a file is too large to become a value; bytes at most: {}; got {}",
                                 kFileBytesMax, member_->name));
    }
    data_.clear();
    PENSTOCK_RETURN_NOT_OK(archive_->ReadData(&data_));
    const Status added = rows.Add(suffix, data_);
    return added.IsInvalid() ? Corrupt(added.message()) : added;
  }

  Status Corrupt(const std::string& reason) const {
    return archive_->Corrupt(member_->position, reason);
  }

  const WebdatasetChoice& choice_;
  const InputFile file_;
  const int64_t piece_bytes_;
  TextColumns columns_;
  std::optional<TarReader> archive_;  // Null until the first Next.
  std::optional<TarMember> member_;   // Comes next; its data were not read. Null at the end.
  std::optional<MemberName> name_;    // Its own.
  std::unordered_set<std::string> keys_;
  std::vector<std::string> suffixes_;  // Of the sample.
  std::string data_;
};

}  // namespace

std::unique_ptr<TextParser> MakeSampleParser(const WebdatasetChoice& choice, InputFile file,
                                             ParseTarget target) {
  return std::make_unique<SampleParser>(choice, std::move(file), std::move(target));
}

}  // namespace penstock
