#include "penstock/exec/open_input.h"

#include "penstock/ledger/folder_record.h"
#include "penstock/source/recorded_files.h"

namespace penstock {

Result<std::unique_ptr<Source>> OpenInput(const ReadOp& read, const ReadLimits& limits,
                                          int processors) {
  SetRecordReader(ReadFolderRecord);
  return MakeSource(read, limits, processors);
}

}  // namespace penstock
