#include <arrow/array/builder_binary.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/file_set.h"
#include "penstock/source/registry.h"
#include "penstock/source/text_encoding.h"
#include "penstock/source/text_rows.h"
#include "penstock/source/text_source.h"
#include "penstock/source/utf8.h"

/// The reader text: a row a line, in the column "text". Options besides those of all file readers:
///   encoding          of the text, as iconv names it; "utf-8"
///   drop_empty_lines  whether to leave out lines of nothing but ASCII white space; true
///
/// A line ends with \n, \r\n or a lone \r, which are not part of it; after the last one there is no
/// further line. A file that is not compressed and is UTF-8 is cut into several splits.
namespace penstock {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\v\f\x1C\x1D\x1E\x1F";

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

const std::shared_ptr<arrow::Schema>& LineSchema() {
  static const auto kSchema = arrow::schema({arrow::field("text", arrow::utf8())});
  return kSchema;
}

struct TextOptions {
  std::string encoding;
  bool drop_empty_lines = true;
};

/// Cuts a text into lines. Looks at each byte twice at most, whatever ends the lines.
class LineCutter {
 public:
  explicit LineCutter(std::string_view text)
      : text_(text), newline_(text.find('\n')), return_(text.find('\r')) {}

  bool at_end() const { return at_ >= text_.size(); }

  std::string_view Next() {
    const size_t end = std::min({newline_, return_, text_.size()});
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + (end == return_ && newline_ == return_ + 1 ? 2 : 1);
    if (newline_ < at_) newline_ = text_.find('\n', at_);
    if (return_ < at_) return_ = text_.find('\r', at_);
    return line;
  }

 private:
  const std::string_view text_;
  size_t at_ = 0;
  size_t newline_;  // The next ones from at_ on; npos: there is none.
  size_t return_;
};

class LineParser final : public TextParser {
 public:
  LineParser(TextOptions options, InputFile file, const TextRange& range, int64_t piece_bytes)
      : options_(std::move(options)),
        file_(std::move(file)),
        range_(range),
        piece_bytes_(piece_bytes),
        place_(file_.path) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (!rows_) PENSTOCK_RETURN_NOT_OK(Start());
    while (true) {
      auto text = rows_->NextPiece();
      if (!text.ok()) return ReadFailure(text.status(), place_.FromRow(lines_read_ + 1));
      if (*text == nullptr) return nullptr;
      PENSTOCK_TRY(auto batch, Lines(std::string_view(**text)));
      if (batch->num_rows() > 0) return batch;
    }
  }

 private:
  Status Start() {
    std::shared_ptr<arrow::io::InputStream> stream;
    int64_t row_bytes_max = kRowBytesMax;
    if (range_.whole()) {
      PENSTOCK_TRY(stream, OpenStream(file_));
      PENSTOCK_TRY(row_bytes_max, RowBytesMaxOf(file_));
      PENSTOCK_TRY(stream, AsUtf8(std::move(stream), options_.encoding));
    } else {
      PENSTOCK_TRY(const auto file, OpenFile(file_));
      auto range = OpenRange(file, range_);
      if (!range.ok()) return ReadFailure(range.status(), file_.path);
      place_ = TextPlace(file_.path, range->begin);
      stream = std::move(range->stream);
    }
    rows_.emplace(std::move(stream),
                  std::make_unique<arrow::Chunker>(arrow::MakeNewlineBoundaryFinder()),
                  piece_bytes_, row_bytes_max);
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Lines(std::string_view text) {
    const bool sound = IsUtf8(text);
    arrow::StringBuilder lines;
    PENSTOCK_RETURN_NOT_OK(lines.ReserveData(static_cast<int64_t>(text.size())));
    const bool first = !std::exchange(started_, true) && range_.begin == 0;
    if (first && options_.encoding == "utf-8-sig" && text.starts_with(kByteOrderMark)) {
      text.remove_prefix(kByteOrderMark.size());
    }
    if (std::exchange(after_return_, false) && text.starts_with('\n')) text.remove_prefix(1);
    after_return_ = text.ends_with('\r');
    for (LineCutter cutter(text); !cutter.at_end();) {
      const std::string_view line = cutter.Next();
      ++lines_read_;
      if (!sound && !IsUtf8(line)) return NotUtf8();
      const bool blank = line.find_first_not_of(kBlanks) == std::string_view::npos;
      if (blank && options_.drop_empty_lines) continue;
      PENSTOCK_RETURN_NOT_OK(lines.Append(line));
    }
    PENSTOCK_TRY(const auto array, lines.Finish());
    return arrow::RecordBatch::Make(LineSchema(), array->length(), {array});
  }

  Status NotUtf8() const {
    return MakeError(ErrorKind::kCorruptData,
                     fmt::format("{}: the text is not UTF-8; name its encoding, or read the file "
                                 "with read_binary_files",
                                 place_.AtRow(lines_read_)));
  }

  const TextOptions options_;
  const InputFile file_;
  const TextRange range_;
  const int64_t piece_bytes_;
  TextPlace place_;
  std::optional<TextRows> rows_;  // Of the range; none before Start.
  bool started_ = false;
  bool after_return_ = false;  // The piece before ended between \r and perhaps \n.
  int64_t lines_read_ = 0;
};

class LineFormat final : public TextFormat {
 public:
  explicit LineFormat(TextOptions options) : options_(std::move(options)) {}

  Result<std::unique_ptr<TextParser>> Open(const InputFile& file, const TextRange& range,
                                           ParseTarget target) const override {
    return std::make_unique<LineParser>(options_, file, range, target.piece_bytes);
  }

  Result<std::unique_ptr<TextCutter>> Cutter(const InputFile& /*file*/) const override {
    return IsUtf8Encoding(options_.encoding) ? CutAnywhere() : nullptr;
  }

  std::shared_ptr<arrow::Schema> fixed_schema() const override { return LineSchema(); }

 private:
  const TextOptions options_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeLineSource(const ReadOp& read, const ReadLimits& limits,
                                               int /*parallelism*/) {
  OptionReader options("reader text", read.options);
  TextOptions text_options;
  PENSTOCK_TRY(text_options.encoding, ReadEncoding(options));
  PENSTOCK_TRY(text_options.drop_empty_lines, options.Bool("drop_empty_lines", true));
  PENSTOCK_TRY(auto set, ListFileSet(options, read, /*folder_extensions=*/{}));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakeTextSource(std::make_unique<LineFormat>(std::move(text_options)), std::move(set.files),
                        std::move(set.columns), read, limits);
}

}  // namespace penstock
