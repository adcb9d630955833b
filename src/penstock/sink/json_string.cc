#include <fmt/format.h>

#include <iterator>

#include "penstock/sink/json_cells.h"

namespace penstock {
namespace {

/// Decodes the character that begins at `place` and moves `place` behind it; -1 where there is none
/// by the rules of UTF-8 (overlong forms and surrogates among them).
int32_t NextCharacter(std::string_view text, size_t* place) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char first = byte(*place);
  const int length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if ((first >= 0x80 && first < 0xC2) || first > 0xF4) return -1;
  if (*place + static_cast<size_t>(length) > text.size()) return -1;
  int32_t character = length == 1 ? first : first & (0x7F >> length);
  for (size_t i = *place + 1; i < *place + static_cast<size_t>(length); ++i) {
    if ((byte(i) & 0xC0) != 0x80) return -1;
    character = (character << 6) | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
  const bool surrogate = character >= 0xD800 && character < 0xE000;
  if (overlong || surrogate || character > 0x10FFFF) return -1;
  *place += static_cast<size_t>(length);
  return character;
}

void AppendEscaped(int32_t character, std::string* out) {
  if (character >= 0x10000) {
    const int32_t rest = character - 0x10000;
    AppendEscaped(0xD800 + (rest >> 10), out);
    AppendEscaped(0xDC00 + (rest & 0x3FF), out);
    return;
  }
  fmt::format_to(std::back_inserter(*out), "\\u{:04x}", character);
}

/// Appends what must not stand in JSON text as it is; returns whether it was such a character.
bool AppendSpecial(int32_t character, std::string* out) {
  switch (character) {
    case '"':
      *out += "\\\"";
      return true;
    case '\\':
      *out += "\\\\";
      return true;
    case '\n':
      *out += "\\n";
      return true;
    case '\r':
      *out += "\\r";
      return true;
    case '\t':
      *out += "\\t";
      return true;
    default:
      if (character >= 0x20 && character != 0x7F) return false;
      AppendEscaped(character, out);
      return true;
  }
}

bool IsPlain(char character) {
  return character >= 0x20 && character < 0x7F && character != '"' && character != '\\';
}

}  // namespace

Status AppendJsonText(std::string_view text, bool ascii, std::string* out) {
  *out += '"';
  size_t place = 0;
  while (true) {
    size_t begin = place;
    while (place < text.size() && IsPlain(text[place])) ++place;
    out->append(text.substr(begin, place - begin));
    if (place == text.size()) break;
    begin = place;
    const int32_t character = NextCharacter(text, &place);
    if (character < 0) {
      return Status::Invalid("text is not UTF-8 from byte ", begin,
                             " on; repair it, or make the column binary");
    }
    if (AppendSpecial(character, out)) continue;
    if (ascii && character >= 0x80) {
      AppendEscaped(character, out);
    } else {
      out->append(text.substr(begin, place - begin));
    }
  }
  *out += '"';
  return Status::OK();
}

}  // namespace penstock
