// Reads Parquet files with the float64 columns "x" and "y", adds their product, writes a fifth of
// the rows for testing and the others for training, and prints the mean and the standard deviation
// of each column of the latter. Arguments: input, output folder, seed.

#include <arrow/api.h>
#include <penstock/penstock.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace {

namespace ps = penstock;

arrow::Status PrintMoments(const ps::Dataset& dataset, const std::vector<std::string>& columns) {
  std::vector<ps::AggregateCall> calls;
  for (const std::string& column : columns) {
    calls.push_back({.function = ps::AggregateFunction::kMean, .column = column});
    calls.push_back({.function = ps::AggregateFunction::kStd, .column = column});
  }
  ARROW_ASSIGN_OR_RAISE(const auto values, dataset.Aggregate(calls));
  for (size_t i = 0; i < columns.size(); ++i) {
    std::cout << columns[i] << '\t' << values[2 * i]->ToString() << '\t'
              << values[2 * i + 1]->ToString() << '\n';
  }
  return arrow::Status::OK();
}

arrow::Status Split(const std::string& input, const std::string& output, int64_t seed) {
  const auto [train, test] = ps::ReadParquet({input})
                                 .WithColumns({{"product", ps::Col("x") * ps::Col("y")}})
                                 .TrainTestSplit(0.2, {.seed = seed});
  const ps::WriteOptions anew{.mode = ps::WriteMode::kOverwrite};
  ARROW_RETURN_NOT_OK(train.WriteParquet(output + "/train", anew));
  ARROW_RETURN_NOT_OK(test.WriteParquet(output + "/test", anew));
  return PrintMoments(ps::ReadParquet({output + "/train"}), {"x", "y", "product"});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: split INPUT OUTPUT_FOLDER SEED\n";
    return EXIT_FAILURE;
  }
  const arrow::Status status = Split(arguments[1], arguments[2], std::atoll(arguments[3]));
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
