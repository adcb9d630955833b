#include "penstock/exec/fatal_row_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/exec/batch_digest.h"
#include "penstock/ledger/digest.h"
#include "penstock/op/take.h"

namespace penstock {
namespace {

using Ranges = std::vector<RowRange>;

bool Meet(const RowRange& left, const RowRange& right) {
  return left.split == right.split && left.first_row < right.first_row + right.rows &&
         right.first_row < left.first_row + left.rows;
}

/// Returns whether rows of which so much is known may have come from the same input.
bool Meet(const Ranges& left, const Ranges& right) {
  if (left.empty() || right.empty()) return left.empty() && right.empty();
  return std::ranges::any_of(left, [&right](const RowRange& one) {
    return std::ranges::any_of(right, [&one](const RowRange& other) { return Meet(one, other); });
  });
}

Ranges OriginOf(const Piece& piece, int64_t row, int64_t rows) {
  return piece.block.lineage.Slice(piece.offset + row, rows).ranges();
}

Result<std::string> ContentOf(const Piece& piece, int64_t row) {
  PENSTOCK_TRY(const Block copy, TakeRows({&piece, 1}, {&row, 1}));
  return DigestOfBatches({copy.batch});
}

}  // namespace

std::string FatalRowConditions(const std::string& job, const Stage& stage, int64_t memory_bytes) {
  const WorkerOptions& options = stage.functions->options;
  const WorkerOptions told{.threads = options.threads,
                           .environment = options.environment,
                           .gpus = options.gpus,
                           .memory_bytes = options.memory_bytes,
                           .batch_timeout_ms = options.batch_timeout_ms};
  return DigestOf(fmt::format("{} {} {}", job, WorkerOptionsToJson(told).dump(), memory_bytes));
}

FatalRowMemory::FatalRowMemory(FatalRows& rows, StageIndex stage, std::string conditions)
    : rows_(rows), stage_(stage), conditions_(std::move(conditions)) {
  for (const FatalRow& row : rows.of_earlier_runs()) {
    if (row.stage == stage_ && row.conditions == conditions_) known_.push_back(row);
  }
}

bool FatalRowMemory::MayHold(const std::vector<Piece>& pieces) const {
  return !known_.empty() && std::ranges::any_of(pieces, [this](const Piece& piece) {
    const Ranges origin = OriginOf(piece, 0, piece.rows);
    return std::ranges::any_of(known_,
                               [&origin](const FatalRow& row) { return Meet(row.origin, origin); });
  });
}

Result<std::optional<FatalRowMemory::Found>> FatalRowMemory::Find(
    const std::vector<Piece>& pieces) const {
  int64_t place = 0;
  for (const Piece& piece : pieces) {
    for (int64_t row = 0; row < piece.rows; ++row, ++place) {
      const Ranges origin = OriginOf(piece, row, 1);
      std::string content;
      for (const FatalRow& known : known_) {
        if (!Meet(known.origin, origin)) continue;
        if (content.empty()) {
          PENSTOCK_TRY(content, ContentOf(piece, row));
        }
        if (known.content == content) return Found{.place = place, .row = known};
      }
    }
  }
  return std::nullopt;
}

void FatalRowMemory::Note(DeadLetter letter) {
  MutexLock lock(mutex_);
  noted_.push_back(std::move(letter));
}

void FatalRowMemory::Write() {
  std::vector<DeadLetter> noted;
  {
    MutexLock lock(mutex_);
    noted = std::exchange(noted_, {});
  }
  for (const DeadLetter& letter : noted) {
    const Result<std::string> content = DigestOfBatches({letter.row.batch});
    if (!content.ok()) continue;
    static_cast<void>(rows_.Put({.conditions = conditions_,
                                 .stage = stage_,
                                 .chunk = letter.chunk,
                                 .origin = letter.row.lineage.ranges(),
                                 .content = *content,
                                 .attempts = letter.attempts,
                                 .cause = letter.failure.cause,
                                 .message = letter.failure.message,
                                 .traceback = letter.failure.traceback}));
  }
}

}  // namespace penstock
