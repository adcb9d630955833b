#pragma once

#include <string>

namespace penstock {

/// Tells the user something on standard error, as "penstock: …", unless this process has told the
/// same before: what is looked at several times on a data set's way is told of once. Threads: any.
void TellOnce(const std::string& what);

}  // namespace penstock
