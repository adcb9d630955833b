#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace penstock {

/// Makes a short name of bytes: 128 bits of XXH3, which tells what has changed and protects from no
/// attacker. The same bytes give the same digest, however they are cut into pieces.
class Digest {
 public:
  Digest();
  Digest(Digest&&) noexcept;
  ~Digest();

  Digest& Add(std::string_view bytes);

  /// Returns 32 hexadecimal digits.
  std::string Hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Returns the digest of bytes that are at hand as a whole.
inline std::string DigestOf(std::string_view bytes) { return Digest().Add(bytes).Hex(); }

}  // namespace penstock
