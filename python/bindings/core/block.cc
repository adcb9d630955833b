#include <arrow/type.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <utility>
#include <vector>

#include "core/batches.h"
#include "core/errors.h"
#include "core/module.h"
#include "penstock/block/join.h"
#include "penstock/block/packed.h"
#include "penstock/op/take.h"

namespace penstock::python {
namespace {

using Names = std::vector<std::string>;

std::vector<ColumnView> PlainViews(const arrow::RecordBatch& batch, Names& others) {
  std::vector<ColumnView> views;
  for (int i = 0; i < batch.num_columns(); ++i) {
    std::optional<ColumnView> view = PlainView(batch.schema()->field(i)->name(), *batch.column(i));
    if (view) {
      views.push_back(*std::move(view));
    } else {
      others.push_back(batch.schema()->field(i)->name());
    }
  }
  return views;
}

nb::tuple ToNumpyColumns(nb::handle self) {
  const Block& block = nb::cast<const Block&>(self);
  Names others;
  nb::dict columns;
  for (const ColumnView& view : PlainViews(*block.batch, others)) {
    columns[nb::str(view.name.data(), view.name.size())] = ToNumpy(view, self, /*writable=*/false);
  }
  return nb::make_tuple(columns, others);
}

nb::object ToRowDicts(nb::handle self) {
  const Block& block = nb::cast<const Block&>(self);
  Names others;
  const std::vector<ColumnView> views = PlainViews(*block.batch, others);
  if (!others.empty()) return nb::none();
  return ToRows(views, block.rows(), self);
}

std::vector<Piece> PiecesOf(const std::vector<const Block*>& blocks) {
  std::vector<Piece> pieces;
  for (const Block* block : blocks) {
    pieces.push_back({.block = *block, .offset = 0, .rows = block->rows()});
  }
  return pieces;
}

Block Concatenate(const std::vector<const Block*>& blocks) {
  if (blocks.empty()) throw nb::value_error("concat needs at least one block");
  return ValueOrThrow(ConcatenatePieces(PiecesOf(blocks)));
}

std::vector<Block> Unify(const std::vector<const Block*>& blocks) {
  std::vector<Piece> pieces = PiecesOf(blocks);
  if (!pieces.empty() && !HaveOneSchema(pieces)) pieces = ValueOrThrow(UnifyPieces(pieces));
  std::vector<Block> unified;
  for (Piece& piece : pieces) unified.push_back(std::move(piece.block));
  return unified;
}

using RowNumbers =
    nb::ndarray<const int64_t, nb::numpy, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

Block Take(const std::vector<const Block*>& blocks, const RowNumbers& rows) {
  if (blocks.empty()) throw nb::value_error("take needs at least one block");
  Result<Block> taken = [&] {
    nb::gil_scoped_release release;
    return TakeRows(PiecesOf(blocks), {rows.data(), rows.size()});
  }();
  return ValueOrThrow(std::move(taken));
}

Block Slice(const Block& block, int64_t offset, int64_t rows) {
  if (offset < 0 || rows < 0 || offset + rows > block.rows()) {
    throw nb::index_error("slice lies outside of the block");
  }
  return SliceBlock(block, offset, rows);
}

}  // namespace

void BindBlock(nb::module_& module) {
  nb::class_<Block>(module, "Block", "Some rows of a result, column by column. Immutable.")
      .def_prop_ro("num_rows", &Block::rows)
      .def_prop_ro("nbytes", [](const Block& block) { return BlockBytes(*block.batch); })
      .def_prop_ro("column_names",
                   [](const Block& block) { return block.batch->schema()->field_names(); })
      .def("slice", &Slice, nb::arg("offset"), nb::arg("rows"), "Rows of it, without a copy.")
      .def(
          "__arrow_c_array__",
          [](const Block& block, nb::handle) { return ExportBatch(*block.batch); },
          nb::arg("requested_schema") = nb::none(),
          nb::sig("def __arrow_c_array__(self, requested_schema: object | None = None) -> "
                  "tuple[object, object]"))
      .def("__arrow_c_schema__",
           [](const Block& block) { return ExportSchema(*block.batch->schema()); })
      .def("to_numpy", &ToNumpyColumns,
           nb::sig("def to_numpy(self) -> tuple[dict[str, typing.Any], list[str]]"),
           "Plain columns as arrays, and the names of those that only Arrow can convert.")
      .def("to_rows", &ToRowDicts,
           nb::sig("def to_rows(self) -> list[dict[str, typing.Any]] | None"),
           "One dict a row; None when only Arrow can convert a column.")
      .def_static("concat", &Concatenate, nb::arg("blocks"))
      .def_static("take", &Take, nb::arg("blocks"), nb::arg("rows"),
                  nb::sig("def take(blocks: Sequence[Block], rows: object) -> Block"),
                  "Rows by number (int64), counted through the blocks, in memory of their own.")
      .def_static("unify", &Unify, nb::arg("blocks"),
                  "The blocks with one schema: columns by name, types promoted, nulls elsewhere.");
}

}  // namespace penstock::python
