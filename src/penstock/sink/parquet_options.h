#pragma once

#include <parquet/properties.h>

#include <memory>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"

namespace penstock {

/// What the writer parquet was asked for. Immutable; shared by all files of one write.
struct ParquetOptions {
  std::shared_ptr<parquet::WriterProperties> properties;
  std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties;
  bool judges_dictionary = true;  // Nobody said which columns are dictionary-encoded.
};

/// Reads the options of the writer parquet, beside those of file_sink.h. Columns are named by their
/// path in the file: "a", of lists "a.list.element", of structs "a.b"; those that a file does not
/// have change nothing in it.
///   compression        "none", "snappy", "gzip", "zstd", "lz4" or "brotli"; or an object of such
///                      by column, others being "none"; "snappy"
///   compression_level  the codec's own scale, or an object of such by column; its default when
///                      absent
///   row_group_rows     at most so many rows a row group; 1048576
///   dictionary         true: all columns are dictionary-encoded until the dictionary outgrows its
///                      page; false: none; a list: these; when absent: those that will not outgrow
///                      it, judged by each file's first batch (parquet_dictionary.h)
///   statistics         whether row groups carry their columns' least and greatest values; or a
///                      list of the columns for which they do; true
///   version            "1.0", "2.4" or "2.6": which types the file may use. Times of nanoseconds
///                      become microseconds before 2.6; "2.6"
///   page_bytes         about so many bytes a page; 1048576
///   page_index         whether the file has an index of its pages; false
///   store_schema       whether Arrow's types are kept beside Parquet's own; true
///   compliant_lists    whether a list's items are called "element", as Parquet demands, not as in
///                      Arrow; true
Result<ParquetOptions> ReadParquetOptions(OptionReader& options);

}  // namespace penstock
