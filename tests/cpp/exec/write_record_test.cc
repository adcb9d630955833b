#include "penstock/exec/write_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const WriteOp kWrite{.kind = "csv",
                     .options = {{"path", "out"}, {"mode", "resume"}, {"delimiter", "|"}}};

const PhysicalPlan kStages{{Stage{.name = "Read(csv)"}, Stage{.name = "Write(csv)"}}};

ErrorKind KindOf(const Status& status) {
  const ErrorDetail* const detail = DetailOf(status);
  return detail == nullptr ? ErrorKind::kCancelled : detail->kind();
}

TEST(WriteRecord, KeepsHowButNotWhereAnOutputIsWritten) {
  const LogicalPlan plan{{ReadOp{.kind = "csv"}, kWrite}};
  const WriteRecord record =
      ReadWriteRecord(WriteRecordOf(plan, kWrite, kStages), "out").ValueOrDie();
  EXPECT_EQ(record.write.kind, "csv");
  EXPECT_EQ(record.write.options, nlohmann::json({{"delimiter", "|"}}));
  EXPECT_THAT(record.stages, ElementsAre("Read(csv)", "Write(csv)"));
  EXPECT_THAT(record.columns, IsEmpty());
}

TEST(WriteRecord, KeepsTheColumnsThatAreChosenForTheWrite) {
  const LogicalPlan plan{{ReadOp{.kind = "csv"}, ProjectOp{{{"a", "b"}}}, kWrite}};
  const WriteRecord record =
      ReadWriteRecord(WriteRecordOf(plan, kWrite, kStages), "out").ValueOrDie();
  EXPECT_THAT(record.columns, ElementsAre(std::pair<std::string, std::string>("a", "b")));
}

TEST(WriteRecord, SaysWhatToDoWhereThereIsNoneOrItIsDamaged) {
  const Status none = ReadWriteRecord("", "the/output").status();
  EXPECT_EQ(KindOf(none), ErrorKind::kJobChanged);
  EXPECT_THAT(none.message(), HasSubstr("write it anew"));
  for (const char* text : {"{", "[]", R"({"kind":"csv"})"}) {
    const Status damaged = ReadWriteRecord(text, "the/output").status();
    EXPECT_EQ(KindOf(damaged), ErrorKind::kCorruptData) << text;
    EXPECT_THAT(damaged.message(), HasSubstr("the/output"));
  }
}

}  // namespace
}  // namespace penstock
