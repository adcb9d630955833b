#include "penstock/base/tell_once.h"

#include <cstddef>
#include <cstdio>
#include <set>

#include "penstock/base/mutex.h"

namespace penstock {
namespace {

/// Beyond so many different ones the oldest memory is of no use, and all is told.
constexpr size_t kToldMax = 1000;

struct Told {
  Mutex mutex;
  std::set<std::string> texts PENSTOCK_GUARDED_BY(mutex);

  bool IsNew(const std::string& text) {
    MutexLock lock(mutex);
    return texts.size() >= kToldMax || texts.insert(text).second;
  }
};

}  // namespace

void TellOnce(const std::string& what) {
  static auto& told = *new Told;  // Threads that outlive the program's end may tell something.
  if (told.IsNew(what)) std::fprintf(stderr, "penstock: %s\n", what.c_str());
}

}  // namespace penstock
