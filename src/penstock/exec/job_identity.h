#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/ledger/commit.h"
#include "penstock/plan/logical.h"
#include "penstock/source/source.h"

namespace penstock {

/// How many input files a job names one by one, so that one that has changed can be named.
inline constexpr size_t kNamedInputFilesMax = 1000;

/// A part of an identity that is a file or folder which an argument of a function names.
struct ArgumentFile {
  std::string part;
  std::string path;
};

struct IdentifiedJob {
  JobIdentity identity;
  bool is_known = true;  // Nothing can have changed that the identity does not tell of.
  std::vector<ArgumentFile> files;
  std::string write;  // How the output is written, see write_record.h; not part of the identity.
};

/// Returns what tells whether a file, or what is in a folder, is the same: bytes and times of
/// change. "" for what is not there.
std::string VersionOfFile(const std::string& path);

/// Returns what makes a job the same job in another run: digests of its operators, of the code and
/// the arguments of its functions (FunctionSpec::identity), of its input (the bytes and the time of
/// change of files of this machine, the names of others, the values in memory), and of the options
/// that its output depends on. Where it is written to and how many workers it has are none of them.
/// It is not known where a function has none (one that reads from a data base, say), or where files
/// are not this machine's.
///
/// `plan` is the user's, before it is rewritten; `sources` are its readers, null where a stage does
/// not read. Fails as the readers do; NotImplemented where a C++ function has no version.
Result<IdentifiedJob> Identify(const LogicalPlan& plan,
                               std::span<const std::unique_ptr<Source>> sources,
                               const ReadLimits& limits, bool preserve_order);

/// Returns the name that the job's files begin with, the same in each run.
std::string WriteNameOf(const JobIdentity& identity);

}  // namespace penstock
