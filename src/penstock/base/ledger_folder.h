#pragma once

namespace penstock {

/// Where in an output's folder its ledger lies; readers of the folder pass over such names.
inline constexpr const char* kLedgerFolder = "_penstock";

}  // namespace penstock
