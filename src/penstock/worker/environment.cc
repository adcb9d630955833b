#include "penstock/worker/environment.h"

#include <algorithm>

namespace penstock {

void SetVariables(const std::vector<std::string>& variables,
                  std::vector<std::string>* environment) {
  for (const std::string& variable : variables) {
    const size_t name_end = variable.find('=');
    if (name_end == std::string::npos) continue;
    const std::string prefix = variable.substr(0, name_end + 1);
    std::erase_if(*environment,
                  [&](const std::string& entry) { return entry.starts_with(prefix); });
    environment->push_back(variable);
  }
}

bool HasVariable(const std::vector<std::string>& environment, const std::string& name) {
  return std::ranges::any_of(
      environment, [&](const std::string& entry) { return entry.starts_with(name + "="); });
}

}  // namespace penstock
