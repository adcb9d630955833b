#pragma once

#include <arrow/filesystem/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

namespace penstock {

/// What a write does about the files that its folder holds already.
enum class WriteMode : uint8_t {
  kAppend,     // Add to what the folder holds.
  kOverwrite,  // Replace it, once the new files are whole: the files of the same format.
  kIgnore,     // Write nothing where there are files.
  kError,      // AlreadyExists where there are files.
  kResume,     // Go on where the same job was cut off; do nothing where it is done. Its ledger lies
               // in `_penstock` in the folder, which must be of this machine. Invalid, saying what
               // has changed, where the folder holds another job's output.
};

/// How Dataset::Write and Dataset::WriteParquet write.
///
/// A file ends with its chunk of the input (about a million rows, or 256 MiB in memory) or, right
/// behind a repartition, with its block; where `rows_per_file_max` is reached; and where the
/// columns of what follows do not go into it without loss. Least sizes let it gather further
/// chunks. Files are named `<32 digits>_<part>.<extension>`, and their names sort as their rows
/// lie.
///
/// `options_json` holds the options of the writer as a JSON object; null is as good as absent, and
/// an option that the writer does not know is Invalid. All writers have
///   partition_columns  columns whose values name subfolders, in the way of Hive (`year=2020/`),
///                      and that the files then lack; a list, none
///   name_column        where a file holds one row: the column of text that names the files, which
///                      do not hold it; there is no ledger then; none
///   create_folder      whether a folder that is not there is made; true
///   retried_io_errors  texts of errors of a remote file system after which it is tried again,
///                      beside those that are known to pass; a list, none
/// and, by kind, these (after the last semicolon stands the default):
///
/// parquet: columns are named by their path in the file: "a", of lists "a.list.element", of structs
/// "a.b".
///   compression        "none", "snappy", "gzip", "zstd", "lz4" or "brotli"; or an object of such
///                      by column, the others being "none"; "snappy"
///   compression_level  on the codec's own scale, or an object by column; the codec's default
///   row_group_rows     rows of a row group, at most; 1048576
///   dictionary         true, false, or a list of the columns that are dictionary-encoded; those
///                      whose dictionary stays small, judged by a file's first batch
///   statistics         true, false, or a list of the columns whose least and greatest value each
///                      row group tells; true
///   version            "1.0", "2.4" or "2.6": which types the file may use; "2.6"
///   page_bytes         of a page, about; 1048576
///   page_index         whether the file has an index of its pages; false
///   store_schema       whether Arrow's types are kept beside Parquet's own; true
///   compliant_lists    whether a list's items are called "element", as Parquet demands; true
/// csv:
///   compression        "none", "gzip", "zstd", "bz2" or "lz4", of the whole file; "none"
///   header             whether the first line holds the columns' names; true
///   delimiter          one character; ","
///   null_text          how a null is written; ""
///   line_end           what ends a line; "\n"
///   quoting            "needed" (text and binary), "all_valid" (all but nulls) or "none" (a value
///                      that would need quotes is an error); "needed"
///   batch_rows         rows that are turned into text at a time; 1024
/// json:
///   compression        as for csv; "none"
///   lines              whether a file is an object a line, or else one list of them; true
///   ascii              whether text beyond ASCII is escaped; true
///   dates              "epoch" (a number of date_unit) or "iso" (text); "epoch"
///   date_unit          "s", "ms", "us" or "ns"; "ms"
/// arrow (IPC files, which Feather's second version is):
///   compression        "none", "lz4" or "zstd", of the buffers in the file; "none"
/// orc:
///   compression        "none", "snappy", "zlib", "lz4" or "zstd"; "none"
///   batch_rows         rows that are written at a time; 1024
///   stripe_bytes       of a stripe, about; 67108864
/// numpy: a .npy file of the one column that there must be; no options of its own.
/// image: a file a row, of the one column that there must be. Binary goes as it is.
///   file_format        "png", "bmp", "jpg", "jpeg", "webp", "tif" or "tiff", or the
///                      extension of binary; "png"
/// tfrecord: a row is a tf.train.Example, a column a feature.
///   compression        as for csv; "none"
/// webdataset: a row is a sample of a tar file: the members `<key>.<column>`, the key being the
/// column `__key__` or the row's place in the output.
///   compression        as for csv; "none"
///   encode             whether values that are neither text nor binary are encoded as their
///                      column's extension says (json, npy, png, jpg, …), or else are an error;
///                      true
struct WriteOptions {
  WriteMode mode = WriteMode::kAppend;  // What is done about files that are there.
  int64_t rows_per_file_min = 0;        // Rows that a file gathers before it is closed.
  int64_t rows_per_file_max = 0;        // Rows after which the next file begins; 0: no limit.
  int64_t bytes_per_file_min = 0;       // Bytes in memory that a file gathers, beside its rows.
  int64_t files_at_once = 0;            // Blocks that are written at once; 0: one a processor.
  std::string options_json = "{}";      // The writer's own options; see above.
  std::shared_ptr<arrow::fs::FileSystem> file_system{};  // Of the folder; null: its path says.
};

}  // namespace penstock
