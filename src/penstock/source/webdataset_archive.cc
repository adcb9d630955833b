#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/tar_reader.h"
#include "penstock/source/utf8.h"
#include "penstock/source/webdataset_parsers.h"
#include "penstock/source/webdataset_rows.h"

namespace penstock {
namespace {

constexpr uint64_t kArchiveBytesMax = uint64_t{1} << 30;

class ArchiveParser final : public TextParser {
 public:
  ArchiveParser(const WebdatasetChoice& choice, InputFile file)
      : choice_(choice), file_(std::move(file)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (std::exchange(read_, true)) return nullptr;
    PENSTOCK_TRY(auto bytes, ByteStream::Open(file_, TextRange{}));
    TarReader archive(std::move(bytes));
    const auto names = std::make_shared<arrow::StringBuilder>();
    const auto values = std::make_shared<arrow::BinaryBuilder>();
    arrow::ListBuilder name_list(arrow::default_memory_pool(), names);
    arrow::ListBuilder value_list(arrow::default_memory_pool(), values);
    PENSTOCK_RETURN_NOT_OK(name_list.Append());
    PENSTOCK_RETURN_NOT_OK(value_list.Append());
    PENSTOCK_RETURN_NOT_OK(ReadFiles(archive, *names, *values));
    arrow::StringBuilder paths;
    PENSTOCK_RETURN_NOT_OK(paths.Append(file_.path));
    arrow::ArrayVector arrays(3);
    PENSTOCK_TRY(arrays[0], paths.Finish());
    PENSTOCK_TRY(arrays[1], name_list.Finish());
    PENSTOCK_TRY(arrays[2], value_list.Finish());
    return arrow::RecordBatch::Make(ArchiveSchema(), 1, std::move(arrays));
  }

 private:
  Status ReadFiles(TarReader& archive, arrow::StringBuilder& names,
                   arrow::BinaryBuilder& values) const {
    uint64_t held = 0;
    std::string data;
    while (true) {
      PENSTOCK_TRY(const auto member, archive.Next());
      if (!member) return Status::OK();
      if (!IsUtf8(member->name)) {
        return archive.Corrupt(member->position, "a file's name is not UTF-8; rename it");
      }
      if (!choice_.files.Has(member->name)) continue;
      held += member->bytes;
      if (member->bytes > kArchiveBytesMax || held > kArchiveBytesMax) {
        return Status::Invalid(fmt::format(
            "{}: to rename its files, or to choose them by a function, an archive is held whole; "
            "split it, or leave out filerename and give fileselect as patterns; bytes at most: {}",
            file_.path, kArchiveBytesMax));
      }
      data.clear();
      PENSTOCK_RETURN_NOT_OK(archive.ReadData(&data));
      PENSTOCK_RETURN_NOT_OK(names.Append(member->name));
      PENSTOCK_RETURN_NOT_OK(values.Append(data));
    }
  }

  const WebdatasetChoice& choice_;
  const InputFile file_;
  bool read_ = false;
};

}  // namespace

std::unique_ptr<TextParser> MakeArchiveParser(const WebdatasetChoice& choice, InputFile file) {
  return std::make_unique<ArchiveParser>(choice, std::move(file));
}

std::shared_ptr<arrow::Schema> ArchiveSchema() {
  static const auto kSchema =
      arrow::schema({arrow::field(kSampleArchive, arrow::utf8()),
                     arrow::field("__names__", arrow::list(arrow::utf8())),
                     arrow::field("__data__", arrow::list(arrow::binary()))});
  return kSchema;
}

}  // namespace penstock
