#include "penstock/runtime/scheduler_resources.h"

namespace penstock::runtime {
namespace {

constexpr double kTolerance = 1e-9;  // A third of a processor, three times, is a processor.

}  // namespace

bool ResourceBook::Lacks(size_t resource, double need) const {
  return need > 0 && need > left_[resource] - reserved_[resource] + kTolerance;
}

bool ResourceBook::Fits(const std::vector<double>& needs) const {
  for (size_t resource = 0; resource < needs.size(); ++resource) {
    if (Lacks(resource, needs[resource])) return false;
  }
  return true;
}

bool ResourceBook::WouldFit(const std::vector<double>& needs,
                            const std::vector<double>& held) const {
  for (size_t resource = 0; resource < needs.size(); ++resource) {
    if (needs[resource] > total_[resource] - held[resource] + kTolerance) return false;
  }
  return true;
}

void ResourceBook::Reserve(const std::vector<double>& needs) {
  for (size_t resource = 0; resource < needs.size(); ++resource) {
    if (Lacks(resource, needs[resource])) reserved_[resource] += needs[resource];
  }
}

void ResourceBook::Take(const std::vector<double>& needs) {
  for (size_t resource = 0; resource < needs.size(); ++resource) left_[resource] -= needs[resource];
}

void ResourceBook::Give(const std::vector<double>& needs) {
  for (size_t resource = 0; resource < needs.size(); ++resource) left_[resource] += needs[resource];
}

}  // namespace penstock::runtime
