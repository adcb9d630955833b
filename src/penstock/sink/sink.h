#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penstock/base/part_file.h"
#include "penstock/base/status.h"
#include "penstock/block/block.h"
#include "penstock/plan/logical.h"

namespace penstock {

/// Writes one part. One thread at a time.
///
/// A part is one file as long as its blocks go into the first one's schema without loss: by name,
/// with nulls for columns that are not there and values cast to a wider type. A block that does not
/// begins the next file, of the schema that block/unify.h makes of both, or of its own where that
/// changes a value. So does one that the format must hold by other types, such as the first nulls
/// among tensors in Parquet. The files' names sort as
/// their rows lie. kSchemaMismatch where there is no such schema, or none with the other parts'.
class PartWriter {
 public:
  virtual ~PartWriter() = default;  // Removes the temporary file unless Close succeeded.
  virtual Status Write(const Block& block) = 0;

  /// Makes the part durable under its temporary names; returns its files in order. No Write may
  /// follow. A part without a Write makes no file; one with blocks of no rows makes a file that
  /// holds their schema.
  virtual Result<std::vector<PartFile>> Close() = 0;
};

/// Whether there is anything to do once a sink has looked at the place that it writes to.
enum class SinkStart : uint8_t {
  kWrite,  // Go on.
  kSkip,   // The output is there already and the mode is "ignore": run nothing.
};

/// A place that takes parts. Nothing is visible to readers of the folder before Commit; after a
/// failed or cancelled job nothing of it is left.
///
/// Order: Open (any thread, many parts at once), PartWriter calls, then Commit or Abort, once.
///
/// With a ledger (ledger_folder() is not empty) parts become visible some at a time, whoever keeps
/// the ledger says which (Publish): first RemoveTemporaries, at the end MarkComplete instead of
/// Commit. What a job that failed has published stays.
class Sink {
 public:
  virtual ~Sink() = default;

  /// Checks the mode, makes the folder. Called once, before anything is read. AlreadyExists in
  /// mode "error" where there are files, kMissingPath where the folder may not be made.
  virtual Result<SinkStart> Start() = 0;

  /// `label` tells the part's files from others' by their names, and has them sort.
  virtual Result<std::unique_ptr<PartWriter>> Open(int64_t part, const std::string& label) = 0;

  /// Opens a Parquet file beside the parts, in the subfolder `_penstock/dead_letters`, which
  /// readers of the folder pass over; `label` tells it from others. It becomes visible as parts do.
  /// Not by two threads at once.
  virtual Result<std::unique_ptr<PartWriter>> OpenDeadLetters(const std::string& label) = 0;

  /// Gives all closed parts their final names (without replacing others', folder synced); in mode
  /// "overwrite" a part takes the place of one that had its name at Start, and the others that were
  /// there are removed then. Returns them by part.
  virtual Result<std::vector<PartFile>> Commit() = 0;

  /// Removes every temporary file, and the parts that a failed Commit has named; with a ledger only
  /// the folder, where it is empty and was not there before. Does nothing after a Commit that
  /// succeeded. Safe after partial failure.
  virtual void Abort() = 0;

  // ---- With a ledger ---------------------------------------------------------------------------

  /// Returns where the ledger lies; "": the sink has none.
  virtual std::string ledger_folder() const = 0;

  /// Removes all temporary files that are there; none of this sink may be.
  virtual Status RemoveTemporaries() = 0;

  /// Makes the temporary names of closed parts survive a power cut.
  virtual Status SyncTemporaries() = 0;

  /// Gives files their final names, durably; those that have them already are passed over.
  virtual Status Publish(const std::vector<PartFile>& files) = 0;

  /// Removes files that have their final names.
  virtual Status RemoveFiles(const std::vector<std::string>& names) = 0;

  /// Removes files of dead letters that have their final names; those that are gone are no error.
  virtual Status RemoveDeadLetters(const std::vector<PartFile>& files) = 0;

  /// Says to readers, by an empty file `_SUCCESS`, that all parts are there.
  virtual Status MarkComplete() = 0;

  // ---- How parts are cut -----------------------------------------------------------------------

  /// Rows after which a part is closed and the next begins; 0: no limit. And the least rows
  /// that a part gathers across chunks; 0: a part ends where its chunk does, or, right behind a
  /// repartition, where its block does.
  virtual int64_t rows_per_part_max() const = 0;
  virtual int64_t rows_per_part_min() const = 0;

  /// The least bytes in memory that a part gathers, beside its rows; 0: as above.
  virtual int64_t bytes_per_part_min() const = 0;

  /// How many steps may write at once; 0: as many as there are threads.
  virtual int64_t steps_max() const = 0;
};

/// Makes the writer that `write.kind` names (sink/registry.cc lists them). Invalid for an unknown
/// kind or a bad option, naming it.
Result<std::unique_ptr<Sink>> MakeSink(const WriteOp& write);

}  // namespace penstock
