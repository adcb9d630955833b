#include "penstock/base/devices.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace penstock {
namespace {

constexpr double kTolerance = 1e-9;

double ShareOfEach(double gpus) { return gpus < 1 ? gpus : 1.0; }

}  // namespace

Devices::Devices(std::vector<std::string> names) {
  MutexLock lock(mutex_);
  for (std::string& name : names) devices_.push_back({.name = std::move(name)});
}

Devices::Device* Devices::Fullest(double share) {
  Device* best = nullptr;
  for (Device& device : devices_) {
    if (device.left + kTolerance < share) continue;
    if (best == nullptr || device.left < best->left) best = &device;
  }
  return best;
}

Devices::Device* Devices::Emptiest(const std::vector<std::string>& but) {
  Device* best = nullptr;
  for (Device& device : devices_) {
    if (std::ranges::find(but, device.name) != but.end()) continue;
    if (best == nullptr || device.left > best->left) best = &device;
  }
  return best;
}

std::vector<std::string> Devices::Take(double gpus) {
  std::vector<std::string> names;
  const double share = ShareOfEach(gpus);
  const auto count = static_cast<size_t>(std::ceil(gpus - kTolerance));
  MutexLock lock(mutex_);
  while (names.size() < count) {
    Device* device = share < 1 ? Fullest(share) : nullptr;
    if (device == nullptr) device = Emptiest(names);
    if (device == nullptr) break;
    device->left -= share;
    names.push_back(device->name);
  }
  return names;
}

void Devices::Give(const std::vector<std::string>& names, double gpus) {
  MutexLock lock(mutex_);
  for (Device& device : devices_) {
    if (std::ranges::find(names, device.name) != names.end()) device.left += ShareOfEach(gpus);
  }
}

}  // namespace penstock
