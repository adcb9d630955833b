#include <fmt/format.h>

#include <iostream>
#include <utility>

#include "penstock/source/file_set.h"
#include "penstock/source/registry.h"
#include "penstock/source/text_source.h"
#include "penstock/source/utf8.h"
#include "penstock/source/webdataset_parsers.h"

/// Options of the reader webdataset besides those of all file readers:
///   select    patterns of the names of files to read (see member_names.h); null: all
///   suffixes  patterns of what samples have; null: all
///   archives  true: a row an archive instead, with "__names__" and "__data__"; false
///   verbose   whether to write the name of each archive that is opened to the standard error;
///   false
///
/// A row a sample, in the columns `__key__`, `__url__` (the archive) and one of binary for each
/// suffix. A sample is the files of an archive that follow each other and have one key: two
/// archives with one key have two samples. kCorruptData, naming archive and byte, where a key comes
/// again after another one, or a file twice. Archives are not cut: one is read by one thread.
namespace penstock {
namespace {

class WebdatasetFormat final : public TextFormat {
 public:
  WebdatasetFormat(WebdatasetChoice choice, bool archives, bool verbose)
      : choice_(std::move(choice)), archives_(archives), verbose_(verbose) {}

  Result<std::unique_ptr<TextParser>> Open(const InputFile& file, const TextRange& /*range*/,
                                           ParseTarget target) const override {
    if (!IsUtf8(file.path)) {
      return Status::Invalid(
          fmt::format("{}: the path is not UTF-8; rename the file: its path is a value of the "
                      "column \"__url__\"",
                      file.path));
    }
    const bool looks_only = target.wanted == nullptr;
    if (verbose_ && !looks_only) std::cerr << ("start " + file.path + "\n");
    if (archives_) return MakeArchiveParser(choice_, file);
    return MakeSampleParser(choice_, file, std::move(target));
  }

  Result<std::unique_ptr<TextCutter>> Cutter(const InputFile& /*file*/) const override {
    return nullptr;
  }

  std::shared_ptr<arrow::Schema> fixed_schema() const override {
    return archives_ ? ArchiveSchema() : nullptr;
  }

 private:
  const WebdatasetChoice choice_;
  const bool archives_;
  const bool verbose_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeWebdatasetSource(const ReadOp& read, const ReadLimits& limits,
                                                     int /*parallelism*/) {
  OptionReader options("reader webdataset", read.options);
  PENSTOCK_TRY(auto select, options.Texts("select"));
  PENSTOCK_TRY(auto suffixes, options.Texts("suffixes"));
  PENSTOCK_TRY(const bool archives, options.Bool("archives", false));
  PENSTOCK_TRY(const bool verbose, options.Bool("verbose", false));
  PENSTOCK_TRY(auto set, ListFileSet(options, read, WithCodecs({"tar"})));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  WebdatasetChoice choice{.files = NameChoice(std::move(select)),
                          .suffixes = NameChoice(std::move(suffixes))};
  return MakeTextSource(std::make_unique<WebdatasetFormat>(std::move(choice), archives, verbose),
                        std::move(set.files), std::move(set.columns), read, limits);
}

}  // namespace penstock
