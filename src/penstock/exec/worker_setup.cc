#include "penstock/exec/worker_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "penstock/worker/environment.h"

namespace penstock {
namespace {

const char* KindName(FunctionKind kind) {
  switch (kind) {
    case FunctionKind::kBatches:
      return "batches";
    case FunctionKind::kRow:
      return "row";
    case FunctionKind::kFlatRow:
      return "flat_row";
    case FunctionKind::kFilterRow:
      return "filter_row";
  }
  return "";
}

void AppendLittleEndian(uint32_t value, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace

std::string PackWorkerSetup(const std::string& stage, const FunctionsOp& functions) {
  nlohmann::json header = {{"stage", stage}, {"functions", nlohmann::json::array()}};
  for (const FunctionSpec& function : functions.functions) {
    header["functions"].push_back({{"name", function.name},
                                   {"kind", KindName(function.kind)},
                                   {"keeps_rows", function.keeps_rows},
                                   {"bytes", function.payload.size()}});
  }
  const std::string header_text = header.dump();
  std::string packed = "PENSETUP";
  AppendLittleEndian(static_cast<uint32_t>(header_text.size()), packed);
  packed += header_text;
  for (const FunctionSpec& function : functions.functions) packed += function.payload;
  return packed;
}

WorkerCommand CommandFor(WorkerCommand command, const Stage& stage, StageIndex pool,
                         WorkerIndex worker, int processors) {
  const WorkerOptions& options = stage.functions->options;
  command.pool = pool;
  command.pool_name = stage.name;
  command.name = fmt::format("{} worker {}", stage.name, worker);
  if (options.threads) command.shared = WorkerSharing::kProcess;
  if (options.shares_model) command.shared = WorkerSharing::kModel;
  command.pool_workers = stage.workers;
  SetVariables(options.environment, &command.environment);
  const int share = std::max(1, processors / std::max(1, stage.workers));
  for (const char* const name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    if (HasVariable(command.environment, name)) continue;
    command.environment.push_back(fmt::format("{}={}", name, share));
  }
  return command;
}

}  // namespace penstock
