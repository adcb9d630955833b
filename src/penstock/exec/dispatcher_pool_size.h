#pragma once

#include <cstdint>

namespace penstock::dispatch {

/// Decides how many workers a stage between its least and its most shall have, by its queue and its
/// throughput.
///
/// It looks at windows of time. A pool grows by one when through a whole window no worker was idle
/// and a round of batches waits beyond those that the workers hold. What the larger pool does in
/// its first whole window is held against the window before: where it does less than a tenth of
/// what one more worker should add, it shrinks back and stays, since more would not help. It
/// shrinks by one when through several windows in a row one worker's worth of time was idle for
/// want of input.
class PoolSize {
 public:
  enum class Wish : uint8_t {
    kKeep,
    kGrow,
    kShrink,
  };

  /// What a stage did since the last look.
  struct Look {
    int64_t now_ns = 0;
    int up = 0;             // Workers that take batches.
    int changing = 0;       // Workers on their way in or out.
    int64_t ready = 0;      // Batches that no worker holds yet.
    int64_t in_flight = 1;  // Batches that one worker may hold.
    int64_t idle_ns = 0;    // Workers' time without work, all told, ever.
    int64_t rows_done = 0;  // Ever.
  };

  PoolSize(int least, int most) : least_(least), most_(most), useless_(most + 1) {}

  bool elastic() const { return least_ < most_; }

  /// Returns what is to be done now; at most one worker changes at a time.
  Wish Decide(const Look& look);

 private:
  struct Mark {
    int64_t at_ns = 0;
    int64_t idle_ns = 0;
    int64_t rows = 0;
  };

  void Begin(const Look& look);
  Wish EndWindow(const Look& look, double rate, double idle);

  const int least_;
  const int most_;
  int useless_;   // A pool of so many did no more than one of a worker less.
  int size_ = 0;  // Of the window that runs.
  Mark begun_;
  double rate_before_ = -1;  // Rows a second before the pool grew; -1: it has not just grown.
  int size_before_ = 0;      // Workers then.
  int idle_windows_ = 0;
};

}  // namespace penstock::dispatch
