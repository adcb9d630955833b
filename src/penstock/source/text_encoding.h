#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"

namespace penstock {

/// Reads the option "encoding"; "utf-8" where it is not given. Invalid for one that this machine's
/// iconv does not know.
Result<std::string> ReadEncoding(OptionReader& options);

/// Says whether text of the encoding is UTF-8 as it stands: "utf-8", the same with a byte order
/// mark that is no text ("utf-8-sig"), and "ascii".
bool IsUtf8Encoding(const std::string& encoding);

/// Returns a stream of the same text in UTF-8; the stream itself where it is that already. Reading
/// fails with Invalid, telling the byte, where the text is not of the encoding or ends within a
/// character.
Result<std::shared_ptr<arrow::io::InputStream>> AsUtf8(std::shared_ptr<arrow::io::InputStream> text,
                                                       const std::string& encoding);

}  // namespace penstock
