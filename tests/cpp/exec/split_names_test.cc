#include "penstock/exec/split_names.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(SplitNamesTest, KnowsTheNamesOfTheSplitsListedLastAndTheNumbersOfTheOthers) {
  SplitNames names;
  EXPECT_EQ(names.NameOf(0), "split 0");
  for (int64_t i = 0; i <= SplitNames::kNamesMax; ++i) {
    names.Add(i, "file " + std::to_string(i));
  }
  EXPECT_EQ(names.NameOf(0), "split 0");
  EXPECT_EQ(names.NameOf(1), "file 1");
  EXPECT_EQ(names.NameOf(SplitNames::kNamesMax), "file " + std::to_string(SplitNames::kNamesMax));
  EXPECT_EQ(names.NameOf(SplitNames::kNamesMax + 1),
            "split " + std::to_string(SplitNames::kNamesMax + 1));
}

}  // namespace
}  // namespace penstock
