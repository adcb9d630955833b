// Parquet through a C++ function to Parquet: Penstock. Arguments: input, output folder.

#include <penstock/penstock.h>

#include <cstdlib>
#include <iostream>

#include "cpp_face_model.h"

int main(int count, char** arguments) {
  if (count != 3) return EXIT_FAILURE;
  const arrow::Status status =
      penstock::ReadParquet({arguments[1]})
          .MapBatches(Score, {.name = "Score", .batch_rows = 65'536, .keeps_rows = true})
          .WriteParquet(arguments[2], {.mode = penstock::WriteMode::kOverwrite});
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
