#pragma once

#include <map>
#include <string>
#include <vector>

#include "penstock/exec/pipeline.h"
#include "penstock/plan/logical.h"

namespace penstock {

/// A small job whose output is a function of its input alone.
struct ReferenceJob {
  std::string name;
  LogicalPlan (*plan)(const std::string& input, const std::string& output);

  /// Where rows that its stage 1 leaves out are run again: the plan for it, without the write.
  LogicalPlan (*retry)(const std::string& input) = nullptr;
};

/// Returns the jobs that the harnesses run.
const std::vector<ReferenceJob>& ReferenceJobs();

/// Writes what the jobs read into a folder.
void WriteReferenceInput(const std::string& folder);

/// Runs a job to its end in this process.
Status RunJob(const LogicalPlan& plan);

/// Runs the rows again that stage 1 of a job has left out of an output, unless that was done.
Status RetryOnce(const LogicalPlan& plan, const std::string& output);

/// Returns the files of an output that readers see, and its dead letters, by name.
std::map<std::string, std::string> VisibleFiles(const std::string& folder);

}  // namespace penstock
