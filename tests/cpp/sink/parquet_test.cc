#include <arrow/array.h>
#include <arrow/extension/fixed_shape_tensor.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "penstock/base/error.h"
#include "penstock/block/tensor.h"
#include "penstock/sink/sink.h"

namespace penstock {
namespace {

namespace files = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Block BlockOf(const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return {.batch =
              arrow::RecordBatch::Make(arrow::schema(fields), arrays.front()->length(), arrays)};
}

std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

Block Numbers(const std::string& json) { return BlockOf({{"a", Column(arrow::int64(), json)}}); }

Block ManyNumbers(int64_t count) {
  arrow::Int64Builder builder;
  uint64_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;  // Not compressible.
    EXPECT_TRUE(builder.Append(static_cast<int64_t>(state)).ok());
  }
  return BlockOf({{"a", builder.Finish().ValueOrDie()}});
}

class ParquetSinkTest : public ::testing::Test {
 protected:
  ParquetSinkTest() {
    std::string pattern = files::temp_directory_path() / "penstock_sink_XXXXXX";
    root_ = mkdtemp(pattern.data());
    folder_ = root_ / "out";
  }
  ~ParquetSinkTest() override { files::remove_all(root_); }

  std::unique_ptr<Sink> Make(nlohmann::json options = nlohmann::json::object()) {
    options["path"] = folder_.string();
    return MakeSink({.kind = "parquet", .options = std::move(options)}).ValueOrDie();
  }

