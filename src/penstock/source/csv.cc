#include <arrow/csv/chunker.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "penstock/source/csv_options.h"
#include "penstock/source/csv_parser.h"
#include "penstock/source/file_set.h"
#include "penstock/source/registry.h"
#include "penstock/source/text_encoding.h"
#include "penstock/source/text_source.h"

/// The reader csv: options in csv_options.h.
///
/// A file that is not compressed and is UTF-8 is cut into several splits. Where quoted values may
/// span lines, only on a local file system: what tells their newlines from those between rows is
/// reading the file up to there.
namespace penstock {
namespace {

/// Cuts between rows where newlines may lie in quotes. Ranges must begin where a row does.
class QuoteAwareCutter final : public TextCutter {
 public:
  QuoteAwareCutter(std::shared_ptr<arrow::io::RandomAccessFile> file, InputFile info,
                   const arrow::csv::ParseOptions& options)
      : file_(std::move(file)), info_(std::move(info)), options_(options) {}

  Result<int64_t> EndOf(int64_t begin, int64_t wanted) override {
    for (int64_t bytes = std::max(wanted - begin, kScannedMin);; bytes *= 2) {
      if (begin + bytes >= info_.bytes) return info_.bytes;
      auto whole = RowsWithin(begin, bytes);
      if (!whole.ok()) return ReadFailure(whole.status(), info_.path);
      if (*whole > 0) return begin + *whole;
    }
  }

  bool scans() const override { return true; }

 private:
  static constexpr int64_t kScannedMin = 4096;

  /// Returns how many bytes from `begin` on are whole rows.
  Result<int64_t> RowsWithin(int64_t begin, int64_t bytes) {
    PENSTOCK_TRY(std::shared_ptr<arrow::Buffer> text, file_->ReadAt(begin, bytes));
    const std::string_view view(*text);
    auto options = options_;
    options.newlines_in_values =
        view.find(options_.quote_char) != std::string_view::npos ||
        (options_.escaping && view.find(options_.escape_char) != std::string_view::npos);
    std::shared_ptr<arrow::Buffer> whole;
    std::shared_ptr<arrow::Buffer> rest;
    PENSTOCK_RETURN_NOT_OK(arrow::csv::MakeChunker(options)->Process(text, &whole, &rest));
    return whole->size();
  }

  const std::shared_ptr<arrow::io::RandomAccessFile> file_;  // Shared with the buffers read.
  const InputFile info_;
  const arrow::csv::ParseOptions options_;
};

class CsvFormat final : public TextFormat {
 public:
  explicit CsvFormat(CsvOptions options) : options_(std::move(options)) {}

  Result<std::unique_ptr<TextParser>> Open(const InputFile& file, const TextRange& range,
                                           ParseTarget target) const override {
    return MakeCsvParser(options_, file, range, std::move(target));
  }

  Result<std::unique_ptr<TextCutter>> Cutter(const InputFile& file) const override {
    const bool quoted = options_.parse.quoting || options_.parse.escaping;
    if (!IsUtf8Encoding(options_.encoding)) return nullptr;
    if (!options_.parse.newlines_in_values || !quoted) return CutAnywhere();
    if (file.file_system->type_name() != "local") return nullptr;
    PENSTOCK_TRY(auto opened, OpenFile(file));
    return std::make_unique<QuoteAwareCutter>(std::move(opened), file, options_.parse);
  }

 private:
  const CsvOptions options_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeCsvSource(const ReadOp& read, const ReadLimits& limits,
                                              int /*parallelism*/) {
  OptionReader options("reader csv", read.options);
  PENSTOCK_TRY(CsvOptions csv_options, ReadCsvOptions(options));
  PENSTOCK_TRY(auto set, ListFileSet(options, read, /*folder_extensions=*/{}));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakeTextSource(std::make_unique<CsvFormat>(std::move(csv_options)), std::move(set.files),
                        std::move(set.columns), read, limits);
}

}  // namespace penstock
