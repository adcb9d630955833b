#include "penstock/exec/split_names.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(SplitNamesTest, KnowsTheNamesOfTheSplitsListedLastAndTheNumbersOfTheOthers) {
  SplitNames names;
  EXPECT_EQ(names.NameOf(0), "split 0");
  for (int64_t i = 0; i <= SplitNames::kNamesMax; ++i) {
    names.Add(0, i, "file " + std::to_string(i));
  }
  EXPECT_EQ(names.NameOf(0), "split 0");
  EXPECT_EQ(names.NameOf(1), "file 1");
  EXPECT_EQ(names.NameOf(SplitNames::kNamesMax), "file " + std::to_string(SplitNames::kNamesMax));
  EXPECT_EQ(names.NameOf(SplitNames::kNamesMax + 1),
            "split " + std::to_string(SplitNames::kNamesMax + 1));
}

TEST(SplitNamesTest, SplitsOfSeveralReadsHaveNumbersOfTheirOwn) {
  SplitNames names;
  names.Add(0, 0, "a");
  names.Add(1, 0, "b");
  EXPECT_EQ(names.NameOf(0), "a");
  EXPECT_EQ(names.NameOf(JobWideNumber(1, 0)), "b");
  EXPECT_EQ(names.NameOf(JobWideNumber(1, 5)), "split 5");
}

}  // namespace
}  // namespace penstock
