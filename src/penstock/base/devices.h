#pragma once

#include <string>
#include <vector>

#include "penstock/base/mutex.h"

namespace penstock {

/// Gives GPUs to workers: whole ones, or a share of one. A share goes to the device that has least
/// left but enough, so that whole ones stay free for those who ask for them.
///
/// Threads: any. That no more is given than there is sees the dispatcher to; where shares have
/// broken up what a worker asks for whole, it gets the devices that have most left.
class Devices {
 public:
  explicit Devices(std::vector<std::string> names);

  /// Returns the names of the devices for a worker that asks for so many GPUs.
  std::vector<std::string> Take(double gpus);

  /// Takes back what Take gave for so many GPUs.
  void Give(const std::vector<std::string>& names, double gpus);

 private:
  struct Device {
    std::string name;
    double left = 1;
  };

  Device* Fullest(double share) PENSTOCK_REQUIRES(mutex_);
  Device* Emptiest(const std::vector<std::string>& but) PENSTOCK_REQUIRES(mutex_);

  Mutex mutex_;
  std::vector<Device> devices_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
