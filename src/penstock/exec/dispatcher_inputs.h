#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "penstock/exec/dispatcher_blocks.h"

namespace penstock::dispatch {

/// How the blocks of a stage's inputs meet.
enum class InputOrder : uint8_t {
  kDirect,     // One input, or several as they come: nothing waits here.
  kInTurn,     // Several, one after the other.
  kAlongside,  // Several, row by row: the same rows of each make one task.
};

/// The inputs of one stage: holds the blocks that may not enter its queue yet.
class StageInputs {
 public:
  StageInputs(size_t count, InputOrder order);

  /// Takes in a piece that came from `input`; it enters `queue` where its turn has come.
  void Push(size_t input, const Piece& piece, InputQueue& queue);

  /// No more comes from `input`.
  void End(size_t input, InputQueue& queue);

  /// Returns whether blocks of `input` are what the stage waits for; else they only pile up.
  bool IsWanted(size_t input) const;

  /// Returns the blocks of `input` that wait here or, if it has its turn, in `queue`.
  int64_t BlocksOf(size_t input, const InputQueue& queue) const;

  /// kAlongside: returns the next rows that all inputs have, one piece an input.
  std::optional<std::vector<Piece>> TakeAlongside();

  /// kAlongside: returns an input that has more rows than another one will ever have.
  std::optional<size_t> Longest() const;

  /// Hands back every piece that waits here.
  std::vector<Piece> Clear();

  InputOrder order() const { return order_; }
  bool ended() const { return ended_count_ == count_; }
  bool empty() const { return blocks() == 0; }
  int64_t blocks() const;
  int64_t bytes() const;

 private:
  const size_t count_;
  const InputOrder order_;
  std::vector<InputQueue> waiting_;  // By input; none where nothing ever waits.
  std::vector<bool> ended_;
  size_t ended_count_ = 0;
  size_t turn_ = 0;  // kInTurn: the input whose blocks enter the queue.
};

}  // namespace penstock::dispatch
