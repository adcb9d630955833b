#pragma once

#include <arrow/filesystem/type_fwd.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/dataset.h"
#include "penstock/export.h"

namespace penstock {

/// How ReadFiles, ReadParquet, ReadCsv and ReadJson read.
///
/// `options_json` holds the options of the reader as a JSON object; null is as good as absent, and
/// an option that the reader does not know is Invalid. All readers of files have
///   include_paths         whether a column "path" tells the file of each row; false
///   ignore_missing_paths  whether paths that are not there are passed over; false
///   file_extensions       without their dots: only these files, of all that the paths name; a
///                         list, the format's own for what a folder holds
///   shuffle_seed          an integer: the files come in an order that is drawn from it; absent
///   retried_io_errors     texts of errors of a remote file system after which it is tried again,
///                         beside those that are known to pass; a list, none
///   compression           "none", "gzip", "zstd", "bz2", "lz4" or "brotli", whatever the files are
///                         called; absent: as their names end
///   partitioning          what folders tell of columns: {"style": "hive"} for `year=2020/`, or
///                         {"style": "dir", "field_names": ["year"]}; with "base_dir" only folders
///                         below it count, "field_types" is {"year": "int64"}; absent: nothing
/// and, by kind, these (after the last semicolon stands the default):
///
/// parquet: all files are read as one schema; a column that a file lacks is null there.
///   schema                [["a", "int64"], ..]: these columns in this order; the files' own
///   tensor_columns        {"image": {"type": "uint8", "shape": [2, 3]}}: binary columns whose
///                         values are the bytes of tensors, row-major; none
///   row_hash              whether a column "row_hash" (uint64) is drawn from each row's file and
///                         place; false
/// csv: the columns' types are inferred where column_types does not tell them.
///   delimiter             one character; ","
///   quote                 one character, or "" for none; "\""
///   double_quote          whether two quotes in a quoted value stand for one; true
///   escape                one character, or "" for none; ""
///   header_row            whether the first row names the columns; true without column_names
///   column_names          the columns' names; f0, f1, .. where there is no header row
///   column_types          {"column": "int64"}; none
///   null_values           texts that stand for null beside the usual ones; none
///   strings_can_be_null   whether they do in text columns; true with null_values
///   quoted_strings_can_be_null  whether they do in quotes; true
///   true_values           texts that stand for true beside the usual ones; none
///   false_values          texts that stand for false beside the usual ones; none
///   timestamp_formats     strptime formats to try after ISO 8601, or where "ISO8601" stands among
///                         them: there; none
///   decimal_point         one character; "."
///   skip_rows             rows to pass over before the header row; 0
///   skip_rows_after_names rows to pass over after it; 0
///   newlines_in_values    whether quoted values may span lines; true
///   encoding              of the text, as iconv names it; "utf-8"
/// json: a file of objects, one a line, or of one array of objects.
///   lines                 whether each line is an object, whatever a file begins with; false
///   column_types          {"column": "int64"}; the others are inferred
/// text: a row a line, in the column "text".
///   encoding              of the text, as iconv names it; "utf-8"
///   drop_empty_lines      whether lines of nothing but ASCII white space are left out; true
/// orc, ipc (Arrow's files and streams, Feather's second version): no options of their own.
/// binary_files: a row a file, in the column "bytes"; no options of its own.
/// numpy: a row for each entry of the arrays' first dimension, in the column "data"; no options of
/// its own.
/// images (JPEG, PNG, WebP, GIF, TIFF, BMP): a row a file, in the column "image": tensors of uint8
/// of height, width and channels; all of one shape where size and mode are given.
///   size                  [height, width] that all images are brought to; each its own
///   mode                  "L", "LA", "RGB" or "RGBA" that all are brought to; each its own
/// tfrecord: a row a tf.train.Example, a column a feature.
///   features              {"name": "bytes", "float" or "int"}: exactly these, as lists; as they
///                         come
/// webdataset: a row a sample, in the columns "__key__", "__url__" and one of binary a suffix.
///   select                patterns of the names of members to read; a list, all
///   suffixes              patterns of the suffixes to read; a list, all
///   archives              whether a row is an archive instead, with "__names__" and "__data__";
///                         false
///   verbose               whether each archive that is opened is named on the standard error;
///                         false
struct ReadOptions {
  std::string options_json = "{}";                       // The reader's own options; see above.
  std::shared_ptr<arrow::fs::FileSystem> file_system{};  // Of all paths; null: the paths say.
  std::optional<int64_t> blocks{};  // Read as about so many blocks, at least 1; absent: by size.
};

/// Reads files. `kind` names a reader, see ReadOptions. A path is a file, a folder, which is
/// searched with its subfolders for files of the format, or a glob (`*`, `?`, `[..]` in a name,
/// `**` for any folders); of this machine, or a URI of a file system that Arrow knows (s3, gs,
/// abfs, hdfs, file). Names that begin with "." or "_" are passed over in folders. A file that ends
/// in .gz, .gzip, .zst, .zstd, .bz2, .lz4 or .br is decompressed, where the format has no
/// compression of its own.
/// Of a folder of this machine that a job with a ledger writes or has written what is on record is
/// read, and the user is told, once, of files that are not; a glob takes what lies there.
///
/// Rows come in the order of the paths, those of a folder sorted by path. IOError for a path that
/// is not there and for broken files, Invalid where the files' columns do not go together. Paths
/// need not be UTF-8.
PENSTOCK_API Dataset ReadFiles(const std::string& kind, const std::vector<std::string>& paths,
                               const ReadOptions& options = {});

/// Reads Parquet files. A Filter and a Select that follow are pushed down: only the columns and the
/// row groups that they need are read.
PENSTOCK_API Dataset ReadParquet(const std::vector<std::string>& paths,
                                 const ReadOptions& options = {});

/// Reads CSV files; large ones are cut, so that all processors read one file.
PENSTOCK_API Dataset ReadCsv(const std::vector<std::string>& paths,
                             const ReadOptions& options = {});

/// Reads JSON files, of lines or of one array; large ones of lines are cut, as CSV files are.
PENSTOCK_API Dataset ReadJson(const std::vector<std::string>& paths,
                              const ReadOptions& options = {});

/// Reads by a reader of any kind whose options are all JSON: the files are in "paths" there. Beside
/// the kinds of ReadOptions there are
///   range         the integers from 0, in the column "id": "count" of them; 0
///   range_tensor  tensors of int64, in the column "data", whose elements are all the row's number:
///                 "count" of them, 0, of the shape "shape", [1]
PENSTOCK_API Dataset Read(const std::string& kind, const std::string& options_json);

/// The integers from 0 to `count` - 1, as column "id" of int64. Invalid when it runs for a `count`
/// below 0.
PENSTOCK_API Dataset Range(int64_t count);

/// Rows that are in memory already, shared and not copied; they must not change any more. Columns
/// are matched by name and types promoted; what a batch lacks is null. No batch: no columns.
PENSTOCK_API Dataset FromBatches(std::vector<std::shared_ptr<arrow::RecordBatch>> batches);

}  // namespace penstock
