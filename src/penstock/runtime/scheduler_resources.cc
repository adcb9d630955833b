#include "penstock/runtime/scheduler_resources.h"

namespace penstock::runtime {
namespace {

constexpr double kTolerance = 1e-9;  // A third of a processor, three times, is a processor.

}  // namespace

bool ResourceBook::Lacks(size_t resource, double need, const std::vector<double>& reserved) const {
  return need > 0 && need > left_[resource] - reserved[resource] + kTolerance;
}

bool ResourceBook::Fits(const std::vector<double>& needs,
                        const std::vector<double>& reserved) const {
  for (size_t resource = 0; resource < needs.size(); ++resource) {
    if (Lacks(resource, needs[resource], reserved)) return false;
  }
  return true;
}

void ResourceBook::Take(const std::vector<double>& needs) {
  for (size_t resource = 0; resource < needs.size(); ++resource) left_[resource] -= needs[resource];
}

void ResourceBook::Give(const std::vector<double>& needs) {
  for (size_t resource = 0; resource < needs.size(); ++resource) left_[resource] += needs[resource];
}

}  // namespace penstock::runtime
