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

/// Returns the place of a resource, or how many there are where it is none of them.
size_t IndexOf(const std::string& name,
               const std::vector<std::pair<std::string, double>>& resources) {
  size_t index = 0;
  while (index < resources.size() && resources[index].first != name) ++index;
  return index;
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
      const size_t index = IndexOf(name, resources);
      if (index < resources.size()) {
        needs[index] += amount.get<double>();
      } else if (too_much->empty()) {
        *too_much = TooLittle(name, amount.get<double>(), 0, "");
      }
    }
  }
  for (size_t i = 0; i < needs.size() && too_much->empty(); ++i) {
    const auto& [name, total] = resources[i];
    if (needs[i] > total + 1e-9) *too_much = TooLittle(name, needs[i], total, "");
  }
  return needs;
}

Place ReadPlace(const Json& options) {
  const auto group = options.find("group");
  if (group == options.end() || !group->is_number_unsigned()) return {};
  const double bundle = NumberIn(options, "bundle", kAnyBundle);
  return {.group = group->get<uint64_t>(),
          .bundle = static_cast<int>(std::clamp(bundle, -1.0, kCountMax))};
}

}  // namespace

std::string TooLittle(const std::string& resource, double asked, double there,
                      const std::string& where) {
  const bool is_common = resource == "CPU" || resource == "GPU";
  const std::string what = is_common ? resource + "s" : "of '" + resource + "'";
  return fmt::format("asks for {} {}, and there are {}{}", AmountText(asked), what,
                     there <= 0 ? "none" : AmountText(there), where);
}

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
    read->place = ReadPlace(options);
    if (read->unplaceable.empty()) {
      read->environment = NumberOf(ReadEnvironment(options));
      if (read->place.group == 0) {
        read->shape = scheduler_.ShapeOf(read->needs, read->environment);
      }
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

Result<GroupOptions> OptionReader::ReadGroup(std::string_view text) const {
  const Json options = Json::parse(text.begin(), text.end(), nullptr, false);
  const auto bundles = options.find("bundles");
  if (!options.is_object() || bundles == options.end() || !bundles->is_array()) {
    return Status::Invalid("made a placement group of no bundles");
  }
  GroupOptions group{.name = TextIn(options, "name"), .strategy = TextIn(options, "strategy")};
  group.needs.resize(resources_.size(), 0.0);
  for (const Json& bundle : *bundles) {
    if (!bundle.is_object()) return Status::Invalid("made a bundle that names no resources");
    std::vector<double>& needs = group.bundles.emplace_back(resources_.size(), 0.0);
    for (const auto& [name, value] : bundle.items()) {
      const double amount = AmountIn(bundle, name.c_str(), 0);
      const size_t index = IndexOf(name, resources_);
      if (index == resources_.size()) {
        if (amount > 0) group.unplaceable = TooLittle(name, amount, 0, "");
        continue;
      }
      needs[index] += amount;
      group.needs[index] += amount;
    }
  }
  for (size_t i = 0; i < resources_.size() && group.unplaceable.empty(); ++i) {
    const auto& [name, total] = resources_[i];
    if (group.needs[i] > total + 1e-9) {
      group.unplaceable = TooLittle(name, group.needs[i], total, "");
    }
  }
  return group;
}

}  // namespace penstock::runtime
