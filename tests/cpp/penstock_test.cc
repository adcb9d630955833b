#include "penstock/penstock.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "face_rows.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

arrow::Result<Batch> Double(const Batch& batch) {
  const auto& ids = static_cast<const arrow::Int64Array&>(*batch->column(0));
  arrow::Int64Builder builder;
  for (int64_t row = 0; row < ids.length(); ++row) {
    ARROW_RETURN_NOT_OK(builder.Append(2 * ids.Value(row)));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> doubled, builder.Finish());
  return arrow::RecordBatch::Make(batch->schema(), ids.length(), {doubled});
}

int64_t FilesIn(const std::string& folder) {
  int64_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files += entry.path().extension() == ".parquet" ? 1 : 0;
  }
  return files;
}

TEST(PenstockTest, AFunctionSeesBatchesOfTheSizeAskedForAndRowsKeepTheirOrder) {
  std::atomic<int64_t> largest = 0;
  const auto function = [&largest](const Batch& batch) {
    int64_t seen = largest;
    while (seen < batch->num_rows() && !largest.compare_exchange_weak(seen, batch->num_rows())) {
    }
    return Double(batch);
  };
  const std::vector<int64_t> values =
      Values(Range(10'000).MapBatches(function, {.batch_rows = 64}), 0, {.processors = 4});
  ASSERT_EQ(values.size(), 10'000u);
  for (size_t row = 0; row < values.size(); ++row) ASSERT_EQ(values[row], 2 * int64_t(row));
  EXPECT_EQ(largest, 64);
}

TEST(PenstockTest, EachBatchThatRunsAtOnceHasAFunctionOfItsOwn) {
  std::atomic<int> made = 0;
  const auto make = [&made]() -> arrow::Result<BatchFunction> {
    ++made;
    auto inside = std::make_shared<std::atomic<int>>(0);
    return [inside](const Batch& batch) -> arrow::Result<Batch> {
      if (++*inside != 1) return arrow::Status::Invalid("two at once");
      auto doubled = Double(batch);
      --*inside;
      return doubled;
    };
  };
  const Dataset dataset = Range(5'000).MapBatchesWith(make, {.batch_rows = 10, .threads = 3});
  EXPECT_EQ(Values(dataset, 0, {.processors = 4}).size(), 5'000u);
  EXPECT_LE(made, 3);
  EXPECT_GE(made, 1);
}

TEST(PenstockTest, ExpressionsFilterInArrow) {
  const Dataset dataset =
      Range(20).Filter((Col("id") - Lit(1) > Lit(15)) & !(Col("id") >= Lit(19)));
  EXPECT_THAT(Values(dataset), ElementsAre(17, 18));
}

TEST(PenstockTest, ALimitStopsTheReaders) {
  EXPECT_THAT(Values(Range(int64_t{1} << 60).Limit(3)), ElementsAre(0, 1, 2));
}

TEST(PenstockTest, ColumnsAreChosenRenamedAndPutSideBySide) {
  const Dataset dataset = Range(3).Rename({{"id", "a"}}).Zip({Range(3).MapBatches(Double)});
  const auto batches = dataset.Collect().ValueOrDie();
  EXPECT_THAT(batches.front()->schema()->field_names(), ElementsAre("a", "id"));
  EXPECT_THAT(Values(dataset.Select({"id"})), ElementsAre(0, 2, 4));
  EXPECT_THAT(Values(dataset.Drop({"a"}).Union({Range(1)})), ElementsAre(0, 2, 4, 0));
}

TEST(PenstockTest, WhatIsWrittenIsReadBack) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/out";
  ASSERT_TRUE(Range(1'000).Repartition(4).WriteParquet(out, {.rows_per_file_max = 300}).ok());
  EXPECT_EQ(ReadParquet({out}).Count().ValueOrDie(), 1'000);
  EXPECT_THAT(ReadParquet({out}).Schema().ValueOrDie()->field_names(), ElementsAre("id"));
  const arrow::Status again = Range(1).WriteParquet(out, {.mode = WriteMode::kError});
  EXPECT_TRUE(again.IsAlreadyExists()) << again;
}

TEST(PenstockTest, AFileGathersTheBytesAskedFor) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/out";
  ASSERT_TRUE(
      Range(1'000)
          .WriteParquet(out, {.bytes_per_file_min = 1 << 20, .files_at_once = 1}, {.processors = 2})
          .ok());
  EXPECT_EQ(FilesIn(out), 1);
}

TEST(PenstockTest, AJobThatIsDoneIsNotDoneAgainAndOneOfAnotherVersionIsRefused) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/out";
  int calls = 0;
  const auto count = [&calls](const Batch& batch) -> arrow::Result<Batch> {
    ++calls;
    return batch;
  };
  const auto run = [&](const std::string& version) {
    return Range(10)
        .MapBatches(count, {.name = "Count", .threads = 1, .version = version})
        .WriteParquet(out, {.mode = WriteMode::kResume});
  };
  ASSERT_TRUE(run("1").ok());
  ASSERT_TRUE(run("1").ok());
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(run("2").message(), HasSubstr("the C++ function Count has changed"));
}

TEST(PenstockTest, AJobThatReadsAPathBeyondUtf8CannotBeResumed) {
  const TemporaryFolder folder;
  const std::string in = folder.path() + "/\xFF";
  ASSERT_TRUE(Range(3).WriteParquet(in).ok());
  const arrow::Status refused =
      ReadParquet({in}).WriteParquet(folder.path() + "/out", {.mode = WriteMode::kResume});
  EXPECT_TRUE(refused.IsNotImplemented()) << refused;
  EXPECT_THAT(refused.message(), HasSubstr("text that is not UTF-8"));
}

TEST(PenstockTest, WritersTakeTheirOptions) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/out";
  ASSERT_TRUE(Range(2).Write("csv", out, {.options_json = R"({"header": false})"}).ok());
  const ReadOptions options{.options_json = R"({"column_names": ["a"]})"};
  EXPECT_THAT(Values(ReadCsv({out}, options)), ElementsAre(0, 1));
}

TEST(PenstockTest, RowsForWhichAFunctionFailsAreLeftOut) {
  const auto refuse = [](const Batch& batch) -> arrow::Result<Batch> {
    const auto& ids = static_cast<const arrow::Int64Array&>(*batch->column(0));
    for (int64_t row = 0; row < ids.length(); ++row) {
      if (ids.Value(row) % 3 == 0) return arrow::Status::Invalid("no such thing");
    }
    return batch;
  };
  const MapOptions dropping{.name = "Refuse", .batch_rows = 4, .on_error = OnError::kDrop};
  EXPECT_THAT(Values(Range(9).MapBatches(refuse, dropping)), ElementsAre(1, 2, 4, 5, 7, 8));
  MapOptions few = dropping;
  few.max_errors = 2;
  EXPECT_THAT(Range(9).MapBatches(refuse, few).Collect().status().message(),
              HasSubstr("3 rows failed, where 2 may"));
}

TEST(PenstockTest, AnErrorOfAFunctionNamesTheStageAndTheRow) {
  const auto refuse = [](const Batch& batch) -> arrow::Result<Batch> {
    const auto& ids = static_cast<const arrow::Int64Array&>(*batch->column(0));
    if (ids.Value(0) != 35) return batch;
    return arrow::Status::Invalid("no such thing");
  };
  const arrow::Status status =
      Range(100).MapBatches(refuse, {.name = "Refuse", .batch_rows = 7}).Collect().status();
  EXPECT_THAT(status.message(), HasSubstr("MapBatches(Refuse): no such thing"));
  EXPECT_THAT(status.message(), HasSubstr("7 rows, the first being row 35 of"));
}

TEST(PenstockTest, AnExceptionOfAFunctionIsAnError) {
  const auto explode = [](const Batch& batch) -> arrow::Result<Batch> {
    throw std::runtime_error("boom");
  };
  EXPECT_THAT(Range(5).MapBatches(explode).Collect().status().message(), HasSubstr("threw: boom"));
}

TEST(PenstockTest, APromiseToKeepRowsIsChecked) {
  const auto halve = [](const Batch& batch) -> arrow::Result<Batch> {
    return batch->Slice(0, batch->num_rows() / 2);
  };
  const Dataset dataset = Range(10).MapBatches(halve, {.keeps_rows = true});
  EXPECT_THAT(dataset.Collect().status().message(), HasSubstr("wanted: 10 rows; got: 5"));
  EXPECT_EQ(Range(10).MapBatches(halve).Count().ValueOrDie(), 5);
}

TEST(PenstockTest, WhoeverTakesTheBatchesMayStopTheRun) {
  const arrow::Status stopped = Range(int64_t{1} << 50).ForEach([](const Batch& batch) {
    return arrow::Status::Cancelled("enough");
  });
  EXPECT_TRUE(stopped.IsCancelled());
  EXPECT_EQ(stopped.message(), "enough");
}

TEST(PenstockTest, BadArgumentsAreNamed) {
  EXPECT_THAT(Read("parquets", "{}").Count().status().message(), HasSubstr("parquets"));
  EXPECT_THAT(Read("range", "[1]").Count().status().message(), HasSubstr("not a JSON object"));
  EXPECT_THAT(Range(3).Select({"nothing"}).Collect().status().message(), HasSubstr("nothing"));
  EXPECT_THAT(Range(3).Union({}).Count().status().message(), HasSubstr("at least one plan"));
  EXPECT_THAT(Range(3).MapBatches(Double, {.batch_rows = 0}).Count().status().message(),
              HasSubstr("batch_rows must be at least 1"));
}

TEST(PenstockTest, RowsInMemoryAndExplainWorkAsForFiles) {
  const auto batches = Range(4).Collect().ValueOrDie();
  const Dataset dataset = FromBatches(batches).MapBatches(Double, {.name = "Double"});
  EXPECT_THAT(Values(dataset), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(dataset.Explain().ValueOrDie(), HasSubstr("MapBatches(Double)"));
}

}  // namespace
}  // namespace penstock
