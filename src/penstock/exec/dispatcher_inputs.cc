#include "penstock/exec/dispatcher_inputs.h"

#include <algorithm>

namespace penstock::dispatch {

StageInputs::StageInputs(size_t count, InputOrder order)
    : count_(count),
      order_(order),
      waiting_(order == InputOrder::kDirect ? 0 : count, InputQueue(/*follows_chunks=*/false)),
      ended_(count) {}

void StageInputs::Push(size_t input, const Piece& piece, InputQueue& queue) {
  const bool enters =
      order_ == InputOrder::kDirect || (order_ == InputOrder::kInTurn && input == turn_);
  (enters ? queue : waiting_[input]).Push(piece);
}

void StageInputs::End(size_t input, InputQueue& queue) {
  if (ended_[input]) return;
  ended_[input] = true;
  ++ended_count_;
  if (order_ != InputOrder::kInTurn) return;
  while (turn_ + 1 < count_ && ended_[turn_]) {
    InputQueue& next = waiting_[++turn_];
    while (!next.empty()) queue.Push(next.Take(next.front().rows));
  }
}

bool StageInputs::IsWanted(size_t input) const {
  if (order_ == InputOrder::kDirect) return true;
  if (order_ == InputOrder::kInTurn) return input == turn_;
  return waiting_[input].empty() ||
         std::ranges::none_of(waiting_, [](const InputQueue& queue) { return queue.empty(); });
}

int64_t StageInputs::BlocksOf(size_t input, const InputQueue& queue) const {
  const bool enters =
      order_ == InputOrder::kDirect || (order_ == InputOrder::kInTurn && input == turn_);
  return (enters ? queue : waiting_[input]).blocks();
}

std::optional<std::vector<Piece>> StageInputs::TakeAlongside() {
  int64_t rows = INT64_MAX;
  for (const InputQueue& queue : waiting_) {
    if (queue.empty()) return std::nullopt;
    rows = std::min(rows, queue.front().rows);
  }
  std::vector<Piece> pieces;
  for (InputQueue& queue : waiting_) pieces.push_back(queue.Take(rows));
  return pieces;
}

std::optional<size_t> StageInputs::Longest() const {
  if (order_ != InputOrder::kAlongside) return std::nullopt;
  bool one_is_over = false;
  std::optional<size_t> longer;
  for (size_t input = 0; input < count_; ++input) {
    if (!waiting_[input].empty()) longer = input;
    one_is_over = one_is_over || (waiting_[input].empty() && ended_[input]);
  }
  return one_is_over ? longer : std::nullopt;
}

std::vector<Piece> StageInputs::Clear() {
  std::vector<Piece> pieces;
  for (InputQueue& queue : waiting_) {
    while (!queue.empty()) pieces.push_back(queue.Take(queue.front().rows));
  }
  return pieces;
}

int64_t StageInputs::blocks() const {
  int64_t blocks = 0;
  for (const InputQueue& queue : waiting_) blocks += queue.blocks();
  return blocks;
}

int64_t StageInputs::bytes() const {
  int64_t bytes = 0;
  for (const InputQueue& queue : waiting_) bytes += queue.bytes();
  return bytes;
}

}  // namespace penstock::dispatch
