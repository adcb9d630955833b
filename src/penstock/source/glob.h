#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// Says whether the path holds a wildcard: `*`, `?` or `[`.
bool IsGlob(std::string_view path);

/// Returns the folder above the first wildcard; "." or "/" where there is none.
std::string GlobFolder(std::string_view pattern);

/// The names of a pattern, matched step by step on the way down from a folder, so that folders
/// where nothing can match need not be searched. Immutable.
///
/// `*`, `?` and `[..]` match within one name, a name `**` matches any number of folders. A leading
/// dot must be matched by a dot.
class GlobNames {
 public:
  using Places = std::vector<size_t>;  // Which names of the pattern may come next; sorted.

  /// Takes a pattern relative to the folder where the search starts.
  explicit GlobNames(std::string_view pattern);

  Places Start() const;
  Places Step(const Places& places, const std::string& name) const;

  /// Says whether what led here matches the whole pattern.
  bool IsWhole(const Places& places) const;

 private:
  void Enter(size_t place, Places& places) const;

  std::vector<std::string> names_;
};

}  // namespace penstock
