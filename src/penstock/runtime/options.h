#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/runtime/scheduler.h"

namespace penstock::runtime {

/// Where tasks run: in worker processes that have these variables and this working folder.
struct TaskEnvironment {
  std::vector<std::string> variables;  // "NAME=value" each.
  std::string working_folder;          // Empty: the program's.
};

/// The options of a task, an actor or a call (see wire.h), read.
struct TaskOptions {
  std::string name;   // Empty: none was given.
  std::string label;  // Likewise: what people call it.
  ShapeNumber shape = 0;
  std::vector<double> needs;  // Of each resource; of calls none.
  double gpus = 0;
  EnvironmentNumber environment = 0;
  Place place;              // Of a group's tasks: `shape` is left for who knows of groups.
  std::string unplaceable;  // Why the machine can never run it; empty: it can.
  int max_retries = 0;
  int max_calls = 0;
  // Of actors.
  ActorSpec actor;
  int max_task_retries = 0;
  bool max_retries_given = false;
  std::string name_space;
  bool detached = false;
  bool get_if_exists = false;
};

/// A placement group's options.
struct GroupOptions {
  std::string name;  // Empty: it has none.
  std::string strategy;
  std::vector<std::vector<double>> bundles;  // What each needs.
  std::vector<double> needs;                 // All together.
  std::string unplaceable;                   // As of TaskOptions.
};

/// Returns how people are told that there is less than is asked for, as the end of a sentence.
std::string TooLittle(const std::string& resource, double asked, double there,
                      const std::string& where);

/// Reads options, and keeps those read (kKeptMax at most, by their text), as most tasks have the
/// same.
///
/// Threads: one at a time.
class OptionReader {
 public:
  /// `names` of the resources, as `scheduler`, which must outlive this, counts them, and how much
  /// there is of each; the first three are "CPU", "GPU" and "memory".
  OptionReader(std::vector<std::pair<std::string, double>> resources, Scheduler& scheduler)
      : resources_(std::move(resources)), scheduler_(scheduler) {}

  /// Invalid when the text is none of options, worded as the end of a sentence that begins with
  /// "it".
  Result<std::shared_ptr<const TaskOptions>> Read(TaskKind kind, std::string_view text);

  /// Likewise of a placement group.
  Result<GroupOptions> ReadGroup(std::string_view text) const;

  const TaskEnvironment& environment(EnvironmentNumber number) const {
    return environments_[static_cast<size_t>(number)];
  }

 private:
  static constexpr size_t kKeptMax = 4096;

  EnvironmentNumber NumberOf(TaskEnvironment environment);

  const std::vector<std::pair<std::string, double>> resources_;
  Scheduler& scheduler_;
  std::vector<TaskEnvironment> environments_{TaskEnvironment{}};
  std::map<std::pair<std::vector<std::string>, std::string>, EnvironmentNumber> numbers_{
      {{{}, ""}, 0}};
  std::unordered_map<std::string, std::shared_ptr<const TaskOptions>> kept_;
};

}  // namespace penstock::runtime
