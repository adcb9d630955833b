#include "penstock/source/input_files.h"

#include <algorithm>

#include "penstock/source/file_lister.h"
#include "penstock/source/glob.h"
#include "source/source_testing.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using testing::ExpectError;
using testing::TemporaryFolder;

class InputFilesTest : public ::testing::Test {
 protected:
  InputFilesTest() {
    for (const char* name : {"b.csv", "a.csv", "sub/c.csv", "sub/deep/d.CSV", "notes.md",
                             "_SUCCESS", ".hidden.csv", "_penstock/e.csv", "sub/.git/f.csv"}) {
      folder_.Write(name, "x\n1\n");
    }
  }

  /// Lists and returns the paths below the test's folder.
  Result<std::vector<std::string>> List(FileOptions options,
                                        const std::vector<std::string>& folder_extensions = {}) {
    PENSTOCK_TRY(const auto files, ListFiles(options, folder_extensions));
    std::vector<std::string> paths;
    for (const InputFile& file : files) paths.push_back(file.path.substr(folder_.path("").size()));
    return paths;
  }

  std::string path(const std::string& name) const { return folder_.path(name); }

  const TemporaryFolder folder_;
};

TEST_F(InputFilesTest, AFolderYieldsItsFilesSortedWithoutHiddenNames) {
  EXPECT_THAT(*List({.paths = {folder_.path()}}),
              ElementsAre("a.csv", "b.csv", "notes.md", "sub/c.csv", "sub/deep/d.CSV"));
  EXPECT_THAT(*List({.paths = {path("sub/")}}), ElementsAre("sub/c.csv", "sub/deep/d.CSV"));
}

TEST_F(InputFilesTest, DefaultExtensionsChooseInFoldersOnly) {
  EXPECT_THAT(*List({.paths = {folder_.path(), path("notes.md")}}, {"csv"}),
              ElementsAre("a.csv", "b.csv", "sub/c.csv", "sub/deep/d.CSV", "notes.md"));
}

TEST_F(InputFilesTest, TheUsersExtensionsChooseEverywhere) {
  EXPECT_THAT(
      *List({.paths = {folder_.path(), path("a.csv")}, .file_extensions = {{"md"}}}, {"csv"}),
      ElementsAre("notes.md"));
}

TEST_F(InputFilesTest, ListsKeepTheirOrder) {
  EXPECT_THAT(*List({.paths = {path("b.csv"), path("a.csv")}}), ElementsAre("b.csv", "a.csv"));
}

TEST_F(InputFilesTest, GlobsMatchNameByName) {
  EXPECT_THAT(*List({.paths = {path("*.csv")}}), ElementsAre("a.csv", "b.csv"));
  EXPECT_THAT(*List({.paths = {path("**/*.csv")}}),
              ElementsAre("_penstock/e.csv", "a.csv", "b.csv", "sub/c.csv"));
  EXPECT_THAT(*List({.paths = {path("s?b/[a-c].csv")}}), ElementsAre("sub/c.csv"));
  EXPECT_THAT(*List({.paths = {path("su*")}}), ElementsAre("sub/c.csv", "sub/deep/d.CSV"));
  EXPECT_THAT(*List({.paths = {path("sub/**")}}), ElementsAre("sub/c.csv", "sub/deep/d.CSV"));
}

TEST_F(InputFilesTest, FilesComeInTheOrderOfTheirPaths) {
  for (const char* name : {"sub.csv", "sub-1.csv", "sub/c/x.csv", "sub/c-1.csv"}) {
    folder_.Write(name, "");
  }
  const auto paths = *List({.paths = {folder_.path()}}, {"csv"});
  EXPECT_THAT(paths, ElementsAre("a.csv", "b.csv", "sub-1.csv", "sub.csv", "sub/c-1.csv",
                                 "sub/c.csv", "sub/c/x.csv", "sub/deep/d.CSV"));
  EXPECT_TRUE(std::ranges::is_sorted(paths));
}

TEST_F(InputFilesTest, FilesComeAFewAtATime) {
  FileLister lister({.paths = {folder_.path(), path("none")}}, {"csv"}, FileSizes::kWhereFree);
  const auto first = lister.Next(3);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->size(), 3U);
  EXPECT_EQ(first->front().path, path("a.csv"));
  EXPECT_EQ(first->front().bytes, -1);
  ExpectError(lister.Next(3).status(), ErrorKind::kMissingPath, {"none"});
}

