#include <fnmatch.h>

#include <string>
#include <vector>

#include "fuzzing.h"
#include "penstock/source/glob.h"

/// Patterns of file names: a pattern, a newline, a path.
namespace penstock {
namespace {

using Names = std::vector<std::string>;

Names NamesOf(std::string_view path) {
  Names names;
  InputBytes left(reinterpret_cast<const uint8_t*>(path.data()), path.size());
  while (!left.empty()) {
    const std::string_view name = left.Until('/');
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

/// The rule as one would write it down, step by step and slow.
bool Matches(const Names& pattern, size_t at, const Names& path, size_t name) {
  if (at == pattern.size()) return name == path.size();
  if (pattern[at] == "**") {
    if (Matches(pattern, at + 1, path, name)) return true;
    return name < path.size() && !path[name].starts_with('.') &&
           Matches(pattern, at, path, name + 1);
  }
  return name < path.size() && fnmatch(pattern[at].c_str(), path[name].c_str(), FNM_PERIOD) == 0 &&
         Matches(pattern, at + 1, path, name + 1);
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  constexpr size_t kNamesMax = 12;  // Of a pattern or path; the slow rule takes 2 to the power.
  InputBytes input(data, std::min<size_t>(size, 512));
  const std::string_view pattern = input.Until('\n');
  const Names path = NamesOf(input.Rest());
  const Names names = NamesOf(pattern);
  if (pattern.find('\0') != std::string_view::npos) return 0;
  if (names.size() > kNamesMax || path.size() > kNamesMax) return 0;
  const GlobNames glob(pattern);
  auto places = glob.Start();
  for (const std::string& name : path) places = glob.Step(places, name);
  Require(glob.IsWhole(places) == Matches(names, 0, path, 0), "a glob matches by its rule");
  if (IsGlob(pattern)) {
    const std::string folder = GlobFolder(pattern);
    Require(folder == "." || pattern.starts_with(folder), "a glob lies in its folder");
    Require(!IsGlob(folder), "a glob's folder has no wildcard");
  }
  return 0;
}
