// Parquet through a C++ function to Parquet: a loop over Arrow's reader and writer, which decodes
// columns on all processors. Arguments: input, output folder.

#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "cpp_face_model.h"

namespace {

arrow::Status Copy(const std::string& input, const std::string& folder) {
  parquet::ArrowReaderProperties reading;
  reading.set_use_threads(true);
  reading.set_pre_buffer(true);
  reading.set_batch_size(65'536);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.OpenFile(input));
  ARROW_ASSIGN_OR_RAISE(auto reader, builder.properties(reading)->Build());
  ARROW_ASSIGN_OR_RAISE(auto batches, reader->GetRecordBatchReader());
  std::filesystem::create_directories(folder);
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::FileOutputStream::Open(folder + "/part.parquet"));
  const auto writing =
      parquet::WriterProperties::Builder().compression(parquet::Compression::SNAPPY)->build();
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, batches->Next());
    if (batch == nullptr) break;
    ARROW_ASSIGN_OR_RAISE(const auto scored, Score(batch));
    if (writer == nullptr) {
      ARROW_ASSIGN_OR_RAISE(
          writer, parquet::arrow::FileWriter::Open(*scored->schema(), arrow::default_memory_pool(),
                                                   file, writing));
    }
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*scored));
  }
  if (writer != nullptr) ARROW_RETURN_NOT_OK(writer->Close());
  return file->Close();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return EXIT_FAILURE;
  const arrow::Status status = Copy(arguments[1], arguments[2]);
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
