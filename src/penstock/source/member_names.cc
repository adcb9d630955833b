#include "penstock/source/member_names.h"

#include <fnmatch.h>

#include <algorithm>

namespace penstock {

std::optional<MemberName> SplitMemberName(std::string_view name) {
  const size_t folders = name.rfind('/');
  const size_t begin = folders == std::string_view::npos ? 0 : folders + 1;
  const size_t dot = name.find('.', begin);
  if (dot == std::string_view::npos || dot == begin) return std::nullopt;
  return MemberName{.key = name.substr(0, dot), .suffix = name.substr(dot + 1)};
}

bool NameChoice::Has(std::string_view name) const {
  if (!patterns_) return true;
  const std::string dotted = "." + std::string(name);
  return std::ranges::any_of(*patterns_, [&](const std::string& pattern) {
    if (pattern.find_first_of("*?") == std::string::npos) {
      return pattern == name || pattern == dotted;
    }
    return fnmatch(pattern.c_str(), dotted.c_str(), FNM_NOESCAPE) == 0;
  });
}

}  // namespace penstock
