#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/ledger/commit.h"
#include "penstock/ledger/log_store.h"

namespace penstock {

/// What was found of an output and its ledger.
struct Verification {
  bool is_finished = false;
  int64_t chunks = 0;
  int64_t files = 0;
  int64_t bytes = 0;
  RowCounts rows;
  std::vector<std::string> problems;  // Sentences, each naming a file or an entry.
};

/// Reads an output of this machine's file systems again and compares it with its ledger: that the
/// entries follow each other and add up, that each file is there with the bytes and the checksum
/// that it was written with, that letters were taken away once, and that there are no files that it
/// does not know: neither the job's, nor those that other writes have added or that were there when
/// it began (folder_record.h).
/// kMissingPath where there is no ledger.
Result<Verification> VerifyOutput(const std::string& folder);

}  // namespace penstock