  /// Makes, starts and fills a sink with one part of one block.
  std::unique_ptr<Sink> Filled(const Block& block,
                               nlohmann::json options = nlohmann::json::object()) {
    auto sink = Make(std::move(options));
    EXPECT_EQ(sink->Start().ValueOrDie(), SinkStart::kWrite);
    const auto part = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
    EXPECT_TRUE(part->Write(block).ok());
    EXPECT_TRUE(part->Close().ok());
    return sink;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : files::recursive_directory_iterator(root_)) {
      if (!entry.is_directory()) names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  std::shared_ptr<arrow::Table> Read(const std::string& name) const {
    parquet::arrow::FileReaderBuilder builder;
    EXPECT_TRUE(builder.OpenFile(folder_ / name).ok());
    return builder.Build().ValueOrDie()->ReadTable().ValueOrDie();
  }

  int RowGroups(const std::string& name) const {
    return parquet::ParquetFileReader::OpenFile(folder_ / name)->metadata()->num_row_groups();
  }

  files::path root_;
  files::path folder_;
};

TEST_F(ParquetSinkTest, NothingShowsBeforeCommitAndThenAllDoes) {
  const auto sink = Make();
  ASSERT_EQ(sink->Start().ValueOrDie(), SinkStart::kWrite);
  for (const int64_t part : {1, 0}) {
    const auto writer = sink->Open(part, "00000" + std::to_string(part)).ValueOrDie();
    ASSERT_TRUE(writer->Write(Numbers(part == 0 ? "[1,2]" : "[3]")).ok());
    ASSERT_TRUE(writer->Close().ok());
  }
  for (const std::string& name : Names()) EXPECT_TRUE(name.starts_with('.')) << name;
  const auto parts = sink->Commit().ValueOrDie();
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_THAT(parts[0].name, ::testing::MatchesRegex("[0-9a-f]{32}_000000.parquet"));
  EXPECT_THAT(parts[1].name, ::testing::EndsWith("_000001.parquet"));
  EXPECT_EQ(parts[0].rows, 2);
  EXPECT_EQ(parts[0].bytes, static_cast<int64_t>(files::file_size(folder_ / parts[0].name)));
  EXPECT_THAT(Names(), ::testing::ElementsAre(parts[0].name, parts[1].name));
  EXPECT_EQ(Read(parts[0].name)->num_rows(), 2);
}

TEST_F(ParquetSinkTest, BlocksOfOnePartComeBackInOrderWithTheirTypes) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  const auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  const auto tensor = TensorType(arrow::float32(), {2, 2}).ValueOrDie();
  const auto storage = Column(arrow::fixed_size_list(arrow::float32(), 4), "[[1,2,3,4]]");
  const auto images = arrow::ExtensionType::WrapArray(tensor, storage);
  const auto when = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const Block block = BlockOf({{"image", images},
                               {"name", Column(arrow::large_utf8(), R"(["x"])")},
                               {"when", Column(when, "[7]")}});
  ASSERT_TRUE(writer->Write(block).ok());
  ASSERT_TRUE(writer->Write(block).ok());
  ASSERT_TRUE(writer->Close().ok());
  const auto table = Read(sink->Commit().ValueOrDie().front().name);
  EXPECT_TRUE(table->schema()->Equals(*block.batch->schema(), false)) << table->ToString();
  EXPECT_TRUE(table->Slice(1)->CombineChunksToBatch().ValueOrDie()->Equals(*block.batch));
}

TEST_F(ParquetSinkTest, AbortLeavesNothingNotEvenTheFolder) {
  const auto sink = Filled(Numbers("[1]"));
  auto open = sink->Open(1, "00000" + std::to_string(1)).ValueOrDie();
  ASSERT_TRUE(open->Write(Numbers("[2]")).ok());
  open.reset();
  sink->Abort();
  EXPECT_FALSE(files::exists(folder_));
}

TEST_F(ParquetSinkTest, AbortKeepsAFolderThatWasThere) {
  files::create_directories(folder_);
  std::ofstream(folder_ / "mine.txt") << "x";
  Filled(Numbers("[1]"))->Abort();
  EXPECT_THAT(Names(), ::testing::ElementsAre("mine.txt"));
}

TEST_F(ParquetSinkTest, AbortAfterCommitKeepsTheParts) {
  const auto sink = Filled(Numbers("[1]"));
  ASSERT_TRUE(sink->Commit().ok());
  sink->Abort();
  EXPECT_THAT(Names(), SizeIs(1));
}

TEST_F(ParquetSinkTest, ACommitThatFailsHalfWayCanBeAborted) {
  const auto sink = Filled(Numbers("[1]"));
  const auto writer = sink->Open(1, "00000" + std::to_string(1)).ValueOrDie();
  ASSERT_TRUE(writer->Write(Numbers("[2]")).ok());
  const PartFile part = writer->Close().ValueOrDie().front();
  std::ofstream(folder_ / part.name) << "another's";
  const Status failed = sink->Commit().status();
  EXPECT_TRUE(failed.IsAlreadyExists());
  EXPECT_THAT(failed.message(), HasSubstr(part.name));
  sink->Abort();
  EXPECT_THAT(Names(), ::testing::ElementsAre(part.name));
  EXPECT_EQ(files::file_size(folder_ / part.name), 9);
}

TEST_F(ParquetSinkTest, AppendKeepsWhatWasThere) {
  ASSERT_TRUE(Filled(Numbers("[1]"))->Commit().ok());
  ASSERT_TRUE(Filled(Numbers("[2]"))->Commit().ok());
  EXPECT_THAT(Names(), SizeIs(2));
}

TEST_F(ParquetSinkTest, OverwriteRemovesTheOldPartsOnlyAtCommit) {
  ASSERT_TRUE(Filled(Numbers("[1]"))->Commit().ok());
  files::create_directories(folder_ / "year=1");
  files::copy(folder_ / Names().front(), folder_ / "year=1" / "old.parquet");
  std::ofstream(folder_ / "notes.txt") << "x";
  const auto sink = Filled(Numbers("[2]"), {{"mode", "overwrite"}});
  EXPECT_THAT(Names(), SizeIs(5));  // Two old parts, the notes, the new part, this write's lock.
  const auto parts = sink->Commit().ValueOrDie();
  EXPECT_THAT(Names(), ::testing::UnorderedElementsAre(parts.front().name, "notes.txt"));
}

TEST_F(ParquetSinkTest, AnAbortedOverwriteKeepsTheOldParts) {
  ASSERT_TRUE(Filled(Numbers("[1]"))->Commit().ok());
  const auto before = Names();
  Filled(Numbers("[2]"), {{"mode", "overwrite"}})->Abort();
  EXPECT_EQ(Names(), before);
}

TEST_F(ParquetSinkTest, IgnoreSkipsTheJobWhereThereIsOutput) {
  ASSERT_TRUE(Filled(Numbers("[1]"), {{"mode", "ignore"}})->Commit().ok());
  EXPECT_EQ(Make({{"mode", "ignore"}})->Start().ValueOrDie(), SinkStart::kSkip);
}

TEST_F(ParquetSinkTest, ErrorRefusesAFolderWithFilesButTakesAnEmptyOne) {
  files::create_directories(folder_);
  ASSERT_TRUE(Filled(Numbers("[1]"), {{"mode", "error"}})->Commit().ok());
  const Status status = Make({{"mode", "error"}})->Start().status();
  EXPECT_TRUE(status.IsAlreadyExists());
  EXPECT_THAT(status.message(), ::testing::EndsWith("got: " + folder_.string()));
}

TEST_F(ParquetSinkTest, AMissingFolderIsAnErrorWhereItMayNotBeMade) {
  const Status status = Make({{"create_folder", false}})->Start().status();
  ASSERT_NE(DetailOf(status), nullptr);
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kMissingPath);
}

