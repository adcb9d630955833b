#include "penstock/op/aggregate.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/errors.h"
#include "core/module.h"

namespace penstock::python {
namespace {

namespace nb = nanobind;

constexpr std::array<std::pair<std::string_view, AggregateKind>, 13> kKinds{{
    {"count", AggregateKind::kCount},
    {"sum", AggregateKind::kSum},
    {"min", AggregateKind::kMin},
    {"max", AggregateKind::kMax},
    {"mean", AggregateKind::kMean},
    {"std", AggregateKind::kStd},
    {"abs_max", AggregateKind::kAbsMax},
    {"unique", AggregateKind::kUnique},
    {"count_distinct", AggregateKind::kCountDistinct},
    {"value_counts", AggregateKind::kValueCounts},
    {"list", AggregateKind::kList},
    {"missing_share", AggregateKind::kMissingShare},
    {"zero_share", AggregateKind::kZeroShare},
}};

AggregateSpec SpecOf(const std::string& kind, std::optional<std::string> column, bool ignore_nulls,
                     int64_t ddof) {
  for (const auto& [name, value] : kKinds) {
    if (name == kind) {
      return {
          .kind = value, .column = std::move(column), .ignore_nulls = ignore_nulls, .ddof = ddof};
    }
  }
  throw nb::value_error(("unknown aggregate: " + kind).c_str());
}

nb::object WholeNumber(const arrow::Decimal128& value) {
  return nb::steal(PyLong_FromString(value.ToIntegerString().c_str(), nullptr, 10));
}

/// A collection becomes a block with the one column "value".
nb::object ToPython(const AggregateValue& value) {
  if (const auto* whole = std::get_if<arrow::Decimal128>(&value)) return WholeNumber(*whole);
  if (const auto* number = std::get_if<double>(&value)) return nb::float_(*number);
  const auto* rows = std::get_if<std::shared_ptr<arrow::Array>>(&value);
  if (rows == nullptr) return nb::none();
  const auto schema = arrow::schema({arrow::field("value", (*rows)->type())});
  return nb::cast(Block{.batch = arrow::RecordBatch::Make(schema, (*rows)->length(), {*rows})});
}

nb::list Finish(Aggregation& aggregation) {
  nb::list values;
  for (const AggregateValue& value : ValueOrThrow(aggregation.Finish())) {
    values.append(ToPython(value));
  }
  return values;
}

}  // namespace

void BindAggregate(nb::module_& module) {
  nb::class_<AggregateSpec>(module, "AggregateSpec", "What is asked of one column.")
      .def(
          "__init__",
          [](AggregateSpec* place, const std::string& kind, std::optional<std::string> column,
             bool ignore_nulls, int64_t ddof) {
            new (place) AggregateSpec(SpecOf(kind, std::move(column), ignore_nulls, ddof));
          },
          nb::arg("kind"), nb::arg("column").none(), nb::kw_only(), nb::arg("ignore_nulls"),
          nb::arg("ddof") = 1);
  nb::class_<Aggregation>(module, "Aggregation", "Aggregates of a stream of blocks, in one pass.")
      .def(
          "__init__",
          [](Aggregation* place, std::vector<AggregateSpec> specs) {
            new (place) Aggregation(ValueOrThrow(Aggregation::Make(std::move(specs))));
          },
          nb::arg("specs"))
      .def(
          "add",
          [](Aggregation& aggregation, const Block& block) {
            const Status added = [&] {
              nb::gil_scoped_release release;
              return aggregation.Add(*block.batch);
            }();
            ThrowIfError(added);
          },
          nb::arg("block"))
      .def_prop_ro("rows", &Aggregation::rows)
      .def("finish", &Finish, nb::sig("def finish(self) -> list[int | float | Block | None]"),
           "A value for each spec; a Block has the values in its one column.");
}

}  // namespace penstock::python
