#include "penstock/sink/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/sink/file_sink.h"
#include "penstock/sink/sink.h"

namespace penstock {
namespace {

struct Writer {
  std::string_view kind;
  Result<std::unique_ptr<FileFormat>> (*make)(OptionReader&);
};

constexpr std::array kWriters{
    Writer{"arrow", MakeArrowFormat},           Writer{"csv", MakeCsvFormat},
    Writer{"image", MakeImageFormat},           Writer{"json", MakeJsonFormat},
    Writer{"numpy", MakeNumpyFormat},           Writer{"orc", MakeOrcFormat},
    Writer{"parquet", MakeParquetFormat},       Writer{"tfrecord", MakeTfrecordFormat},
    Writer{"webdataset", MakeWebdatasetFormat},
};

}  // namespace

Result<std::unique_ptr<Sink>> MakeSink(const WriteOp& write) {
  const auto* writer =
      std::ranges::find(kWriters.begin(), kWriters.end(), write.kind, &Writer::kind);
  if (writer == kWriters.end()) {
    std::vector<std::string_view> known;
    for (const Writer& other : kWriters) known.push_back(other.kind);
    return Status::Invalid(fmt::format("There is no writer of this kind; known: {}; got: {}",
                                       fmt::join(known, ", "), write.kind));
  }
  OptionReader options(fmt::format("writer {}", write.kind), write.options);
  PENSTOCK_TRY(auto format, writer->make(options));
  return MakeFileSink(std::move(options), std::move(format), write);
}

}  // namespace penstock
