#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Parses options that a caller gave as text. What is no JSON object becomes options that every
/// reader and writer refuses by name.
nlohmann::json OptionsFromText(const std::string& text);

/// Reads the options of one reader or writer from their JSON form. An absent option and null mean
/// the same. Every error is Invalid and names owner, option and value.
class OptionReader {
 public:
  /// `owner` is how errors call it: "reader csv". Borrows `options`.
  OptionReader(std::string owner, const nlohmann::json& options)
      : owner_(std::move(owner)), options_(options) {}

  Result<bool> Bool(const std::string& name, bool otherwise);
  Result<int64_t> Integer(const std::string& name, int64_t otherwise, int64_t least);
  Result<std::string> Text(const std::string& name, const std::string& otherwise);
  Result<std::optional<std::vector<std::string>>> Texts(const std::string& name);
  Result<std::vector<int64_t>> Integers(const std::string& name, std::vector<int64_t> otherwise,
                                        int64_t least);

  /// Returns the option as it stands; null when absent.
  const nlohmann::json& Raw(const std::string& name);

  /// Refuses options that nobody has asked for by now.
  Status RefuseOthers() const;

  Status Wrong(const std::string& name, const std::string& wanted) const;

 private:
  const std::string owner_;
  const nlohmann::json& options_;
  std::set<std::string> known_;
};

}  // namespace penstock