TEST_F(InputFilesTest, AFolderWithinItselfIsListedOnce) {
  std::filesystem::create_directory_symlink(folder_.path(), path("sub/loop"));
  std::filesystem::create_symlink(path("a.csv"), path("sub/link.csv"));
  std::filesystem::create_symlink(path("gone"), path("sub/broken.csv"));
  EXPECT_THAT(*List({.paths = {folder_.path()}}, {"csv"}),
              ElementsAre("a.csv", "b.csv", "sub/c.csv", "sub/deep/d.CSV", "sub/link.csv"));
}

TEST_F(InputFilesTest, AFileWhoseNameLooksLikeAGlobIsFound) {
  folder_.Write("a[1].csv", "x\n");
  EXPECT_THAT(*List({.paths = {path("a[1].csv")}}), ElementsAre("a[1].csv"));
}

TEST_F(InputFilesTest, UrisOfTheLocalFileSystemWork) {
  EXPECT_THAT(*List({.paths = {"file://" + path("a.csv")}}), ElementsAre("a.csv"));
}

TEST_F(InputFilesTest, RelativePathsStayAsTheyWereWritten) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  const auto files = ListFiles({.paths = {"sub/c.csv", "*.csv", "sub"}}, {});
  std::filesystem::current_path(before);
  std::vector<std::string> paths;
  for (const InputFile& file : *files) paths.push_back(file.path);
  EXPECT_THAT(paths, ElementsAre("sub/c.csv", "a.csv", "b.csv", "sub/c.csv", "sub/deep/d.CSV"));
}

TEST_F(InputFilesTest, AMissingPathIsNamed) {
  ExpectError(List({.paths = {path("a.csv"), path("none.csv")}}).status(), ErrorKind::kMissingPath,
              {"none.csv", "looked for"});
  ExpectError(List({.paths = {path("*.txt")}}).status(), ErrorKind::kMissingPath, {"*.txt"});
}

TEST_F(InputFilesTest, MissingPathsMayBeIgnoredWhileSomethingIsLeft) {
  EXPECT_THAT(*List({.paths = {path("none"), path("a.csv")}, .ignore_missing_paths = true}),
              ElementsAre("a.csv"));
  ExpectError(List({.paths = {path("none")}, .ignore_missing_paths = true}).status(),
              ErrorKind::kMissingPath, {"none"});
}

TEST_F(InputFilesTest, AFolderWithoutSuchFilesIsNamedWithTheExtensions) {
  const Status status = List({.paths = {folder_.path()}}, {"json", "jsonl"}).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), ::testing::HasSubstr(folder_.path()));
  EXPECT_THAT(status.message(), ::testing::HasSubstr(".json, .jsonl"));
}

/// Matches name by name, on the way down from the root.
bool MatchesGlob(std::string_view pattern, std::string_view path) {
  const GlobNames names(pattern);
  GlobNames::Places places = names.Start();
  while (!path.empty()) {
    path.remove_prefix(1);  // The slash.
    const size_t end = std::min(path.find('/'), path.size());
    places = names.Step(places, std::string(path.substr(0, end)));
    path.remove_prefix(end);
  }
  return names.IsWhole(places);
}

TEST(GlobTest, TwoStarsMatchAnyFoldersAndHiddenNamesNeedADot) {
  EXPECT_TRUE(MatchesGlob("/a/**/b", "/a/b"));
  EXPECT_TRUE(MatchesGlob("/a/**/b", "/a/x/y/b"));
  EXPECT_FALSE(MatchesGlob("/a/**/b", "/a/.x/b"));
  EXPECT_FALSE(MatchesGlob("/a/*", "/a/.x"));
  EXPECT_TRUE(MatchesGlob("/a/.*", "/a/.x"));
  EXPECT_FALSE(MatchesGlob("/a/*", "/a/b/c"));
  EXPECT_EQ(GlobFolder("/a/b*/c"), "/a");
  EXPECT_EQ(GlobFolder("*.csv"), ".");
  EXPECT_EQ(GlobFolder("/*.csv"), "/");
}

}  // namespace
}  // namespace penstock
