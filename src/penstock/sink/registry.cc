#include "penstock/sink/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace penstock {
namespace {

struct Writer {
  std::string_view kind;
  Result<std::unique_ptr<Sink>> (*make)(const WriteOp&);
};

constexpr std::array kWriters{Writer{"parquet", MakeParquetSink}};

}  // namespace

Result<std::unique_ptr<Sink>> MakeSink(const WriteOp& write) {
  const auto* writer =
      std::ranges::find(kWriters.begin(), kWriters.end(), write.kind, &Writer::kind);
  if (writer != kWriters.end()) return writer->make(write);
  std::vector<std::string_view> known;
  for (const Writer& other : kWriters) known.push_back(other.kind);
  return Status::Invalid(fmt::format("There is no writer of this kind; known: {}; got: {}",
                                     fmt::join(known, ", "), write.kind));
}

}  // namespace penstock
