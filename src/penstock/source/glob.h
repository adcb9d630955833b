#pragma once

#include <string>
#include <string_view>

namespace penstock {

/// Says whether the path holds a wildcard: `*`, `?` or `[`.
bool IsGlob(std::string_view path);

/// Returns the folder above the first wildcard; "." or "/" where there is none.
std::string GlobFolder(std::string_view pattern);

/// Says whether `path` matches `pattern` name by name: `*`, `?` and `[..]` match within one name,
/// a name `**` matches any number of folders. A leading dot must be matched by a dot.
bool MatchesGlob(std::string_view pattern, std::string_view path);

}  // namespace penstock
