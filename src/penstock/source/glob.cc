#include "penstock/source/glob.h"

#include <fnmatch.h>

#include <algorithm>

namespace penstock {
namespace {

constexpr std::string_view kWildcards = "*?[";
constexpr const char* kAnyFolders = "**";

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

GlobNames::GlobNames(std::string_view pattern) {
  while (!pattern.empty()) {
    const size_t end = std::min(pattern.find('/'), pattern.size());
    if (end > 0) names_.emplace_back(pattern.substr(0, end));
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
}

GlobNames::Places GlobNames::Start() const {
  Places places;
  Enter(0, places);
  return places;
}

GlobNames::Places GlobNames::Step(const Places& places, const std::string& name) const {
  Places next;
  for (const size_t place : places) {
    if (place == names_.size()) continue;
    if (names_[place] == kAnyFolders) {
      if (!name.starts_with('.')) Enter(place, next);
    } else if (fnmatch(names_[place].c_str(), name.c_str(), FNM_PERIOD) == 0) {
      Enter(place + 1, next);
    }
  }
  std::ranges::sort(next);
  next.erase(std::unique(next.begin(), next.end()), next.end());
  return next;
}

bool GlobNames::IsWhole(const Places& places) const {
  return !places.empty() && places.back() == names_.size();
}

void GlobNames::Enter(size_t place, Places& places) const {
  places.push_back(place);
  while (place < names_.size() && names_[place] == kAnyFolders) places.push_back(++place);
}

}  // namespace penstock
