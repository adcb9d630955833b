#include <arrow/record_batch.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "fuzzing.h"
#include "penstock/block/layout.h"
#include "penstock/block/packed.h"

/// What a worker leaves in shared memory.
namespace penstock {
namespace {

struct Release {
  void operator()(uint8_t* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<uint8_t, Release>;

/// An input as a segment: aligned as the kernel aligns it, and no byte longer.
class InputSegment final : public Segment {
 public:
  InputSegment(Memory memory, int64_t bytes)
      : Segment(1, -1, memory.get(), bytes), memory_(std::move(memory)) {}

 private:
  const Memory memory_;
};

std::shared_ptr<Segment> SegmentOf(const uint8_t* data, size_t size) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kBufferAlignment, size) != 0) return nullptr;
  if (size > 0) std::memcpy(memory, data, size);
  return std::make_shared<InputSegment>(Memory(static_cast<uint8_t*>(memory)),
                                        static_cast<int64_t>(size));
}

/// What was not refused must survive being packed and unpacked again.
void CheckBatch(const Block& block, SegmentPool& pool) {
  Require(block.batch->ValidateFull().ok(), "what is unpacked is valid");
  const std::vector<Piece> pieces{
      {.block = {block.batch, {}, nullptr}, .offset = 0, .rows = block.batch->num_rows()}};
  const auto packed = PackPieces(pieces, pool);
  Require(packed.ok(), "what was unpacked can be packed");
  const auto again = UnpackBatch(packed->segment(), /*copy_bytes_max=*/0);
  Require(again.ok(), "what was packed can be unpacked");
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  Require(again->batch->Equals(*block.batch, /*check_metadata=*/false, options),
          "a batch survives being packed");
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  static const auto pool = SegmentPool::Make(/*idle_bytes_max=*/1 << 24);
  const auto segment = SegmentOf(data, size);
  const auto in_place = UnpackBatch(segment, /*copy_bytes_max=*/0);
  const auto copied = UnpackBatch(segment, /*copy_bytes_max=*/int64_t{1} << 30);
  Require(in_place.ok() == copied.ok(), "a batch is refused or not, copied or in place");
  if (in_place.ok()) CheckBatch(*in_place, *pool);
  if (copied.ok()) CheckBatch(*copied, *pool);
  return 0;
}
