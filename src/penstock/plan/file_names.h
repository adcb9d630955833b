#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Names that the caller gives to the files of a write, one a part.
class FileNames {
 public:
  virtual ~FileNames() = default;

  /// Returns a name for each part, in order; asked once, when all rows are written and before
  /// anything is to be seen. May wait for the caller.
  virtual Result<std::vector<std::string>> NamesOf(const std::string& write_name,
                                                   const std::vector<int64_t>& parts) = 0;
};

}  // namespace penstock
