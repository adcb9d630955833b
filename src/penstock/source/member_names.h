#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// What a file in an archive belongs to.
struct MemberName {
  std::string_view key;     // "train/0001": the sample,
  std::string_view suffix;  // "seg.png": and what of it.
};

/// Splits "train/0001.seg.png" at the first dot of the file's own name. nullopt for a name without
/// a dot, or that begins with one: such a file belongs to no sample.
std::optional<MemberName> SplitMemberName(std::string_view name);

/// Chooses names as Ray does: one of the patterns must match, one with `*` or `?` the name with a
/// dot before it as a glob, another one the name with or without that dot. Immutable.
class NameChoice {
 public:
  /// nullopt: all names.
  explicit NameChoice(std::optional<std::vector<std::string>> patterns)
      : patterns_(std::move(patterns)) {}

  bool Has(std::string_view name) const;

 private:
  const std::optional<std::vector<std::string>> patterns_;
};

}  // namespace penstock
