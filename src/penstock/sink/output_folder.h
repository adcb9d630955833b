#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// A file that grows under a temporary name. One thread. Removed on destruction unless Keep.
class TemporaryFile {
 public:
  virtual ~TemporaryFile() = default;

  /// The stream to write to; errors of the system name the file.
  virtual const std::shared_ptr<arrow::io::OutputStream>& stream() const = 0;

  /// Closes the stream and makes what was written durable under the temporary name, to be given
  /// its final name by Publish. Returns the file's bytes.
  virtual Result<int64_t> Keep() = 0;
};

/// The folder that a sink writes to: each kind of file system makes it in its own way that a file
/// shows whole or not at all. Threads: CreateTemporary any, at once; the others one at a time.
class OutputFolder {
 public:
  virtual ~OutputFolder() = default;

  /// Makes the folder, with those above it, where it is not there.
  virtual Status Create() = 0;

  /// Removes the folders that Create made, as far as they are empty.
  virtual void RemoveIfCreated() = 0;

  virtual Result<bool> Exists() = 0;

  /// Returns the files in it and its subfolders whose names end in `extension`, by path; names
  /// that begin with "." or "_" are passed over.
  virtual Result<std::vector<std::string>> List(const std::string& extension) = 0;

  /// Creates a file that does not exist yet, under a hidden name made from `final_name`.
  virtual Result<std::unique_ptr<TemporaryFile>> CreateTemporary(const std::string& final_name) = 0;

  /// Gives a kept file its final name, in one step; AlreadyExists where that name is taken.
  virtual Status Publish(const std::string& final_name) = 0;

  /// Removes a file by its name in the folder, or the temporary file of that final name; one that
  /// is not there is no error.
  virtual Status Remove(const std::string& name) = 0;
  virtual void RemoveTemporary(const std::string& final_name) = 0;

  /// Makes names durable: what Publish and Remove did before survives a power cut.
  virtual Status Sync() = 0;
};

/// Opens the folder at a path or URI. NotImplemented for file systems other than the local one.
Result<std::unique_ptr<OutputFolder>> OpenOutputFolder(const std::string& path);

}  // namespace penstock
