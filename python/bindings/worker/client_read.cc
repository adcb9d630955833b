#include <nanobind/nanobind.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "client.h"
#include "client_unlock.h"

namespace penstock::python {
namespace {

constexpr std::chrono::milliseconds kSignalsEvery{100};

// Python's handlers run in the main thread alone.
bool IsMainThread() { return gettid() == getpid(); }

int MillisecondsUntil(std::optional<std::chrono::steady_clock::time_point> deadline,
                      bool is_main_thread) {
  using std::chrono::milliseconds;
  constexpr milliseconds kLongest{1'000'000'000};
  if (!deadline) return is_main_thread ? static_cast<int>(kSignalsEvery.count()) : -1;
  const auto left = std::chrono::ceil<milliseconds>(*deadline - std::chrono::steady_clock::now());
  const milliseconds longest = is_main_thread ? kSignalsEvery : kLongest;
  return static_cast<int>(std::clamp(left, milliseconds{0}, longest).count());
}

}  // namespace

void Client::End() {
  has_ended_ = true;
  stops_ = true;
  outbox_.Clear();
  Ring();
  changed_.NotifyAll();
}

// Reads, or waits for the thread that does, until something has changed, the deadline, or a signal.
// Returns false once the deadline has passed.
bool Client::WaitForChange(Deadline deadline) {
  CheckOpen();
  if (deadline && Clock::now() >= *deadline) return false;
  const bool is_main_thread = IsMainThread();
  const int timeout_ms = MillisecondsUntil(deadline, is_main_thread);
  bool has_signal = false;
  if (is_reading_) {
    if (timeout_ms < 0) {
      changed_.Wait(mutex_);
    } else {
      changed_.WaitFor(mutex_, std::chrono::milliseconds(timeout_ms));
    }
  } else {
    has_signal = !ReadPackets(timeout_ms);
    CallBack();
  }
  if (is_main_thread) AnswerSignals(has_signal);
  return true;
}

// Takes what is there, waiting for the first packet; by one thread at a time. Returns false where a
// signal came first.
bool Client::ReadPackets(int timeout_ms) {
  is_reading_ = true;
  bool has_waited = true;
  std::exception_ptr failure;
  try {
    ClientSocket::Received received = ReadPacket();
    if (received == ClientSocket::Received::kNothing && timeout_ms != 0) {
      {
        const Unlocked unlocked(mutex_);
        has_waited = socket_->WaitForPacket(timeout_ms);
      }
      received = ReadPacket();
    }
    while (received == ClientSocket::Received::kPacket) received = ReadPacket();
    if (received == ClientSocket::Received::kEnd) End();
  } catch (const std::exception&) {
    failure = std::current_exception();
    End();
  }
  is_reading_ = false;
  changed_.NotifyAll();
  if (failure) std::rethrow_exception(failure);
  return has_waited;
}

ClientSocket::Received Client::ReadPacket() {
  std::string_view packet;
  std::vector<int> descriptors;
  const ClientSocket::Received received = socket_->Receive(&packet, &descriptors);
  if (received == ClientSocket::Received::kPacket) TakePacket(packet, descriptors);
  return received;
}

void Client::CallBack() {
  if (callable_.empty()) return;
  std::vector<std::pair<PyObject*, ClientValue>> callable = std::exchange(callable_, {});
  const Unlocked unlocked(mutex_);
  const nb::gil_scoped_acquire acquire;
  for (auto& [pointer, value] : callable) {
    const auto callback = nb::steal<nb::object>(pointer);
    try {
      callback(nb::cast(std::move(value)));
    } catch (nb::python_error& error) {
      error.discard_as_unraisable("a callback for an object that is ready");
    }
  }
}

void Client::AnswerSignals(bool has_signal) {
  const Clock::time_point now = Clock::now();
  if (!has_signal && now - signals_answered_ < kSignalsEvery) return;
  signals_answered_ = now;
  const Unlocked unlocked(mutex_);
  const nb::gil_scoped_acquire acquire;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

void Client::Serve() {
  CheckProcess();
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  while (!has_ended_) WaitForChange(std::nullopt);
}

void Client::Poll() {
  CheckProcess();
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  if (doorbell_ >= 0) {
    uint64_t rung = 0;
    static_cast<void>(read(doorbell_, &rung, sizeof rung));
  }
  if (has_ended_ || is_reading_) return;
  ReadPackets(/*timeout_ms=*/0);
  CallBack();
}

}  // namespace penstock::python
