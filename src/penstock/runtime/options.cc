#include "penstock/runtime/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace penstock::runtime {
namespace {

using Json = nlohmann::json;

constexpr size_t kGpuIndex = 1;
constexpr size_t kMemoryIndex = 2;
constexpr int kDefaultRetries = 3;
constexpr double kCountMax = 1e9;

double NumberIn(const Json& options, const char* name, double otherwise) {
  const auto found = options.find(name);
  return found != options.end() && found->is_number() ? found->get<double>() : otherwise;
}

double AmountIn(const Json& options, const char* name, double otherwise) {
  return std::max(NumberIn(options, name, otherwise), 0.0);
}

/// Anything below 0 is -1: for ever, or without a limit.
int CountIn(const Json& options, const char* name, int otherwise) {
  return static_cast<int>(std::clamp(NumberIn(options, name, otherwise), -1.0, kCountMax));
}

bool FlagIn(const Json& options, const char* name) {
  const auto found = options.find(name);
  return found != options.end() && found->is_boolean() && found->get<bool>();
}

std::string TextIn(const Json& options, const char* name) {
  const auto found = options.find(name);
  return found != options.end() && found->is_string() ? found->get<std::string>() : "";
}

/// An amount as people write it: 2, 0.5.
std::string AmountText(double amount) { return fmt::format("{:g}", amount); }

std::string Unplaceable(const std::string& name, double asked, double total) {
  const std::string what = name == "CPU" || name == "GPU" ? name + "s" : "of '" + name + "'";
  if (total <= 0) return fmt::format("asks for {} {}, and there are none", AmountText(asked), what);
  return fmt::format("asks for {} {}, and there are {}", AmountText(asked), what,
                     AmountText(total));
}

ActorSpec ReadActor(const Json& options) {
  ActorSpec actor;
  actor.max_restarts = CountIn(options, "max_restarts", 0);
  const bool is_async = FlagIn(options, "is_async");
  actor.max_concurrency = std::max(CountIn(options, "max_concurrency", is_async ? 1000 : 1), 1);
  actor.max_pending_calls = CountIn(options, "max_pending_calls", -1);
  const auto groups = options.find("concurrency_groups");
  const bool has_groups = groups != options.end() && groups->is_object() && !groups->empty();
  if (has_groups) {
    for (const auto& [name, limit] : groups->items()) {
      actor.max_concurrency += std::max(CountIn(*groups, name.c_str(), 0), 0);
    }
  }
  actor.in_order = !is_async && !has_groups && actor.max_concurrency <= 1;
  return actor;
}

TaskEnvironment ReadEnvironment(const Json& options) {
  TaskEnvironment environment{.variables = {}, .working_folder = TextIn(options, "working_dir")};
  const auto variables = options.find("env_vars");
  if (variables == options.end() || !variables->is_object()) return environment;
  for (const auto& [name, value] : variables->items()) {
    if (value.is_string()) {
      environment.variables.push_back(name + "=" + value.get<std::string>());
    }
  }
  return environment;
}

/// Returns what is needed of each of the resources; the first that is too little goes to
/// `too_much`.
std::vector<double> ReadNeeds(const Json& options, TaskKind kind,
                              const std::vector<std::pair<std::string, double>>& resources,
                              std::string* too_much) {
  std::vector<double> needs(resources.size(), 0.0);
  needs[kProcessorIndex] = AmountIn(options, "num_cpus", kind == TaskKind::kFunction ? 1 : 0);
  needs[kGpuIndex] = AmountIn(options, "num_gpus", 0);
  needs[kMemoryIndex] = AmountIn(options, "memory", 0);
  const auto others = options.find("resources");
  if (others != options.end() && others->is_object()) {
    for (const auto& [name, amount] : others->items()) {
      if (!amount.is_number() || amount.get<double>() <= 0) continue;
      size_t index = 0;
      while (index < resources.size() && resources[index].first != name) ++index;
      if (index < resources.size()) {
        needs[index] += amount.get<double>();
      } else if (too_much->empty()) {
        *too_much = Unplaceable(name, amount.get<double>(), 0);
      }
    }
  }
  for (size_t i = 0; i < needs.size() && too_much->empty(); ++i) {
    const auto& [name, total] = resources[i];
    if (needs[i] > total + 1e-9) *too_much = Unplaceable(name, needs[i], total);
  }
  return needs;
}

}  // namespace

EnvironmentNumber OptionReader::NumberOf(TaskEnvironment environment) {
  const auto next = static_cast<EnvironmentNumber>(environments_.size());
  const auto [known, is_new] =
      numbers_.try_emplace({environment.variables, environment.working_folder}, next);
  if (is_new) environments_.push_back(std::move(environment));
  return known->second;
}

Result<std::shared_ptr<const TaskOptions>> OptionReader::Read(TaskKind kind,
                                                              std::string_view text) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(kind)));
  key += text;
  const auto kept = kept_.find(key);
  if (kept != kept_.end()) return kept->second;
  const Json options =
      text.empty() ? Json::object() : Json::parse(text.begin(), text.end(), nullptr, false);
  if (!options.is_object()) return Status::Invalid("sent options that are no JSON object");
  auto read = std::make_shared<TaskOptions>();
  read->name = TextIn(options, "name");
  read->label = TextIn(options, "label");
  if (kind != TaskKind::kMethod) {
    read->needs = ReadNeeds(options, kind, resources_, &read->unplaceable);
    read->gpus = read->needs[kGpuIndex];
    if (read->unplaceable.empty()) {
      read->shape = scheduler_.ShapeOf(read->needs, NumberOf(ReadEnvironment(options)));
    }
  }
  read->max_retries_given = options.contains("max_retries");
  read->max_retries = CountIn(options, "max_retries", kDefaultRetries);
  // What a GPU task leaves on the device is gone with its process.
  read->max_calls = CountIn(options, "max_calls", read->gpus > 0 ? 1 : 0);
  read->actor = ReadActor(options);
  read->max_task_retries = CountIn(options, "max_task_retries", 0);
  read->name_space = TextIn(options, "namespace");
  read->detached = FlagIn(options, "detached");
  read->get_if_exists = FlagIn(options, "get_if_exists");
  if (kept_.size() >= kKeptMax) kept_.clear();
  return kept_.emplace(std::move(key), std::move(read)).first->second;
}

}  // namespace penstock::runtime
