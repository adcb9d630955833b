#pragma once

#include <cstddef>
#include <vector>

namespace penstock::runtime {

/// Keeps what is left of each resource. What lacks at the end of `needs` is 0.
class ResourceBook {
 public:
  explicit ResourceBook(std::vector<double> total) : total_(std::move(total)), left_(total_) {}

  const std::vector<double>& total() const { return total_; }
  const std::vector<double>& left() const { return left_; }

  /// Returns whether `needs` are there beside what is `reserved` (as long as total()).
  bool Fits(const std::vector<double>& needs, const std::vector<double>& reserved) const;

  /// Returns whether so much more is needed of a resource than is left beside what is reserved.
  bool Lacks(size_t resource, double need, const std::vector<double>& reserved) const;

  void Take(const std::vector<double>& needs);
  void Give(const std::vector<double>& needs);

  /// Likewise of one resource.
  void Take(size_t resource, double amount) { left_[resource] -= amount; }
  void Give(size_t resource, double amount) { left_[resource] += amount; }

 private:
  const std::vector<double> total_;
  std::vector<double> left_;
};

}  // namespace penstock::runtime
