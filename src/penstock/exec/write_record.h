#pragma once

#include <string>
#include <utility>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"

namespace penstock {

/// How a job's output is written, as its ledger keeps it (Commit::write), so that rows that were
/// left out can be written in the same way later.
struct WriteRecord {
  WriteOp write;                    // Without the folder, which may be moved, and the mode.
  std::vector<std::string> stages;  // The names of all of the job's stages.
  std::vector<std::pair<std::string, std::string>>
      columns;  // A ProjectOp's right before the write;
                // none: there was no such operator.
};

/// Returns the record of a plan that writes, as JSON. `plan` is the user's, `write` the last
/// operator with all of its options; their text must be UTF-8.
std::string WriteRecordOf(const LogicalPlan& plan, const WriteOp& write,
                          const PhysicalPlan& physical);

/// Reads it. kCorruptData naming `folder` for text that is none; kJobChanged for none at all,
/// which is what versions before 2 of the ledger have.
Result<WriteRecord> ReadWriteRecord(const std::string& text, const std::string& folder);

}  // namespace penstock