TEST_F(ParquetSinkTest, ABlockWithoutRowsWritesItsSchema) {
  const auto parts = Filled(Numbers("[]"))->Commit().ValueOrDie();
  ASSERT_THAT(parts, SizeIs(1));
  EXPECT_EQ(Read(parts[0].name)->schema()->field_names(), std::vector<std::string>{"a"});
  EXPECT_EQ(Read(parts[0].name)->num_rows(), 0);
}

TEST_F(ParquetSinkTest, APartWithoutABlockMakesNoFile) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  {
    const auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
    ASSERT_TRUE(writer->Close().ok());
  }
  EXPECT_THAT(sink->Commit().ValueOrDie(), IsEmpty());
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(ParquetSinkTest, ATypeThatGoesWithNoneBeforeIsRefusedByColumnEvenAcrossParts) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  const Block text = BlockOf({{"a", Column(arrow::utf8(), R"(["x"])")}});
  const auto first = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  ASSERT_TRUE(first->Write(Numbers("[1]")).ok());
  for (const Status& status :
       {first->Write(text), sink->Open(1, "00000" + std::to_string(1)).ValueOrDie()->Write(text)}) {
    ASSERT_NE(DetailOf(status), nullptr);
    EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kSchemaMismatch);
    EXPECT_THAT(status.message(), HasSubstr("Column 'a' is int64 in one place and string"));
  }
  sink->Abort();
}

TEST_F(ParquetSinkTest, BlocksThatFitTheFirstStayInOneFile) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  const auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  const Block first = BlockOf({{"a", Column(arrow::float64(), "[0.5]")},
                               {"b", Column(arrow::int64(), "[1]")},
                               {"c", Column(arrow::utf8(), R"(["x"])")}});
  ASSERT_TRUE(writer->Write(first).ok());
  ASSERT_TRUE(writer
                  ->Write(BlockOf({{"c", Column(arrow::null(), "[null]")},
                                   {"b", Column(arrow::int32(), "[2]")},
                                   {"a", Column(arrow::int64(), "[3]")}}))
                  .ok());
  ASSERT_TRUE(writer->Write(BlockOf({{"b", Column(arrow::int64(), "[4]")}})).ok());
  ASSERT_TRUE(writer->Close().ok());
  const auto parts = sink->Commit().ValueOrDie();
  ASSERT_THAT(parts, SizeIs(1));
  const auto batch = Read(parts[0].name)->CombineChunksToBatch().ValueOrDie();
  EXPECT_TRUE(batch->Equals(*BlockOf({{"a", Column(arrow::float64(), "[0.5, 3, null]")},
                                      {"b", Column(arrow::int64(), "[1, 2, 4]")},
                                      {"c", Column(arrow::utf8(), R"(["x", null, null])")}})
                                 .batch))
      << batch->ToString();
}

