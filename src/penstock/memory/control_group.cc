#include "penstock/memory/control_group.h"

#include <fstream>
#include <string_view>

namespace penstock {
namespace {

bool Names(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::vector<std::string> ControlGroup::Levels() const {
  std::vector<std::string> levels;
  for (const std::string& mount : mounts) {
    std::string level = path;
    for (;;) {
      levels.push_back(mount + level);
      if (level.empty()) break;
      level.resize(level.rfind('/') == std::string::npos ? 0 : level.rfind('/'));
    }
  }
  return levels;
}

std::vector<ControlGroup> ControlGroupsOf(const std::string& root, const std::string& process,
                                          const std::string& controller) {
  std::vector<ControlGroup> groups;
  std::ifstream file(root + "/proc/" + process + "/cgroup");
  const std::string mount = root + "/sys/fs/cgroup";
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path.find("..") != std::string::npos) path.clear();
    while (!path.empty() && path.back() == '/') path.pop_back();
    if (controllers.empty()) {
      groups.push_back({true, {mount, mount + "/unified"}, path});
    } else if (Names(controllers, controller)) {
      groups.push_back({false, {mount + "/" + controller, mount + "/" + controllers}, path});
    }
  }
  return groups;
}

}  // namespace penstock
