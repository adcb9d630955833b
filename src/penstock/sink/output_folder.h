#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "penstock/base/local_files.h"
#include "penstock/base/status.h"
#include "penstock/files/path_placer.h"

namespace penstock {

/// A file that grows under a temporary name. One thread. Removed on destruction unless Keep.
class TemporaryFile {
 public:
  virtual ~TemporaryFile() = default;

  /// The name that Publish and RemoveTemporary know it by.
  virtual const std::string& name() const = 0;

  /// The stream to write to; errors of the system name the file. Closing it changes nothing: Keep
  /// does that.
  virtual const std::shared_ptr<arrow::io::OutputStream>& stream() const = 0;

  /// Puts `head` in the place of the file's first bytes.
  virtual Status OverwriteStart(const std::string& head) = 0;

  /// Makes what was written durable under the temporary name, to be given its final name by
  /// Publish.
  virtual Result<FileChecksum> Keep() = 0;
};

/// The folder that one write goes to: each kind of file system makes it in its own way that a file
/// shows whole or not at all. Threads: CreateTemporary any, at once; the others one at a time.
///
/// Temporary files are hidden: `.<write>_<number>.tmp`, `write` being the name of the write. A
/// job that is killed leaves them behind; the next write to a local folder removes them, and never
/// those of a job that lives. With a ledger they lie in `_penstock/pending/`, and whoever has the
/// ledger removes those that it does not know.
class OutputFolder {
 public:
  virtual ~OutputFolder() = default;

  /// Makes the folder, with those above it, where it is not there.
  virtual Status Create() = 0;

  /// Removes what dead writes left, and keeps others from doing so to this one until Release.
  virtual Status Claim() = 0;
  virtual void Release() = 0;

  /// Removes the folders that Create and Publish made, as far as they are empty.
  virtual void RemoveIfCreated() = 0;

  virtual Result<bool> Exists() = 0;

  /// Returns the files in it and its subfolders whose names end in `extension`, by path; names
  /// that begin with "." or "_" are passed over.
  virtual Result<std::vector<std::string>> List(const std::string& extension) = 0;

  /// Creates a temporary file; `final_name` is how errors call it.
  virtual Result<std::unique_ptr<TemporaryFile>> CreateTemporary(const std::string& final_name) = 0;

  /// Gives a kept file its final name, in one step, and makes the folders in that name. Where it
  /// is taken: AlreadyExists, or with `replace` the new file in the old one's place.
  virtual Status Publish(const std::string& temporary_name, const std::string& final_name,
                         bool replace) = 0;

  /// Removes a file by its name in the folder, or a temporary file; one that is not there is no
  /// error.
  virtual Status Remove(const std::string& name) = 0;
  virtual void RemoveTemporary(const std::string& temporary_name) = 0;

  /// Makes names durable: what Publish and Remove did before survives a power cut.
  virtual Status Sync() = 0;

  /// Removes an earlier job's ledger, with its dead letters; not the files that are `kept`.
  virtual Status RemoveLedger(const std::set<std::string>& kept) { return Status::OK(); }

  // ---- Of folders with a ledger (LedgerFolder() is not empty)
  // ------------------------------------

  /// Returns where a ledger can lie: "" where there is no place for one.
  virtual std::string LedgerFolder() const { return ""; }

  /// Gives a kept file its final name, in the place of any file there; does nothing where that was
  /// done already. Makes the folders in that name.
  virtual Status PublishAgain(const std::string& temporary_name, const std::string& final_name) {
    return Status::NotImplemented("There is no ledger here: ", final_name, " of ", temporary_name);
  }

  /// Removes all temporary files of whatever write.
  virtual Status RemoveTemporaries() { return Status::OK(); }

  /// Makes the temporary names survive a power cut, as Keep does the bytes.
  virtual Status SyncTemporaries() { return Status::OK(); }

  /// Makes an empty file of this name, durably.
  virtual Status PutMarker(const std::string& name) { return Status::OK(); }
};

/// Opens the folder at a path or URI for the write of this name, which no other ever has; see
/// remote_folder.h for file systems other than the local one. `with_ledger`: it is wanted; whether
/// there is one, LedgerFolder() tells.
Result<std::unique_ptr<OutputFolder>> OpenOutputFolder(const std::string& path, FileAccess access,
                                                       const std::string& write_name,
                                                       bool with_ledger);

}  // namespace penstock
