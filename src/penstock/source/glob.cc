#include "penstock/source/glob.h"

#include <fnmatch.h>

namespace penstock {
namespace {

constexpr std::string_view kWildcards = "*?[";

/// Takes the first name off `path`.
std::string TakeName(std::string_view& path) {
  const size_t end = path.find('/');
  std::string name(path.substr(0, end));
  path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  return name;
}

}  // namespace

bool IsGlob(std::string_view path) {
  return path.find_first_of(kWildcards) != std::string_view::npos;
}

std::string GlobFolder(std::string_view pattern) {
  const size_t wildcard = pattern.find_first_of(kWildcards);
  const size_t slash = pattern.rfind('/', wildcard);
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(pattern.substr(0, slash));
}

bool MatchesGlob(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    const std::string wanted = TakeName(pattern);
    if (wanted == "**") {
      while (true) {
        if (MatchesGlob(pattern, path)) return true;
        if (path.empty() || path.front() == '.') return false;
        TakeName(path);
      }
    }
    if (path.empty()) return false;
    if (fnmatch(wanted.c_str(), TakeName(path).c_str(), FNM_PERIOD) != 0) return false;
  }
  return path.empty();
}

}  // namespace penstock
