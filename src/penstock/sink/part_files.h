#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/sink/file_format.h"
#include "penstock/sink/output_folder.h"
#include "penstock/sink/sink.h"

namespace penstock {

/// A file of a part that is durable under its temporary name.
struct ClosedFile {
  int64_t part = 0;
  std::string subfolder;  // "year=2020/" where rows are parted by columns, else "".
  std::string place;      // "" or "_000001", the further file that it is of its part.
  PartFile file;          // Under the name that it has unless the caller gives names.
};

/// What all parts of one write have in common. Threads: any.
class SharedParts {
 public:
  /// Adds a file, by its part and by the order in which the part's files are closed.
  void Add(ClosedFile file);

  /// Returns all files by part, or one part's, in the order of Add.
  std::vector<ClosedFile> InOrder();
  std::vector<PartFile> OfPart(int64_t part);

  /// Checks that files of this schema can be read together with the others.
  Status CheckSchema(const std::shared_ptr<arrow::Schema>& schema);

 private:
  Mutex mutex_;
  std::map<int64_t, std::vector<ClosedFile>> files_ PENSTOCK_GUARDED_BY(mutex_);
  std::shared_ptr<arrow::Schema> schema_ PENSTOCK_GUARDED_BY(mutex_);  // Null without a file.
};

/// Writes the rows of one part that go to one folder, one file after the other (see PartWriter).
/// One thread at a time.
class FileSequence {
 public:
  /// `name` is the first file's without extension. `name_column`, where it is not "": the column
  /// whose texts name the files of rows instead, and which these do not hold; of formats with a
  /// file a row alone. All references outlive it.
  FileSequence(const FileFormat& format, OutputFolder& folder, SharedParts& shared, int64_t part,
               std::string subfolder, std::string name, std::string name_column);
  ~FileSequence();

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch);

  /// Closes the file that is open, if one is; Write may go on with the next.
  Status CloseFile();

 private:
  struct OpenFile;

  Result<std::shared_ptr<arrow::RecordBatch>> TakeName(std::shared_ptr<arrow::RecordBatch> row);
  Status WriteRows(const std::shared_ptr<arrow::RecordBatch>& batch);
  Result<std::shared_ptr<arrow::RecordBatch>> MakeFit(
      const std::shared_ptr<arrow::RecordBatch>& batch);
  bool Takes(const arrow::RecordBatch& batch) const;
  Status Begin(const arrow::RecordBatch& first);
  std::string Place() const;
  std::string FinalName() const;
  Status Named(const Status& status) const;

  const FileFormat& format_;
  OutputFolder& folder_;
  SharedParts& shared_;
  const int64_t part_;
  const std::string subfolder_;
  const std::string name_;
  const std::string name_column_;
  std::string given_name_;                 // Of the last file, where rows name them.
  std::unique_ptr<OpenFile> file_;         // Null between files.
  std::shared_ptr<arrow::Schema> schema_;  // Of the last file; null before the first.
  int64_t files_ = 0;                      // Closed ones.
};

}  // namespace penstock
