#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client_value.h"
#include "penstock/runtime/wire.h"

namespace penstock::python {

/// A task that the hub has given to this process (kRun).
struct ArrivedTask {
  uint64_t id = 0;
  runtime::TaskKind kind = runtime::TaskKind::kFunction;
  uint64_t function = 0;
  ClientValue definition;  // Of the function, as it was given to Define.
  uint64_t actor = 0;
  std::string method;
  int32_t returns = 1;
  std::string options;
  std::string devices;
  uint32_t attempt = 0;
  ClientValue arguments;
  std::vector<ClientValue> given;
};

}  // namespace penstock::python
