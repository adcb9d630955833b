#include "penstock/source/file_runs.h"

#include <string_view>

namespace penstock {
namespace {

size_t NameBegin(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

}  // namespace

void FileRuns::Add(const InputFile& file) {
  const std::string_view location = file.location;
  const size_t begin = NameBegin(location);
  const std::string_view name = location.substr(begin);
  const std::string_view folder = std::string_view(file.path).substr(0, NameBegin(file.path));
  const bool goes_on = !runs_.empty() && runs_.back().file_system == file.file_system &&
                       runs_.back().folder_location == location.substr(0, begin) &&
                       runs_.back().folder == folder && runs_.back().codec == file.codec;
  if (!goes_on) {
    runs_.push_back({.file_system = file.file_system,
                     .folder = std::string(folder),
                     .folder_location = std::string(location.substr(0, begin)),
                     .codec = file.codec});
  }
  Run& run = runs_.back();
  run.names.append(name).push_back('\0');
  run.bytes.push_back(file.bytes);
  ++count_;
}

std::vector<InputFile> FileRuns::Files() const {
  std::vector<InputFile> files;
  for (const Run& run : runs_) {
    const char* name = run.names.c_str();
    for (const int64_t bytes : run.bytes) {
      files.push_back({.path = run.folder + name,
                       .file_system = run.file_system,
                       .location = run.folder_location + name,
                       .bytes = bytes,
                       .codec = run.codec});
      name += std::string_view(name).size() + 1;
    }
  }
  return files;
}

}  // namespace penstock
