#include <string_view>
#include <utility>

#include "penstock/source/file_set.h"
#include "penstock/source/json_parser.h"
#include "penstock/source/registry.h"
#include "penstock/source/text_source.h"
#include "penstock/source/type_names.h"

/// Options of the reader json besides those of all file readers:
///   lines         true: each line is an object; else a file may be one array of objects instead
///   column_types  {"column": "int64"}, see type_names.h; the others are inferred
///
/// The text must be UTF-8, and nested at most kJsonDepthMax deep; kCorruptData where it is not.
/// An object that lacks a field has null there. A file of lines that is not compressed is cut into
/// several splits; an array stays whole.
namespace penstock {
namespace {

constexpr int64_t kLookBytes = 4096;

/// Says whether the text begins with an object, as a file of lines does.
bool BeginsWithObject(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != std::string_view::npos && text[first] == '{';
}

class JsonFormat final : public TextFormat {
 public:
  JsonFormat(bool lines_only, ColumnTypes types)
      : lines_only_(lines_only), types_(std::move(types)) {}

  Result<std::unique_ptr<TextParser>> Open(const InputFile& file, const TextRange& range,
                                           ParseTarget target) const override {
    return MakeJsonParser(types_, !lines_only_, file, range, std::move(target));
  }

  Result<std::unique_ptr<TextCutter>> Cutter(const InputFile& file) const override {
    if (lines_only_) return CutAnywhere();
    PENSTOCK_TRY(const auto opened, OpenFile(file));
    const auto front = opened->ReadAt(0, kLookBytes);
    if (!front.ok()) return ReadFailure(front.status(), file.path);
    return BeginsWithObject(std::string_view(**front)) ? CutAnywhere() : nullptr;
  }

 private:
  const bool lines_only_;
  const ColumnTypes types_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeJsonSource(const ReadOp& read, const ReadLimits& limits,
                                               int /*parallelism*/) {
  OptionReader options("reader json", read.options);
  PENSTOCK_TRY(const bool lines_only, options.Bool("lines", false));
  PENSTOCK_TRY(ColumnTypes types, ReadColumnTypes(options));
  PENSTOCK_TRY(auto set, ListFileSet(options, read, WithCodecs({"json", "jsonl", "ndjson"})));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakeTextSource(std::make_unique<JsonFormat>(lines_only, std::move(types)),
                        std::move(set.files), std::move(set.columns), read, limits);
}

}  // namespace penstock