TEST_F(ParquetSinkTest, ABlockThatDoesNotFitBeginsTheNextFileOfItsPart) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  const auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  const Block wide =
      BlockOf({{"a", Column(arrow::float64(), "[2.5]")}, {"b", Column(arrow::int64(), "[7]")}});
  for (const Block& block : {Numbers("[1]"), wide, Numbers("[3]"), wide}) {
    ASSERT_TRUE(writer->Write(block).ok());
  }
  ASSERT_THAT(writer->Close().ValueOrDie(), SizeIs(2));
  const auto parts = sink->Commit().ValueOrDie();
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_THAT(parts[0].name, ::testing::EndsWith("_000000.parquet"));
  EXPECT_THAT(parts[1].name, ::testing::EndsWith("_000000_000001.parquet"));
  EXPECT_LT(parts[0].name, parts[1].name);
  EXPECT_EQ(parts[0].rows, 1);
  EXPECT_EQ(parts[1].rows, 3);
  EXPECT_EQ(Read(parts[0].name)->schema()->field(0)->type()->id(), arrow::Type::INT64);
  EXPECT_EQ(Read(parts[1].name)->schema()->field(0)->type()->id(), arrow::Type::DOUBLE);
}

TEST_F(ParquetSinkTest, AnIntegerThatNoFloatHoldsKeepsItsValue) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  const auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  ASSERT_TRUE(writer->Write(BlockOf({{"a", Column(arrow::float64(), "[2.5]")}})).ok());
  ASSERT_TRUE(writer->Write(Numbers("[9007199254740993]")).ok());
  ASSERT_TRUE(writer->Close().ok());
  const auto parts = sink->Commit().ValueOrDie();
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_EQ(Read(parts[1].name)->column(0)->GetScalar(0).ValueOrDie()->ToString(),
            "9007199254740993");
}

TEST_F(ParquetSinkTest, ListsOfAFixedSizeThatAreFilledUpWithNullsCanBeRead) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  const auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  const auto type = arrow::fixed_size_list(arrow::float32(), 2);
  for (const Block& block : {BlockOf({{"x", Column(type, "[[1, 2]]")}}), Numbers("[1]")}) {
    ASSERT_TRUE(writer->Write(block).ok());
  }
  ASSERT_TRUE(writer->Close().ok());
  const auto parts = sink->Commit().ValueOrDie();
  ASSERT_THAT(parts, SizeIs(2));
  const auto table = Read(parts[1].name);
  EXPECT_THAT(table->schema()->field_names(), ::testing::ElementsAre("x", "a"));
  EXPECT_EQ(table->column(0)->null_count(), 1);
}

TEST_F(ParquetSinkTest, AbortRemovesTheFilesThatAPartHasEndedBefore) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  ASSERT_TRUE(writer->Write(Numbers("[1]")).ok());
  ASSERT_TRUE(writer->Write(BlockOf({{"b", Column(arrow::utf8(), R"(["x"])")}})).ok());
  writer.reset();
  sink->Abort();
  EXPECT_FALSE(files::exists(folder_));
}

TEST_F(ParquetSinkTest, APathThatTheSystemRefusesIsAnErrorWithItsReason) {
  folder_ = root_ / std::string(300, 'x');
  const Status status = Make()->Start().status();
  EXPECT_TRUE(status.IsIOError()) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("File name too long; choose a shorter path"));
  EXPECT_THAT(status.message(), ::testing::EndsWith("got: " + folder_.string()));
}

TEST_F(ParquetSinkTest, ColumnsInAnotherOrderAreReordered) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  const auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  const auto one = Column(arrow::int64(), "[1]");
  const auto two = Column(arrow::int64(), "[2]");
  ASSERT_TRUE(writer->Write(BlockOf({{"a", one}, {"b", two}})).ok());
  ASSERT_TRUE(writer->Write(BlockOf({{"b", two}, {"a", one}})).ok());
  ASSERT_TRUE(writer->Close().ok());
  const auto table = Read(sink->Commit().ValueOrDie().front().name);
  EXPECT_EQ(table->GetColumnByName("a")->GetScalar(1).ValueOrDie()->ToString(), "1");
}

