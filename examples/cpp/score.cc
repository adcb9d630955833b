// Reads Parquet files with the float64 columns "x" and "y", runs a linear model over them and
// writes the rows with a column "score". Arguments: input, output folder.

#include <arrow/api.h>
#include <penstock/penstock.h>

#include <cstdlib>
#include <iostream>
#include <memory>

namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

/// A model with weights of its own, as a real one would have.
struct LinearModel {
  double of_x = 0.75;
  double of_y = -0.5;
  double bias = 0.125;

  arrow::Result<Batch> operator()(const Batch& batch) const {
    const auto x = std::dynamic_pointer_cast<arrow::DoubleArray>(batch->GetColumnByName("x"));
    const auto y = std::dynamic_pointer_cast<arrow::DoubleArray>(batch->GetColumnByName("y"));
    if (x == nullptr || y == nullptr) {
      return arrow::Status::Invalid("x and y must be columns of float64; got: ",
                                    batch->schema()->ToString());
    }
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<arrow::Buffer> scores,
                          arrow::AllocateBuffer(batch->num_rows() * sizeof(double)));
    auto* const score = reinterpret_cast<double*>(scores->mutable_data());
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      score[row] = of_x * x->Value(row) + of_y * y->Value(row) + bias;
    }
    const auto column = std::make_shared<arrow::DoubleArray>(batch->num_rows(), std::move(scores));
    return batch->AddColumn(batch->num_columns(), "score", column);
  }
};

arrow::Status Score(const char* input, const char* output) {
  namespace ps = penstock;
  return ps::ReadParquet({input})
      .Filter(ps::Call("is_valid", {ps::Col("x")}) & ps::Call("is_valid", {ps::Col("y")}))
      .MapBatches(LinearModel(), {.name = "LinearModel", .batch_rows = 65'536, .keeps_rows = true})
      .WriteParquet(output, {.mode = ps::WriteMode::kOverwrite});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: score INPUT OUTPUT_FOLDER\n";
    return EXIT_FAILURE;
  }
  const arrow::Status status = Score(arguments[1], arguments[2]);
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
