#pragma once

#include <string>
#include <vector>

namespace penstock {

/// Where a process stands in a tree of control groups.
struct ControlGroup {
  bool unified = false;             // Version 2.
  std::vector<std::string> mounts;  // Where the tree may be mounted.
  std::string path;                 // Within the tree; empty for its root.

  /// Returns the folders from the group up to the root, for each mount.
  std::vector<std::string> Levels() const;
};

/// Returns the groups of `process` (a process id, or "self") that may limit `controller`, over a
/// file tree that stands for "/" (empty: the real one). A path that leads out of a namespace
/// ("/../x") is not visible here; then the mount itself stands for it. None when it is gone.
std::vector<ControlGroup> ControlGroupsOf(const std::string& root, const std::string& process,
                                          const std::string& controller);

}  // namespace penstock
