#include <algorithm>

#include "penstock/source/image_tiff.h"

namespace penstock {
namespace {

constexpr unsigned kClear = 256;
constexpr unsigned kEnd = 257;
constexpr unsigned kFirstText = 258;
constexpr unsigned kTextsMax = 4096;

/// Takes codes of 9 to 12 bits, the highest bit first.
class CodeReader {
 public:
  explicit CodeReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  unsigned Take(int width) {
    while (held_bits_ < width) {
      if (next_ == bytes_.size()) return kEnd;
      held_ = held_ << 8 | bytes_[next_++];
      held_bits_ += 8;
    }
    held_bits_ -= width;
    return held_ >> held_bits_ & ((1U << width) - 1);
  }

 private:
  const std::span<const uint8_t> bytes_;
  size_t next_ = 0;
  uint32_t held_ = 0;
  int held_bits_ = 0;
};

/// What a code stands for: a part of what was written before.
struct Text {
  size_t begin = 0;
  size_t length = 0;
};

int WidthFor(size_t texts) {
  if (texts < 511) return 9;
  if (texts < 1023) return 10;
  return texts < 2047 ? 11 : 12;
}

}  // namespace

std::vector<uint8_t> UnpackBits(std::span<const uint8_t> packed, size_t bytes) {
  std::vector<uint8_t> plain;
  plain.reserve(bytes);
  for (size_t i = 0; i < packed.size() && plain.size() < bytes;) {
    const auto count = static_cast<int8_t>(packed[i++]);
    if (count == -128) continue;
    const size_t left = bytes - plain.size();
    if (count >= 0) {
      const size_t copied = std::min({static_cast<size_t>(count) + 1, packed.size() - i, left});
      plain.insert(plain.end(), packed.begin() + static_cast<ptrdiff_t>(i),
                   packed.begin() + static_cast<ptrdiff_t>(i + copied));
      i += static_cast<size_t>(count) + 1;
    } else if (i < packed.size()) {
      plain.insert(plain.end(), std::min(static_cast<size_t>(1 - count), left), packed[i++]);
    }
  }
  return plain;
}

std::vector<uint8_t> UnpackLzw(std::span<const uint8_t> packed, size_t bytes) {
  std::vector<uint8_t> plain;
  plain.reserve(bytes);
  std::vector<Text> texts(kFirstText);  // The first stand for themselves.
  CodeReader codes(packed);
  Text last;
  while (plain.size() < bytes) {
    const unsigned code = codes.Take(WidthFor(texts.size()));
    if (code == kEnd) break;
    if (code == kClear) {
      texts.resize(kFirstText);
      last = {};
      continue;
    }
    // A code's text is the last one and one byte more, which is the first of what follows.
    if (last.length > 0 && texts.size() < kTextsMax) {
      texts.push_back({.begin = last.begin, .length = last.length + 1});
    }
    if (code >= texts.size()) break;
    const size_t begin = plain.size();
    if (code < kClear) {
      plain.push_back(static_cast<uint8_t>(code));
    } else {
      const Text text = texts[code];
      for (size_t i = 0; i < text.length && plain.size() < bytes; ++i) {
        plain.push_back(plain[text.begin + i]);
      }
    }
    last = {.begin = begin, .length = plain.size() - begin};
  }
  return plain;
}

}  // namespace penstock
