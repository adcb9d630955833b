#pragma once

#include <memory>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/options.h"
#include "penstock/sink/file_format.h"
#include "penstock/sink/sink.h"

namespace penstock {

/// Makes a sink that writes files of one format into a folder. It reads these options, which all
/// writers of files share, and refuses those that neither it nor the format has asked for:
///   path               the folder to write to; required
///   mode               "resume" (with a ledger, see sink.h; where there can be none, as "append"),
///                      "append", "overwrite" (the files of this format, and those that end as the
///                      names which were given do, go once the new ones stand), "ignore" (do
///                      nothing where there are files), "error" (where there are); "append"
///   write_name         with a ledger: 32 hexadecimal digits, for names that another run gives
///                      again
///   rows_per_part_min  see Sink; 0
///   rows_per_part_max  see Sink; 0
///   bytes_per_part_min see Sink; 0
///   steps_max          see Sink; 0
///   partition_columns  columns whose values name subfolders, in the way of Hive, and that the
///                      files then lack; none
///   name_column        of formats with a file a row: the column of text that names the files, and
///                      that they do not hold; none
///   create_folder      whether a folder that is not there is made; true
///   retried_io_errors  see FileAccess; none
///
/// Files are named `<write>_<part>` and the format's extension, `write` being 32 random digits;
/// the further files of a part `<write>_<part>_<number>`. Where `write` has file names they take
/// the place of `<write>_<part>`, up to the extension that it may have. The texts of a
/// name_column are the names, with the format's extension where they have none. Two files
/// of one name are an error, before anything is to be seen; names that are given, of whatever kind,
/// leave no ledger.
Result<std::unique_ptr<Sink>> MakeFileSink(OptionReader options, std::unique_ptr<FileFormat> format,
                                           const WriteOp& write);

}  // namespace penstock
