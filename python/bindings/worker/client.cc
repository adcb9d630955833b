#include "client.h"

#include <pthread.h>
#include <unistd.h>

#include <stdexcept>

namespace penstock::python {
namespace {

using runtime::MessageKind;
using runtime::MessageWriter;

constexpr std::chrono::seconds kWelcomeTimeout{30};
constexpr int64_t kCopyAloneBytes = 256 * 1024;  // From here on others may run Python meanwhile.

// How many forks lie between the first process and this one.
int Forks() {
  static int forks = 0;
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++forks; });
  static_cast<void>(registered);
  return forks;
}

// Holds Python's buffers while their bytes are copied.
class HeldBuffers {
 public:
  explicit HeldBuffers(nb::list objects) {
    views_.reserve(nb::len(objects));
    for (nb::handle object : objects) {
      Py_buffer view;
      if (PyObject_GetBuffer(object.ptr(), &view, PyBUF_ANY_CONTIGUOUS) != 0) {
        Release();
        throw nb::python_error();
      }
      views_.push_back(view);
    }
  }
  ~HeldBuffers() { Release(); }
  HeldBuffers(const HeldBuffers&) = delete;
  HeldBuffers& operator=(const HeldBuffers&) = delete;

  std::vector<std::span<const uint8_t>> spans() const {
    std::vector<std::span<const uint8_t>> spans;
    spans.reserve(views_.size());
    for (const Py_buffer& view : views_) {
      spans.emplace_back(static_cast<const uint8_t*>(view.buf), static_cast<size_t>(view.len));
    }
    return spans;
  }

 private:
  void Release() {
    for (Py_buffer& view : views_) PyBuffer_Release(&view);
    views_.clear();
  }

  std::vector<Py_buffer> views_;
};

std::span<const uint8_t> SpanOf(const nb::bytes& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.c_str()), bytes.size()};
}

}  // namespace

Client::Client(int descriptor, uint64_t worker)
    : forks_(Forks()), socket_(std::make_unique<ClientSocket>(descriptor)) {
  nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  MessageWriter hello(MessageKind::kHello);
  hello.Number(worker).Number(static_cast<uint64_t>(getpid()));
  Post(hello);
  Flush();
  const Clock::time_point deadline = Clock::now() + kWelcomeTimeout;
  while (!is_welcome_) {
    if (!WaitForChange(deadline)) {
      throw HubGone("nobody runs tasks for this program: no hub has answered");
    }
  }
}

Client::~Client() {
  if (forks_ != Forks()) {
    static_cast<void>(socket_.release());  // The other process's, whose threads are not here.
    return;
  }
  if (watched_ >= 0) close(watched_);
  if (doorbell_ >= 0) close(doorbell_);
  try {
    Close();
  } catch (const std::exception&) {  // There is nobody left to tell.
    return;
  }
}

void Client::CheckProcess() const {
  if (forks_ == Forks()) return;
  throw std::runtime_error(
      "This process was forked from one that uses tasks and actors, and has no part in them; start "
      "processes with multiprocessing's 'spawn', or as tasks");
}

void Client::CheckOpen() {
  if (!has_ended_) return;
  throw HubGone(is_closed_ ? "the connection to the hub was closed, as by shutdown()"
                           : "the hub that runs tasks and actors has ended");
}

Client::Deadline Client::DeadlineOf(Timeout timeout) {
  constexpr double kForEverS = 1e9;
  if (!timeout || *timeout > kForEverS) return std::nullopt;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(std::max(0.0, *timeout)));
}

uint64_t Client::NewIds(uint64_t count) {
  CheckProcess();
  return runtime::MakeId(number_, ids_.fetch_add(count, std::memory_order_relaxed));
}

std::unique_ptr<Packed> Client::Pack(nb::bytes pickled, nb::list buffers,
                                     std::vector<uint64_t> contained) {
  CheckProcess();
  const HeldBuffers held(std::move(buffers));
  const ObjectLayout layout(SpanOf(pickled), held.spans());
  const int64_t bytes = layout.bytes();
  if (bytes <= runtime::kInlineBytesMax) {
    std::string place(static_cast<size_t>(bytes), '\0');
    layout.Write(reinterpret_cast<uint8_t*>(place.data()));
    return std::make_unique<Packed>(std::move(place), std::move(contained));
  }
  std::shared_ptr<SegmentMemory> memory = segments_->TakeIdle(bytes);
  std::optional<nb::gil_scoped_release> release;
  if (bytes >= kCopyAloneBytes || memory == nullptr) release.emplace();
  if (memory == nullptr) {
    const int64_t capacity = OwnSegments::SizeFor(bytes);
    if (made_bytes_.fetch_add(capacity) + capacity > kRoomAfterBytes) {
      made_bytes_ = capacity;
      AskWithoutGil("room");
    }
    memory = SegmentMemory::Make(NewIds(1), capacity);
  }
  layout.Write(memory->data());
  return std::make_unique<Packed>(segments_, std::move(memory), bytes, std::move(contained));
}

void Client::Define(uint64_t function, nb::bytes data) {
  CheckProcess();
  const std::span<const uint8_t> bytes = SpanOf(data);
  std::optional<Packed> packed;
  if (bytes.size() <= runtime::kInlineBytesMax) {
    packed.emplace(std::string(bytes.begin(), bytes.end()), std::vector<uint64_t>{});
  } else {
    const auto size = static_cast<int64_t>(bytes.size());
    std::shared_ptr<SegmentMemory> memory =
        SegmentMemory::Make(NewIds(1), OwnSegments::SizeFor(size));
    std::memcpy(memory->data(), bytes.data(), bytes.size());
    packed.emplace(segments_, std::move(memory), size, std::vector<uint64_t>{});
  }
  MutexLock lock(mutex_);
  CheckOpen();
  if (!defined_.insert(function).second) return;
  MessageWriter message(MessageKind::kDefine);
  message.Number(function);
  packed->Send(/*flags=*/0, &message);
  Post(message);
}

uint64_t Client::Put(Packed& packed) {
  const uint64_t object = NewIds(1);
  MutexLock lock(mutex_);
  CheckOpen();
  MessageWriter message(MessageKind::kPut);
  message.Number(object);
  packed.Send(/*flags=*/0, &message);
  references_.Own(object);
  if (packed.is_shared()) references_.SetLarge(object);
  Post(message);
  Flush();
  return object;
}

void Client::Hold(uint64_t id) {
  CheckProcess();
  MutexLock lock(mutex_);
  CheckOpen();
  if (!references_.Hold(id)) return;
  MessageWriter message(MessageKind::kHold);
  message.Ids({id});
  Post(message);
}

void Client::Release(uint64_t id, bool at_once) {
  if (forks_ != Forks()) return;
  MutexLock lock(mutex_);
  if (has_ended_) return;
  if (references_.Release(id) || at_once) Flush();
}

void Client::Close() {
  if (forks_ != Forks()) return;
  std::vector<PyObject*> callbacks;
  {
    MutexLock lock(mutex_);
    if (has_ended_ && is_closed_) return;
    if (!has_ended_) Flush();
    is_closed_ = true;
    End();
    for (const auto& [request, callback] : callbacks_) callbacks.push_back(callback);
    for (const auto& [callback, value] : callable_) callbacks.push_back(callback);
    callbacks_.clear();
    callable_.clear();
    socket_->Shutdown();
  }
  for (PyObject* callback : callbacks) Py_DECREF(callback);
}

}  // namespace penstock::python
