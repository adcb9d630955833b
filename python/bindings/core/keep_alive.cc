#include "core/keep_alive.h"

#include <utility>
#include <vector>

#include "penstock/base/mutex.h"

namespace penstock::python {
namespace {

/// Objects that the engine is done with. Never destroyed: engine threads may outlive statics.
class Dropped {
 public:
  static Dropped& Get() {
    static Dropped* const dropped = new Dropped;
    return *dropped;
  }

  void Note(PyObject* object) {
    MutexLock lock(mutex_);
    objects_.push_back(object);
  }

  std::vector<PyObject*> Take() {
    MutexLock lock(mutex_);
    return std::exchange(objects_, {});
  }

 private:
  Mutex mutex_;
  std::vector<PyObject*> objects_ PENSTOCK_GUARDED_BY(mutex_);
};

class LentBufferImpl final : public arrow::Buffer {
 public:
  LentBufferImpl(nb::object owner, const uint8_t* data, int64_t bytes)
      : arrow::Buffer(data, bytes), owner_(owner.release().ptr()) {}
  ~LentBufferImpl() override { Dropped::Get().Note(owner_); }

 private:
  PyObject* const owner_;
};

}  // namespace

std::shared_ptr<arrow::Buffer> LentBuffer(nb::object owner, const uint8_t* data, int64_t bytes) {
  return std::make_shared<LentBufferImpl>(std::move(owner), data, bytes);
}

void ReleaseDropped() {
  for (PyObject* const object : Dropped::Get().Take()) Py_DECREF(object);
}

}  // namespace penstock::python
