#include "penstock/files/path_placer.h"

#include <arrow/filesystem/mockfs.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/base/error.h"
#include "penstock/files/cloud.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PathPlacer, LeavesThisMachinesPathsAlone) {
  PathPlacer placer({});
  EXPECT_EQ(placer.Place("/data/a b").ValueOrDie().location, "/data/a b");
  EXPECT_EQ(placer.Place("file:///data/a%20b").ValueOrDie().location, "/data/a b");
  EXPECT_EQ(placer.Place("file:///data/a").ValueOrDie().file_system->type_name(), "local");
}

TEST(PathPlacer, OpensOneFileSystemForNeighbours) {
  PathPlacer placer({});
  const auto one = placer.Place("mock:///bucket/a").ValueOrDie();
  const auto other = placer.Place("mock:///bucket/b").ValueOrDie();
  EXPECT_EQ(one.prefix, "mock://");
  EXPECT_EQ(one.location, "bucket/a");
  EXPECT_EQ(other.file_system->type_name(), "mock");
}

TEST(PathPlacer, TakesPathsAndUrisForTheFileSystemThatIsGiven) {
  PathPlacer placer({.file_system = std::make_shared<arrow::fs::internal::MockFileSystem>(
                         arrow::fs::TimePoint{})});
  EXPECT_EQ(placer.Place("bucket/a").ValueOrDie().location, "bucket/a");
  const auto placed = placer.Place("s3://bucket/a").ValueOrDie();
  EXPECT_EQ(placed.location, "bucket/a");
  EXPECT_EQ(placed.prefix, "s3://");
}

TEST(PathPlacer, SaysWhichSchemesThereAreAndShowsNoSecret) {
  const Status status = PathPlacer({}).Place("ftp://user:word@host/a?key=hidden").status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("known: file://, s3://, gs://"));
  EXPECT_THAT(status.message(), ::testing::EndsWith("got: ftp://host/a"));
  EXPECT_THAT(status.message(), Not(HasSubstr("hidden")));
}

TEST(OpenCloud, RefusesOptionsThatItDoesNotKnowByNameAlone) {
  const Status unknown = OpenCloud("gcs", {{"anonymous", true}, {"colour", "secret"}}).status();
  EXPECT_THAT(unknown.message(), HasSubstr("not known here: colour"));
  EXPECT_THAT(unknown.message(), Not(HasSubstr("secret")));
  EXPECT_THAT(OpenCloud("s3", {{"anonymous", "secret"}}).status().message(),
              ::testing::EndsWith("of the wrong type: anonymous"));
  EXPECT_TRUE(OpenCloud("ftp", {{"a", 1}}).status().IsInvalid());
}

}  // namespace
}  // namespace penstock
