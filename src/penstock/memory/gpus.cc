#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "penstock/memory/machine.h"

namespace penstock {
namespace {

/// The driver shows a folder for each of its GPUs here.
constexpr const char* kDriverFolder = "/proc/driver/nvidia/gpus";

std::vector<std::string> NamesIn(const std::string& list) {
  std::vector<std::string> names;
  size_t begin = 0;
  while (begin <= list.size()) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string name = list.substr(begin, end - begin);
    if (name.empty() || name == "-1") break;  // CUDA ignores what follows a device that is none.
    names.push_back(name);
    begin = end + 1;
  }
  return names;
}

}  // namespace

std::vector<std::string> GpusUnder(const std::string& root, const char* visible) {
  std::error_code none;
  const std::filesystem::directory_iterator folders(root + kDriverFolder, none);
  if (none) return {};
  if (visible != nullptr) return NamesIn(visible);
  std::vector<std::string> names;
  for (const auto& folder : folders) {
    static_cast<void>(folder);
    names.push_back(std::to_string(names.size()));
  }
  return names;
}

std::vector<std::string> MachineGpus() {
  return GpusUnder("", std::getenv("CUDA_VISIBLE_DEVICES"));
}

}  // namespace penstock
