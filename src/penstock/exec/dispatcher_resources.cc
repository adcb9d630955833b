#include "penstock/exec/dispatcher_resources.h"

#include <algorithm>
#include <utility>

namespace penstock::dispatch {
namespace {

constexpr double kTolerance = 1e-9;  // A third of a GPU, three times, is a GPU.

}  // namespace

ResourceTable::ResourceTable(std::vector<ResourceLimit> limits)
    : limits_(std::move(limits)), taken_(limits_.size(), 0.0) {}

std::string ResourceTable::Missing(const std::vector<double>& need) const {
  for (size_t resource = 0; resource < need.size(); ++resource) {
    if (need[resource] > 0 && need[resource] > Left(resource) + kTolerance) {
      return limits_[resource].name;
    }
  }
  return "";
}

void ResourceTable::Take(const std::vector<double>& need) {
  for (size_t resource = 0; resource < need.size(); ++resource) taken_[resource] += need[resource];
}

void ResourceTable::Give(const std::vector<double>& need) {
  for (size_t resource = 0; resource < need.size(); ++resource) taken_[resource] -= need[resource];
}

bool ResourceTable::Compete(const std::vector<double>& need,
                            const std::vector<double>& other) const {
  const size_t known = std::min(need.size(), other.size());
  for (size_t resource = 0; resource < known; ++resource) {
    const bool both = need[resource] > 0 && other[resource] > 0;
    if (both && need[resource] + other[resource] > Left(resource) + kTolerance) return true;
  }
  return false;
}

bool ResourceTable::Contend(const std::vector<double>& need,
                            const std::vector<double>& other) const {
  const size_t known = std::min(need.size(), other.size());
  for (size_t resource = 0; resource < known; ++resource) {
    const bool is_short = need[resource] > Left(resource) + kTolerance;
    if (is_short && other[resource] > 0) return true;
  }
  return false;
}

}  // namespace penstock::dispatch
