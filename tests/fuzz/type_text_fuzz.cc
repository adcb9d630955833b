#include "fuzzing.h"
#include "penstock/plan/type_text.h"

/// Arrow types as text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto type = TypeFromText(text);
  if (!type.ok()) return 0;
  Require(*type != nullptr, "a text that is not refused is a type");
  const auto again = TypeFromText((*type)->ToString());
  Require(again.ok() && (*again)->Equals(**type), "a type's own text is that type");
  return 0;
}
