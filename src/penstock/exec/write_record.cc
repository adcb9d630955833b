#include "penstock/exec/write_record.h"

#include <fmt/format.h>

#include "penstock/base/error.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string WriteRecordOf(const LogicalPlan& plan, const WriteOp& write,
                          const PhysicalPlan& physical) {
  Json options = write.options;
  for (const char* option : {"path", "mode", "create_folder"}) options.erase(option);
  Json stages = Json::array();
  for (const Stage& stage : physical.stages) stages.push_back(stage.name);
  Json record = {
      {"kind", write.kind}, {"options", std::move(options)}, {"stages", std::move(stages)}};
  const size_t ops = plan.ops.size();
  const auto* project = ops < 2 ? nullptr : std::get_if<ProjectOp>(&plan.ops[ops - 2]);
  record["columns"] = project == nullptr ? Json::array() : Json(project->columns);
  return record.dump();
}

Result<WriteRecord> ReadWriteRecord(const std::string& text, const std::string& folder) {
  if (text.empty()) {
    return MakeError(ErrorKind::kJobChanged,
                     "An older version of Penstock has written this output, and did not keep how; "
                     "write it anew (on_mismatch=\"restart\") to run its dead rows again; got: " +
                         folder);
  }
  try {
    const Json record = Json::parse(text);
    WriteRecord read{.write = {.kind = record.at("kind"), .options = record.at("options")}};
    record.at("stages").get_to(read.stages);
    record.at("columns").get_to(read.columns);
    return read;
  } catch (const Json::exception& error) {
    return MakeError(ErrorKind::kCorruptData,
                     fmt::format("The ledger does not say how the output was written ({}); write "
                                 "it anew; got: {}",
                                 error.what(), folder));
  }
}

}  // namespace penstock
