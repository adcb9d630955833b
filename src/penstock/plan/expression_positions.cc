#include "penstock/plan/expression_positions.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/function.h>
#include <arrow/compute/kernel.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "penstock/base/mix.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

constexpr double kUnit = 1.0 / (uint64_t{1} << 53);

uint64_t Entropy() {
  std::random_device device;
  return (uint64_t{device()} << 32) ^ device();
}

Status Finish(arrow::ArrayBuilder& builder, compute::ExecResult* out) {
  std::shared_ptr<arrow::Array> made;
  PENSTOCK_RETURN_NOT_OK(builder.Finish(&made));
  out->value = made->data();
  return Status::OK();
}

Status RandomNumbers(compute::KernelContext*, const compute::ExecSpan& batch,
                     compute::ExecResult* out) {
  const auto places = batch[0].array.ToArray();
  const auto& values = dynamic_cast<const arrow::UInt64Array&>(*places);
  if (!batch[1].is_scalar()) return Status::Invalid("random() needs one seed");
  const auto& seed = dynamic_cast<const arrow::Int64Scalar&>(*batch[1].scalar);
  const uint64_t key = Mix(seed.is_valid ? static_cast<uint64_t>(seed.value) : Entropy());
  arrow::DoubleBuilder numbers;
  PENSTOCK_RETURN_NOT_OK(numbers.Reserve(values.length()));
  for (int64_t i = 0; i < values.length(); ++i) {
    numbers.UnsafeAppend(static_cast<double>(Mix(values.Value(i) ^ key) >> 11) * kUnit);
  }
  return Finish(numbers, out);
}

Status Uuids(compute::KernelContext*, const compute::ExecSpan& batch, compute::ExecResult* out) {
  constexpr uint64_t kVersion = 0x4000;
  const uint64_t first = Entropy();
  const uint64_t second = Entropy();
  arrow::StringBuilder texts;
  for (int64_t i = 0; i < batch.length; ++i) {
    const uint64_t high = Mix(first + static_cast<uint64_t>(i));
    const uint64_t low = (Mix(second + static_cast<uint64_t>(i)) >> 2) | (uint64_t{1} << 63);
    PENSTOCK_RETURN_NOT_OK(texts.Append(
        fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                    (high & 0x0FFF) | kVersion, low >> 48, low & 0xFFFFFFFFFFFF)));
  }
  return Finish(texts, out);
}

Status Register(compute::FunctionRegistry& registry, const std::string& name,
                std::vector<compute::InputType> inputs,
                const std::shared_ptr<arrow::DataType>& output, compute::ArrayKernelExec execute) {
  // pyarrow.compute makes a Python function of each that is registered: names must differ.
  std::vector<std::string> names;
  for (size_t i = 0; i < inputs.size(); ++i) names.push_back("argument_" + std::to_string(i));
  auto function = std::make_shared<compute::ScalarFunction>(
      name, compute::Arity(static_cast<int>(inputs.size())),
      compute::FunctionDoc("", "", std::move(names)), /*default_options=*/nullptr,
      /*is_pure=*/false);
  compute::ScalarKernel kernel(std::move(inputs), output, execute);
  kernel.null_handling = compute::NullHandling::COMPUTED_NO_PREALLOCATE;
  kernel.mem_allocation = compute::MemAllocation::NO_PREALLOCATE;
  PENSTOCK_RETURN_NOT_OK(function->AddKernel(std::move(kernel)));
  return registry.AddFunction(std::move(function));
}

}  // namespace

bool ReadsPositions(const nlohmann::json& json) {
  if (!json.is_object()) return false;
  if (json.contains("position")) return true;
  const auto arguments = json.find("arguments");
  return arguments != json.end() && arguments->is_array() &&
         std::ranges::any_of(*arguments, ReadsPositions);
}

bool ReadsPositionsIn(const AssignOp& assign) {
  return std::ranges::any_of(assign.columns,
                             [](const auto& pair) { return ReadsPositions(pair.second); });
}

bool ReadsPositionsIn(const LogicalOp& op) {
  if (const auto* filter = std::get_if<FilterOp>(&op)) return ReadsPositions(filter->expression);
  const auto* assign = std::get_if<AssignOp>(&op);
  return assign != nullptr && ReadsPositionsIn(*assign);
}

Status RegisterPositionFunctions(compute::FunctionRegistry& registry) {
  PENSTOCK_RETURN_NOT_OK(Register(registry, "row_random", {arrow::uint64(), arrow::int64()},
                                  arrow::float64(), RandomNumbers));
  return Register(registry, "row_uuid", {arrow::uint64()}, arrow::utf8(), Uuids);
}

}  // namespace penstock
