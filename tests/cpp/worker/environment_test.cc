#include "penstock/worker/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using ::testing::ElementsAre;

TEST(EnvironmentTest, SetsVariablesOverThoseThatAreThere) {
  std::vector<std::string> environment{"A=1", "AB=2", "C="};
  SetVariables({"A=x=y", "D=4", "no variable"}, &environment);
  EXPECT_THAT(environment, ElementsAre("AB=2", "C=", "A=x=y", "D=4"));
}

TEST(EnvironmentTest, KnowsAVariableByItsWholeName) {
  EXPECT_TRUE(HasVariable({"AB=1"}, "AB"));
  EXPECT_FALSE(HasVariable({"AB=1"}, "A"));
}

}  // namespace
}  // namespace penstock
