#include "penstock/ledger/log_store.h"

#include <fmt/format.h>

#include "penstock/base/error.h"

namespace penstock {

Result<Commit> ReadEntry(LogStore& store, int64_t number) {
  PENSTOCK_TRY(const std::string text, store.Read(number));
  PENSTOCK_TRY(Commit commit, ReadCommit(text, store.PathOf(number)));
  if (commit.number != number) {
    return MakeError(
        ErrorKind::kCorruptData,
        fmt::format("An entry of a job's ledger is not the one of its name, but number "
                    "{}; got: {}",
                    commit.number, store.PathOf(number)));
  }
  return commit;
}

}  // namespace penstock
