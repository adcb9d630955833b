#include "penstock/reading.h"

#include <nlohmann/json.hpp>

#include "penstock/plan/logical.h"
#include "penstock/plan/options.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

Dataset Reading(ReadOp read) {
  return Dataset(std::make_shared<LogicalPlan>(LogicalPlan{{std::move(read)}}));
}

}  // namespace

Dataset ReadFiles(const std::string& kind, const std::vector<std::string>& paths,
                  const ReadOptions& options) {
  ReadOp read{.kind = kind,
              .options = OptionsFromText(options.options_json),
              .file_system = options.file_system,
              .splits = options.blocks};
  read.options["paths"] = paths;
  return Reading(std::move(read));
}

Dataset ReadParquet(const std::vector<std::string>& paths, const ReadOptions& options) {
  return ReadFiles("parquet", paths, options);
}
Dataset ReadCsv(const std::vector<std::string>& paths, const ReadOptions& options) {
  return ReadFiles("csv", paths, options);
}
Dataset ReadJson(const std::vector<std::string>& paths, const ReadOptions& options) {
  return ReadFiles("json", paths, options);
}

Dataset Read(const std::string& kind, const std::string& options_json) {
  return Reading({.kind = kind, .options = OptionsFromText(options_json)});
}

Dataset Range(int64_t count) { return Reading({.kind = "range", .options = {{"count", count}}}); }

Dataset FromBatches(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  return Reading({.kind = "memory", .batches = std::move(batches)});
}

}  // namespace penstock
