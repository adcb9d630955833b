#include "penstock/source/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace penstock {
namespace {

using Factory = Result<std::unique_ptr<Source>> (*)(const ReadOp&, const ReadLimits&, int);

struct Reader {
  std::string_view kind;
  Factory make;
  ReaderTraits traits;
};

constexpr std::array kReaders{
    Reader{"parquet", MakeParquetSource, {.projects = true, .prunes = true}},
    Reader{"csv", MakeCsvSource, {.projects = true}},
    Reader{"json", MakeJsonSource, {.projects = true}},
    Reader{"text", MakeLineSource, {.projects = true}},
    Reader{"orc", MakeOrcSource, {.projects = true}},
    Reader{"ipc", MakeIpcSource, {.projects = true}},
    Reader{"range", MakeRangeSource, {.splits_freely = true}},
    Reader{"range_tensor", MakeRangeTensorSource, {.splits_freely = true}},
    Reader{"binary_files", MakeBinaryFilesSource, {.projects = true}},
    Reader{"numpy", MakeNumpySource, {.projects = true}},
    Reader{"images", MakeImagesSource, {.projects = true}},
    Reader{"tfrecord", MakeTfrecordSource, {.projects = true}},
    Reader{"webdataset", MakeWebdatasetSource, {.projects = true}},
    Reader{"memory", MakeMemorySource, {.projects = true, .splits_freely = true}},
};

const Reader* FindReader(const std::string& kind) {
  const auto* found = std::find_if(kReaders.begin(), kReaders.end(),
                                   [&kind](const Reader& reader) { return reader.kind == kind; });
  return found == kReaders.end() ? nullptr : found;
}

Status UnknownKind(const std::string& kind) {
  std::vector<std::string_view> known;
  for (const Reader& reader : kReaders) known.push_back(reader.kind);
  return Status::Invalid(fmt::format("There is no reader of this kind; known: {}; got: {}",
                                     fmt::join(known, ", "), kind));
}

}  // namespace

Result<std::unique_ptr<Source>> MakeSource(const ReadOp& read, const ReadLimits& limits,
                                           int parallelism) {
  const Reader* reader = FindReader(read.kind);
  if (reader == nullptr) return UnknownKind(read.kind);
  if (read.splits && *read.splits < 1) {
    return Status::Invalid(
        fmt::format("The number of blocks to read must be at least 1; got: {}", *read.splits));
  }
  if (!read.order_seed) return reader->make(read, limits, parallelism);
  ReadOp in_order = read;
  in_order.order_seed.reset();
  in_order.row_limit.reset();  // The first rows in the drawn order may lie anywhere.
  PENSTOCK_TRY(auto source, reader->make(in_order, limits, parallelism));
  return MakeShuffledSource(std::move(source), *read.order_seed, limits);
}

ReaderTraits ReaderTraitsOf(const std::string& kind) {
  const Reader* reader = FindReader(kind);
  return reader == nullptr ? ReaderTraits{} : reader->traits;
}

}  // namespace penstock
