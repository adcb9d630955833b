#include <arrow/compute/api_scalar.h>

#include <limits>

#include "penstock/plan/expression_option_readers.h"
#include "penstock/plan/expression_values.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;
using Json = nlohmann::json;

constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::min();

const Choices<compute::RoundMode>& RoundModes() {
  using Mode = compute::RoundMode;
  static const Choices<Mode> modes = {
      {"down", Mode::DOWN},
      {"up", Mode::UP},
      {"towards_zero", Mode::TOWARDS_ZERO},
      {"towards_infinity", Mode::TOWARDS_INFINITY},
      {"half_down", Mode::HALF_DOWN},
      {"half_up", Mode::HALF_UP},
      {"half_towards_zero", Mode::HALF_TOWARDS_ZERO},
      {"half_towards_infinity", Mode::HALF_TOWARDS_INFINITY},
      {"half_to_even", Mode::HALF_TO_EVEN},
      {"half_to_odd", Mode::HALF_TO_ODD},
  };
  return modes;
}

Result<compute::RoundMode> ReadRoundMode(OptionReader& reader) {
  return OneOf(reader, "round_mode", RoundModes(), compute::RoundMode::HALF_TO_EVEN);
}

FunctionOptionsResult ReadRound(OptionReader& reader) {
  PENSTOCK_TRY(const int64_t digits, reader.Integer("ndigits", 0, kAnyInteger));
  PENSTOCK_TRY(const auto mode, ReadRoundMode(reader));
  return MakeOptions<compute::RoundOptions>(digits, mode);
}

FunctionOptionsResult ReadRoundBinary(OptionReader& reader) {
  PENSTOCK_TRY(const auto mode, ReadRoundMode(reader));
  return MakeOptions<compute::RoundBinaryOptions>(mode);
}

FunctionOptionsResult ReadRoundToMultiple(OptionReader& reader) {
  const Json& multiple = reader.Raw("multiple");
  if (!multiple.is_number()) return Status::Invalid("option \"multiple\" must be a number");
  PENSTOCK_TRY(auto scalar, ScalarFromJson({{"literal", multiple}}));
  PENSTOCK_TRY(const auto mode, ReadRoundMode(reader));
  return MakeOptions<compute::RoundToMultipleOptions>(std::move(scalar), mode);
}

}  // namespace

const OptionReaders& NumberOptionReaders() {
  static const OptionReaders readers = {
      {"round", ReadRound},
      {"round_binary", ReadRoundBinary},
      {"round_to_multiple", ReadRoundToMultiple},
  };
  return readers;
}

}  // namespace penstock
