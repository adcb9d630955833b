#include "penstock/worker/line_cutter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSecondNs = 1'000'000'000;

class LineCutterTest : public ::testing::Test {
 protected:
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (const WorkerLine& line : lines_->TakeAll()) texts.push_back(line.text);
    return texts;
  }

  const std::shared_ptr<WorkerLines> lines_ = std::make_shared<WorkerLines>();
  LineCutter cutter_{"w", StandardStream::kOutput, lines_};
};

TEST_F(LineCutterTest, ShowsALineOnceItsEndHasCome) {
  cutter_.Take("one\ntw", 0);
  EXPECT_THAT(Texts(), ElementsAre("(w) one"));
  cutter_.Take("o\n\nthree", 0);
  EXPECT_THAT(Texts(), ElementsAre("(w) two", "(w)"));
  cutter_.End();
  EXPECT_THAT(Texts(), ElementsAre("(w) three"));
}

TEST_F(LineCutterTest, ShowsTheLastStateOfALineThatWasOverwritten) {
  cutter_.Take("\r 1 %\r 50 %", 0);
  cutter_.Take("\r100 %\r\nnext\r\n", 0);
  EXPECT_THAT(Texts(), ElementsAre("(w) 100 %", "(w) next"));
}

TEST_F(LineCutterTest, CutsALineWithoutAnEndIntoPieces) {
  cutter_.Take(std::string(2 * kLineBytesMax + 1, 'x'), 0);
  cutter_.End();
  EXPECT_THAT(Texts(), ElementsAre("(w) " + std::string(kLineBytesMax, 'x'),
                                   "(w) " + std::string(kLineBytesMax, 'x'), "(w) x"));
}

TEST_F(LineCutterTest, ForgetsTheStatesOfALongLineThatWereOverwritten) {
  for (size_t i = 0; i < kLineBytesMax; ++i) cutter_.Take(fmt::format("\r{}", i), 0);
  cutter_.End();
  EXPECT_THAT(Texts(), ElementsAre("(w) 8191"));
}

TEST_F(LineCutterTest, LeavesOutWhatIsMoreThanASecondsLinesAndSaysSoBeforeTheNext) {
  std::string many;
  for (int64_t i = 0; i < kLinesPerSecondMax + 12'345; ++i) many += "x\n";
  cutter_.Take(many, 5);
  EXPECT_EQ(Texts().size(), kLinesPerSecondMax);
  cutter_.Take("still\n", 5 + kSecondNs - 1);
  EXPECT_THAT(Texts(), IsEmpty());
  cutter_.Take("then\n", 5 + kSecondNs);
  EXPECT_THAT(Texts(), ElementsAre("(w) … 12,346 lines left out", "(w) then"));
}

TEST_F(LineCutterTest, LeavesOutWhatIsMoreThanASecondsBytesAndSaysSoAtTheEnd) {
  const std::string line(kLineBytesMax, 'x');
  for (int i = 0; i < 40; ++i) cutter_.Take(line + "\n", 0);
  cutter_.Take("begun", 0);
  EXPECT_EQ(Texts().size(), kLineBytesPerSecondMax / kLineBytesMax);
  cutter_.End();
  EXPECT_THAT(Texts(), ElementsAre("(w) … 9 lines left out"));
}

TEST_F(LineCutterTest, RemembersTheLastLinesWhetherTheyWereShownOrNot) {
  std::string many;
  for (int64_t i = 0; i < 5 * kLinesPerSecondMax; ++i) many += "line " + std::to_string(i) + "\n";
  cutter_.Take(many + "the last", 0);
  const std::string last = cutter_.LastLines();
  EXPECT_TRUE(last.starts_with("line 2485\n")) << last;
  EXPECT_TRUE(last.ends_with("line 2499\nthe last")) << last;
  EXPECT_EQ(cutter_.LastFrom("2499"), "2499\nthe last");
  EXPECT_EQ(cutter_.LastFrom("no such"), std::nullopt);
}

TEST_F(LineCutterTest, RemembersNoMoreThanItsLimitAndNoPartOfALine) {
  cutter_.Take(std::string(kLastBytesMax, 'x') + "\nafter\n", 0);
  EXPECT_EQ(cutter_.LastLines(), "after");
}

TEST(LineCutterWithoutLinesTest, RemembersOnly) {
  LineCutter cutter("w", StandardStream::kErrors, nullptr);
  cutter.Take("one\ntwo", 0);
  cutter.End();
  EXPECT_EQ(cutter.LastLines(), "one\ntwo");
}

}  // namespace
}  // namespace penstock
