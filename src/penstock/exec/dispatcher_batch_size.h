#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace penstock::dispatch {

/// Finds the rows of a batch for a stage whose batches grow: it begins with few, doubles as long as
/// that makes rows clearly faster, and stays where it does not, or where a batch would take too
/// long or too many bytes.
class BatchSize {
 public:
  static constexpr int64_t kRowsFirst = 16;
  static constexpr int64_t kRowsMax = 65'536;
  static constexpr int64_t kBytesMax = int64_t{16} << 20;  // Of input.
  static constexpr int64_t kBusyMaxNs = 1'000'000'000;     // Of a batch.

  int64_t rows() const { return rows_; }

  /// Learns what a batch of `rows` rows and `bytes` bytes cost. Those that are not full tell
  /// nothing. Batches that the pool held while the size changed are told apart by their rows.
  void Learn(int64_t rows, int64_t bytes, int64_t busy_ns);

 private:
  struct Cost {
    int64_t batches = 0;
    int64_t best_ns = 0;  // Of one batch: what else the machine did only ever adds.
  };

  void GrowOrStay(int64_t bytes, const Cost& cost);

  int64_t rows_ = kRowsFirst;
  bool settled_ = false;
  std::optional<double> row_ns_before_;  // At half the rows.
  std::map<int64_t, Cost> costs_;        // By rows; at most one entry a doubling.
};

}  // namespace penstock::dispatch
