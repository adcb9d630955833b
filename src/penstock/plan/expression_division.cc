#include "penstock/plan/expression_division.h"

#include <arrow/compute/exec.h>
#include <arrow/compute/function.h>
#include <arrow/compute/kernel.h>
#include <arrow/scalar.h>
#include <arrow/type_traits.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock {
namespace {

namespace compute = arrow::compute;

constexpr auto kFloorDivide = "floor_divide";
constexpr auto kModulo = "modulo";

template <typename Number>
bool SignsDiffer(Number left, Number right) {
  return (left < Number{0}) != (right < Number{0});
}

struct FloorDivide {
  template <typename Number>
  static Number Of(Number left, Number right) {
    if constexpr (std::is_floating_point_v<Number>) {
      return std::floor(left / right);
    } else {
      if constexpr (std::is_signed_v<Number>) {
        // Its own result does not fit; Arrow's "multiply" wraps around likewise.
        if (left == std::numeric_limits<Number>::min() && right == -1) return left;
      }
      const auto quotient = static_cast<Number>(left / right);
      const bool is_whole = static_cast<Number>(quotient * right) == left;
      return !is_whole && SignsDiffer(left, right) ? static_cast<Number>(quotient - 1) : quotient;
    }
  }
};

struct Modulo {
  template <typename Number>
  static Number Of(Number left, Number right) {
    Number rest = 0;
    if constexpr (std::is_floating_point_v<Number>) {
      rest = std::fmod(left, right);
    } else {
      if constexpr (std::is_signed_v<Number>) {
        if (right == -1) return 0;  // The processor refuses the least number.
      }
      rest = static_cast<Number>(left % right);
    }
    return rest != 0 && SignsDiffer(rest, right) ? static_cast<Number>(rest + right) : rest;
  }
};

/// One side of a division: the rows' numbers, or one for all rows.
template <typename Type>
class Side {
 public:
  using Number = typename Type::c_type;

  explicit Side(const compute::ExecValue& value)
      : scalar_(value.is_scalar() ? value.scalar : nullptr),
        array_(value.is_scalar() ? nullptr : &value.array) {
    if (scalar_ != nullptr && scalar_->is_valid) {
      constant_ = static_cast<const typename arrow::TypeTraits<Type>::ScalarType&>(*scalar_).value;
    }
    if (array_ != nullptr) numbers_ = array_->template GetValues<Number>(1);
  }

  bool IsValid(int64_t row) const {
    return array_ == nullptr ? scalar_->is_valid : array_->IsValid(row);
  }
  Number At(int64_t row) const { return array_ == nullptr ? constant_ : numbers_[row]; }

 private:
  const arrow::Scalar* scalar_;
  const arrow::ArraySpan* array_;
  const Number* numbers_ = nullptr;
  Number constant_{};
};

template <typename Type, typename Operation>
Status Execute(compute::KernelContext*, const compute::ExecSpan& batch, compute::ExecResult* out) {
  const Side<Type> left(batch[0]);
  const Side<Type> right(batch[1]);
  auto* results = out->array_span_mutable()->template GetValues<typename Type::c_type>(1);
  for (int64_t row = 0; row < batch.length; ++row) {
    results[row] = {};
    if (!left.IsValid(row) || !right.IsValid(row)) continue;
    if (arrow::is_integer_type<Type>::value && right.At(row) == 0) {
      return Status::Invalid("divide by zero");
    }
    results[row] = Operation::Of(left.At(row), right.At(row));
  }
  return Status::OK();
}

/// Finds its kernel by the types to which "divide" brings its arguments.
class Division : public compute::ScalarFunction {
 public:
  using compute::ScalarFunction::ScalarFunction;

  Result<const compute::Kernel*> DispatchBest(std::vector<arrow::TypeHolder>* types) const final {
    PENSTOCK_TRY(const auto divide, compute::GetFunctionRegistry()->GetFunction("divide"));
    PENSTOCK_RETURN_NOT_OK(divide->DispatchBest(types));
    return DispatchExact(*types);
  }
};

template <typename Operation, typename... Types>
Status AddKernels(compute::ScalarFunction& function) {
  Status status;
  const auto add = [&](auto type, compute::ArrayKernelExec execute) {
    const auto number = arrow::TypeTraits<decltype(type)>::type_singleton();
    if (status.ok()) status = function.AddKernel({number, number}, number, execute);
  };
  (add(Types(), Execute<Types, Operation>), ...);
  return status;
}

template <typename Operation>
Status Register(compute::FunctionRegistry& registry, const std::string& name) {
  const compute::FunctionDoc doc("", "", {"dividend", "divisor"});
  auto function = std::make_shared<Division>(name, compute::Arity::Binary(), doc);
  PENSTOCK_RETURN_NOT_OK(
      (AddKernels<Operation, arrow::Int8Type, arrow::Int16Type, arrow::Int32Type, arrow::Int64Type,
                  arrow::UInt8Type, arrow::UInt16Type, arrow::UInt32Type, arrow::UInt64Type,
                  arrow::FloatType, arrow::DoubleType>(*function)));
  return registry.AddFunction(std::move(function));
}

}  // namespace

Status RegisterDivisionFunctions(compute::FunctionRegistry& registry) {
  PENSTOCK_RETURN_NOT_OK(Register<FloorDivide>(registry, kFloorDivide));
  return Register<Modulo>(registry, kModulo);
}

Result<std::optional<compute::Expression>> DivisionByFunctions(
    const compute::Expression::Call& call) {
  if (call.function_name != kFloorDivide && call.function_name != kModulo) return std::nullopt;
  std::vector<arrow::TypeHolder> types;
  for (const compute::Expression& argument : call.arguments) types.emplace_back(argument.type());
  PENSTOCK_TRY(const auto function,
               compute::GetFunctionRegistry()->GetFunction(call.function_name));
  if (function->DispatchBest(&types).ok()) return std::nullopt;
  const auto quotient = compute::call("floor", {compute::call("divide", call.arguments)});
  if (call.function_name == kFloorDivide) return quotient;
  const auto whole = compute::call("multiply", {quotient, call.arguments[1]});
  return compute::call("subtract", {call.arguments[0], whole});
}

}  // namespace penstock