TEST_F(ParquetSinkTest, RowGroupsKeepTheirRowsAndBytes) {
  const auto rows = Filled(ManyNumbers(1000), {{"row_group_rows", 300}})->Commit().ValueOrDie();
  EXPECT_EQ(RowGroups(rows.front().name), 4);
  const auto bytes =
      Filled(ManyNumbers(9'000'000), {{"row_group_rows", 1'000'000'000}, {"compression", "none"}})
          ->Commit()
          .ValueOrDie();
  EXPECT_EQ(RowGroups(bytes.front().name), 2);
}

TEST_F(ParquetSinkTest, PagesCarryChecksumsThatReadersCanCheck) {
  const auto parts = Filled(ManyNumbers(1000))->Commit().ValueOrDie();
  const files::path path = folder_ / parts.front().name;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4000);
  file.put('x').put('y').put('z');
  file.close();
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  parquet::arrow::FileReaderBuilder builder;
  ASSERT_TRUE(builder.OpenFile(path, /*memory_map=*/false, properties).ok());
  EXPECT_FALSE(builder.Build().ValueOrDie()->ReadTable().ok());
}

TEST_F(ParquetSinkTest, AFullDiskNamesTheFileAndLeavesNothing) {
  const auto sink = Make();
  ASSERT_TRUE(sink->Start().ok());
  auto writer = sink->Open(0, "00000" + std::to_string(0)).ValueOrDie();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 100'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Status status = writer->Write(ManyNumbers(100'000));
  if (status.ok()) status = writer->Close().status();
  writer.reset();
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(status.IsIOError()) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr(folder_.string()));
  EXPECT_THAT(status.message(), HasSubstr("_000000.parquet"));
  sink->Abort();
  EXPECT_FALSE(files::exists(folder_));
}

TEST_F(ParquetSinkTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(root_ / "out") << "a file";
  const Status status = Make()->Start().status();
  EXPECT_TRUE(status.IsIOError());
  EXPECT_THAT(status.message(), HasSubstr("Not a directory"));
  EXPECT_THAT(status.message(), ::testing::EndsWith("got: " + folder_.string()));
}

TEST_F(ParquetSinkTest, RefusesBadOptionsByName) {
  const auto message = [](nlohmann::json options) {
    return MakeSink({.kind = "parquet", .options = std::move(options)}).status().message();
  };
  EXPECT_THAT(message({}), HasSubstr("path"));
  EXPECT_THAT(message({{"path", "x"}, {"mode", "upsert"}}), ::testing::EndsWith("\"upsert\""));
  EXPECT_THAT(message({{"path", "x"}, {"compression", "rar"}}), HasSubstr("zstd"));
  EXPECT_THAT(message({{"path", "x"}, {"rows_per_part_min", 2}, {"rows_per_part_max", 1}}),
              HasSubstr("rows_per_part_min"));
  EXPECT_THAT(message({{"path", "x"}, {"speed", 1}}), ::testing::EndsWith("got: speed"));
  EXPECT_THAT(MakeSink({.kind = "cvs"}).status().message(), ::testing::EndsWith("got: cvs"));
}

TEST_F(ParquetSinkTest, RowsPerPartComeFromTheOptions) {
  const auto sink = Make({{"rows_per_part_min", 5}, {"rows_per_part_max", 9}});
  EXPECT_EQ(sink->rows_per_part_min(), 5);
  EXPECT_EQ(sink->rows_per_part_max(), 9);
  EXPECT_EQ(sink->bytes_per_part_min(), 0);
  EXPECT_EQ(Make({{"bytes_per_part_min", 7}})->bytes_per_part_min(), 7);
  EXPECT_EQ(Make({{"steps_max", 2}})->steps_max(), 2);
}

}  // namespace
}  // namespace penstock
