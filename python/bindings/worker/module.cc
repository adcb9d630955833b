#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "arrow_schema.h"
#include "batch.h"
#include "channel.h"
#include "client_module.h"
#include "lifeline.h"
#include "output.h"
#include "row_chain.h"

namespace penstock::python {
namespace {

using namespace nb::literals;

// Arrow's own short names, by ColumnKind.
constexpr std::array<const char*, 22> kTypeNames = {"",
                                                    "bool",
                                                    "int8",
                                                    "int16",
                                                    "int32",
                                                    "int64",
                                                    "uint8",
                                                    "uint16",
                                                    "uint32",
                                                    "uint64",
                                                    "halffloat",
                                                    "float",
                                                    "double",
                                                    "string",
                                                    "binary",
                                                    "large_string",
                                                    "large_binary",
                                                    "null",
                                                    "timestamp[s]",
                                                    "timestamp[ms]",
                                                    "timestamp[us]",
                                                    "timestamp[ns]"};

struct Column {
  std::string name;
  std::string type_name;
  int64_t rows;
  std::vector<int64_t> shape;
};

Column MakeColumn(std::string name, ColumnKind kind, int64_t rows, std::vector<int64_t> shape) {
  return {std::move(name), kTypeNames.at(static_cast<size_t>(kind)), rows, std::move(shape)};
}

bool IsPlain(const Batch& batch) {
  return std::ranges::none_of(
      batch.columns(), [](const ColumnView& column) { return column.kind == ColumnKind::kOther; });
}

std::vector<Column> DescribeBatch(const Batch& batch) {
  std::vector<Column> columns;
  for (const ColumnView& view : batch.columns()) {
    columns.push_back(MakeColumn(std::string(view.name), view.kind, view.rows, view.shape));
  }
  return columns;
}

std::vector<Column> DescribeOutput(const Output& output) {
  std::vector<Column> columns;
  for (Output::Facts& facts : output.Describe()) {
    columns.push_back(
        MakeColumn(std::move(facts.name), facts.kind, facts.rows, std::move(facts.shape)));
  }
  return columns;
}

// Returns the output and, for each column that is not plain, (its place, its values).
nb::tuple EncodeColumns(nb::dict columns) {
  auto output = std::make_unique<Output>();
  nb::list others;
  size_t place = 0;
  for (const auto& [name, values] : columns) {
    std::string text = ColumnName(name);
    std::optional<EncodedColumn> encoded = Encode(text, values);
    if (!encoded) others.append(nb::make_tuple(place, values));
    output->Add(std::move(text), std::move(encoded));
    ++place;
  }
  return nb::make_tuple(output.release(), others);
}

nb::tuple FinishRows(RowEncoder& encoder) {
  auto output = std::make_unique<Output>();
  output->SetRows(encoder.rows());
  nb::list others;
  size_t place = 0;
  for (RowEncoder::Column& column : encoder.Finish()) {
    if (!column.encoded) others.append(nb::make_tuple(place, column.values));
    output->Add(std::move(column.name), std::move(column.encoded));
    ++place;
  }
  return nb::make_tuple(output.release(), others);
}

nb::tuple EncodeRowList(nb::list rows) {
  RowEncoder encoder;
  for (nb::handle row : rows) encoder.Append(row);
  return FinishRows(encoder);
}

RowReader ReaderOf(const Batch& batch, nb::list others) {
  std::vector<nb::list> values;
  for (nb::handle column : others) values.push_back(nb::cast<nb::list>(column));
  return RowReader(batch.columns(), batch.slab(), values);
}

nb::tuple RunChain(RowChain& chain, const Batch& batch, nb::list others) {
  const RowReader reader = ReaderOf(batch, std::move(others));
  RowEncoder encoder;
  chain.Run(reader, batch.rows(), &encoder);
  return FinishRows(encoder);
}

nb::bytes ChainMask(RowChain& chain, const Batch& batch, nb::list others) {
  const std::string mask = chain.Mask(ReaderOf(batch, std::move(others)), batch.rows());
  return nb::bytes(mask.data(), mask.size());
}

// Keeps the rows that the mask names; columns that are not plain are left for SetArrow.
Output* TakeFromBatch(const Batch& batch, nb::bytes mask) {
  const std::string bytes(mask.c_str(), mask.size());
  auto output = std::make_unique<Output>();
  output->SetRows(std::count(bytes.begin(), bytes.end(), '\1'));
  for (const ColumnView& column : batch.columns()) {
    std::optional<EncodedColumn> taken;
    if (column.kind != ColumnKind::kOther) taken = TakeRows(column, bytes);
    output->Add(std::string(column.name), std::move(taken));
  }
  return output.release();
}

nb::list BatchRows(const Batch& batch, nb::list others) {
  const RowReader reader = ReaderOf(batch, std::move(others));
  nb::list rows;
  for (int64_t row = 0; row < batch.rows(); ++row) rows.append(reader.Row(row));
  return rows;
}

Batch* PackOutput(Output& output) {
  const int64_t bytes = output.Plan();
  std::shared_ptr<Mapping> mapping = Mapping::Anonymous(bytes);
  output.Write(mapping->data());
  return new Batch(std::move(mapping), bytes);
}

nb::bytes OutputBytes(Output& output) {
  const int64_t bytes = output.Plan();
  const std::shared_ptr<Mapping> mapping = Mapping::Anonymous(bytes);
  output.Write(mapping->data());
  return nb::bytes(mapping->data(), static_cast<size_t>(bytes));
}

Batch* ReadBatch(nb::bytes packed) {
  const auto bytes = static_cast<int64_t>(packed.size());
  std::shared_ptr<Mapping> mapping = Mapping::Anonymous(bytes);
  std::memcpy(mapping->data(), packed.c_str(), packed.size());
  return new Batch(std::move(mapping), bytes);
}

void BufferLines() { setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); }

void BindBatch(nb::module_& module) {
  [[maybe_unused]] const nb::class_<Slab> slab(module, "_Slab");
  nb::class_<Column>(module, "Column", "What is known of a column without its values.")
      .def_ro("name", &Column::name)
      .def_ro("type_name", &Column::type_name,
              "Arrow's short name; empty for types that have none.")
      .def_ro("rows", &Column::rows, "-1 while the values are missing.")
      .def_ro("shape", &Column::shape, "Of one row; empty for scalars.");
  nb::class_<Batch>(module, "Batch", "A packed batch, read where it lies.")
      .def_static("from_bytes", &ReadBatch, "packed"_a)
      .def_prop_ro("rows", &Batch::rows)
      .def_prop_ro("nbytes", &Batch::bytes, "Of a slice its rows' share.")
      .def("slice", &Batch::Slice, "first"_a, "rows"_a, nb::rv_policy::take_ownership,
           "Return some of the rows, over the same memory.")
      .def("copy", &Batch::Copy, nb::rv_policy::take_ownership,
           "Return the same rows over memory of their own.")
      .def_prop_ro("memory", &Batch::slab, nb::sig("def memory(self) -> object"),
                   "What keeps the memory as it is, even when the batch's turn is over.")
      .def_prop_ro("schema", &Batch::schema,
                   "IPC schema message; empty when all are plain and there is no metadata.")
      .def_prop_ro("is_plain", &IsPlain, "Whether all columns can be read without Arrow.")
      .def("describe", &DescribeBatch)
      .def("to_numpy", &Batch::ToNumpyDict, nb::sig("def to_numpy(self) -> dict[str, typing.Any]"),
           "None stands for a column that is not plain.")
      .def("to_rows", &BatchRows, "others"_a,
           nb::sig(
               "def to_rows(self, others: list[list[typing.Any]]) -> list[dict[str, typing.Any]]"),
           "One dict a row; `others`: lists of values.")
      .def(
          "plain_schema", [](const Batch& batch) { return ExportSchema(batch.columns()); },
          nb::sig("def plain_schema(self) -> object"),
          "Its type as an arrow_schema capsule, where all columns are plain.")
      .def("to_arrow", &Batch::ToArrow, "schema_capsule"_a, "Export as an arrow_array capsule.")
      .def("take", &TakeFromBatch, "mask"_a, "Keep the rows whose byte in `mask` is 1.");
}

// Returns (first name, its rows, other name, its rows) where columns differ in length, else None.
nb::object LengthDifference(const Output& output) {
  const std::vector<Output::Facts> columns = output.Describe();
  for (const Output::Facts& column : columns) {
    const Output::Facts& first = columns.front();
    if (column.rows == first.rows) continue;
    return nb::make_tuple(first.name, first.rows, column.name, column.rows);
  }
  return nb::none();
}

bool SetValues(Output& output, size_t column, nb::list values) {
  std::optional<EncodedColumn> encoded = Encode("", values);
  const bool plain = encoded.has_value();
  if (plain) output.SetEncoded(column, std::move(*encoded));
  return plain;
}

void BindOutput(nb::module_& module) {
  nb::class_<Output>(module, "Output", "Columns on their way into a segment.")
      .def(nb::init<>())
      .def(
          "add", [](Output& output, std::string name) { output.Add(std::move(name), {}); },
          "name"_a, "Add a column whose values come later.")
      .def("set_values", &SetValues, "column"_a, "values"_a,
           nb::sig("def set_values(self, column: int, values: list[typing.Any]) -> bool"),
           "False when they are not plain.")
      .def_prop_ro("has_columns", &Output::has_columns)
      .def("length_difference", &LengthDifference,
           nb::sig("def length_difference(self) -> tuple[str, int, str, int] | None"),
           "(first name, its rows, other name, its rows), or None.")
      .def("describe", &DescribeOutput)
      .def_prop_ro("rows", &Output::rows)
      .def("set_rows", &Output::SetRows, "rows"_a)
      .def(
          "set_arrow",
          [](Output& output, size_t column, nb::object schema, nb::object array) {
            output.SetArrow(column, ImportArrow(schema, array));
          },
          "column"_a, "schema_capsule"_a, "array_capsule"_a)
      .def(
          "set_schema",
          [](Output& output, nb::bytes message) {
            output.SetSchema(std::string(message.c_str(), message.size()));
          },
          "message"_a)
      .def("pack", &PackOutput, "Copy into memory of this process.")
      .def("to_bytes", &OutputBytes);
  module.def("encode", &EncodeColumns, "columns"_a,
             nb::sig("def encode(columns: dict[str, typing.Any]) -> tuple[Output, list[tuple[int, "
                     "typing.Any]]]"),
             "Return the output and (place, values) of each column that is not plain.");
  module.def("encode_rows", &EncodeRowList, "rows"_a,
             nb::sig("def encode_rows(rows: list[dict[str, typing.Any]]) -> tuple[Output, "
                     "list[tuple[int, typing.Any]]]"),
             "Gather row dicts by key; return as encode does.");
}

void BindRows(nb::module_& module) {
  nb::class_<RowChain>(module, "RowChain", "Row functions, run one after the other.")
      .def(nb::init<>())
      .def(
          "add",
          [](RowChain& chain, const std::string& kind, nb::object function) {
            chain.Add(kind == "row"        ? RowKind::kMap
                      : kind == "flat_row" ? RowKind::kFlatMap
                                           : RowKind::kFilter,
                      std::move(function));
          },
          "kind"_a, "function"_a)
      .def("run", &RunChain, "batch"_a, "others"_a,
           nb::sig("def run(self, batch: Batch, others: list[list[typing.Any]]) -> tuple[Output, "
                   "list[tuple[int, typing.Any]]]"))
      .def("mask", &ChainMask, "batch"_a, "others"_a,
           nb::sig("def mask(self, batch: Batch, others: list[list[typing.Any]]) -> bytes"))
      .def_prop_ro("row", &RowChain::row, "Where the chain stands or raised.")
      .def_prop_ro("step", &RowChain::step);
}

void BindChannel(nb::module_& module) {
  nb::class_<Channel>(module, "Channel", "The worker's end of the wire.")
      .def(nb::init<int>(), "descriptor"_a)
      .def("receive_setup", &Channel::ReceiveSetup,
           nb::sig("def receive_setup(self) -> bytes | None"))
      .def("receive_batch", &Channel::ReceiveBatch,
           nb::sig("def receive_batch(self) -> Batch | None"))
      .def("poll", &Channel::Poll,
           "Read the frames that are there, without waiting; False once the socket is closed.")
      .def_prop_ro("descriptor", &Channel::descriptor)
      .def_prop_ro("arrived", &Channel::arrived, "Batches whose turn is still to come.")
      .def("peek", &Channel::Peek, "place"_a, nb::sig("def peek(self, place: int) -> Batch"),
           "Look at one of them before its turn.")
      .def("number_of", &Channel::NumberOf, "place"_a, "Its number in its stage, from 0.")
      .def_prop_ro("stopping", &Channel::stopping, "Whether no more batches will come.")
      .def_prop_ro("may_write", &Channel::may_write, "Whether write_output would not wait.")
      .def_prop_ro("batch_number", &Channel::batch_number,
                   "Of the running batch in its stage, from 0, in input order.")
      .def("send_ready", &Channel::SendReady)
      .def("write_output", &Channel::WriteOutput, "output"_a)
      .def("send", &Channel::Send, "more"_a, "busy_ns"_a)
      .def("send_failed", &Channel::SendFailed, "packed"_a, "flags"_a, "busy_ns"_a)
      .def("take_waited_ns", &Channel::TakeWaited);
  module.attr("CONSTRUCTOR") = kConstructor;
  module.attr("BAD_RETURN") = kBadReturnFlag;
  module.attr("STICKY_DEVICE_EXIT") = kStickyDeviceExit;
  module.attr("WORKER_SOCKET") = kWorkerSocket;
  module.attr("MODULES_PIPE") = kModulesPipe;
  module.attr("THREADS_SOCKET") = kThreadsSocket;
  module.attr("RECEPTION") = kReception;
}

}  // namespace
}  // namespace penstock::python

NB_MODULE(_worker, module) {
  using namespace penstock::python;
  module.doc() = "What a worker process needs of C++; links no Arrow.";
  nanobind::set_leak_warnings(false);
  BindBatch(module);
  BindOutput(module);
  BindRows(module);
  BindChannel(module);
  BindClient(module);
  module.def("arrow_stream", &ExportStream, nanobind::arg("schema_capsule"),
             nanobind::arg("array_capsule"),
             nanobind::sig("def arrow_stream(schema_capsule: object, array_capsule: object) -> "
                           "object"),
             "Return an arrow_array_stream capsule that yields the array once.");
  module.def("die_with_parent", &DieWithParent, nanobind::arg("parent"),
             "Have this process and its group killed when its parent or the engine dies, or now if "
             "it has.");
  module.def("buffer_lines", &BufferLines, "Have what C prints leave the process line by line.");
}
