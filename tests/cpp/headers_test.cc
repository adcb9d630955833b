#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "face_rows.h"

namespace penstock {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

const std::string kUnknown = R"({"no such option": 1})";

/// Returns the names between "it knows " and "; got: ".
std::vector<std::string> OptionsKnown(const arrow::Status& refused) {
  const std::string& message = refused.message();
  const std::string before = "it knows ";
  const size_t begin = message.find(before);
  EXPECT_NE(begin, std::string::npos) << message;
  if (begin == std::string::npos) return {};
  std::istringstream list(
      message.substr(begin + before.size(), message.find("; got: ") - begin - before.size()));
  std::vector<std::string> names;
  for (std::string name; std::getline(list >> std::ws, name, ',');) names.push_back(name);
  return names;
}

std::string HeaderText(const std::string& name) {
  std::ifstream file(std::string(PENSTOCK_HEADERS) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// An option stands at the beginning of a line of its own, or in quotes.
auto Explains(const std::string& option) {
  return AnyOf(HasSubstr("///   " + option + " "), HasSubstr("\"" + option + "\""));
}

TEST(HeadersTest, EveryOptionOfEveryReaderIsExplained) {
  const TemporaryFolder folder;
  const std::string header = HeaderText("reading.h");
  for (const std::string kind :
       {"parquet", "csv", "json", "text", "orc", "ipc", "range", "range_tensor", "binary_files",
        "numpy", "images", "tfrecord", "webdataset"}) {
    const std::string path = folder.path() + "/file." + kind;
    std::ofstream(path) << "";
    const Dataset dataset = kind.starts_with("range")
                                ? Read(kind, kUnknown)
                                : ReadFiles(kind, {path}, {.options_json = kUnknown});
    EXPECT_THAT(header, HasSubstr(kind));
    for (const std::string& option : OptionsKnown(dataset.Count().status())) {
      EXPECT_THAT(header, Explains(option)) << kind;
    }
  }
}

TEST(HeadersTest, EveryOptionOfEveryWriterIsExplained) {
  const TemporaryFolder folder;
  const std::string header = HeaderText("writing.h");
  const std::set<std::string> by_fields{"path",
                                        "mode",
                                        "write_name",
                                        "rows_per_part_min",
                                        "rows_per_part_max",
                                        "bytes_per_part_min",
                                        "steps_max"};
  for (const std::string kind :
       {"parquet", "csv", "json", "arrow", "orc", "numpy", "image", "tfrecord", "webdataset"}) {
    const arrow::Status refused =
        Range(1).Write(kind, folder.path() + "/" + kind, {.options_json = kUnknown});
    EXPECT_THAT(header, HasSubstr(kind));
    for (const std::string& option : OptionsKnown(refused)) {
      if (by_fields.contains(option)) continue;
      EXPECT_THAT(header, Explains(option)) << kind;
    }
  }
}

}  // namespace
}  // namespace penstock
