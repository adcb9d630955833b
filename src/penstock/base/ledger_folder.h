#pragma once

namespace penstock {

/// Where in an output's folder its ledger lies; readers of the folder pass over such names.
inline constexpr const char* kLedgerFolder = "_penstock";

/// Where the rows lie that were left out, as functions fail for them.
inline constexpr const char* kDeadLetterFolder = "_penstock/dead_letters";

}  // namespace penstock
