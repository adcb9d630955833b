#pragma once

#include <string>
#include <vector>

namespace penstock {

/// Sets variables, "NAME=value" each, in an environment of such entries; a name that is there
/// already gets the new value. Entries without '=' are left out.
void SetVariables(const std::vector<std::string>& variables, std::vector<std::string>* environment);

/// Returns whether the environment has the variable.
bool HasVariable(const std::vector<std::string>& environment, const std::string& name);

}  // namespace penstock
