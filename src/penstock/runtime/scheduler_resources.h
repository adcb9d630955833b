#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace penstock::runtime {

/// Keeps what is left of each resource of the machine, or of a bundle. What lacks at the end of
/// `needs` is 0.
class ResourceBook {
 public:
  explicit ResourceBook(std::vector<double> total)
      : total_(std::move(total)), left_(total_), reserved_(total_.size(), 0.0) {}

  const std::vector<double>& total() const { return total_; }
  const std::vector<double>& left() const { return left_; }

  /// Returns whether `needs` are there beside what is reserved.
  bool Fits(const std::vector<double>& needs) const;

  /// Returns whether they would be, were `held` all that is taken.
  bool WouldFit(const std::vector<double>& needs, const std::vector<double>& held) const;

  /// Returns whether so much more is needed of a resource than is left beside what is reserved.
  bool Lacks(size_t resource, double need) const;

  /// Keeps what lacks of `needs`, as it comes back, from others.
  void Reserve(const std::vector<double>& needs);
  void ForgetReserved() { std::ranges::fill(reserved_, 0.0); }

  void Take(const std::vector<double>& needs);
  void Give(const std::vector<double>& needs);

  /// Likewise of one resource.
  void Take(size_t resource, double amount) { left_[resource] -= amount; }
  void Give(size_t resource, double amount) { left_[resource] += amount; }

 private:
  std::vector<double> total_;
  std::vector<double> left_;
  std::vector<double> reserved_;
};

}  // namespace penstock::runtime
