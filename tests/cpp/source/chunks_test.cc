#include "penstock/source/chunks.h"

#include "source/source_testing.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;

std::vector<int64_t> Chunks(const std::vector<Split>& splits) {
  std::vector<int64_t> chunks;
  for (const Split& split : splits) chunks.push_back(split.chunk);
  return chunks;
}

TEST(ChunkGrouperTest, ClosesAChunkBeforeTheSplitThatWouldExceedRowsOrBytes) {
  ChunkGrouper grouper({.chunk_rows = 10, .chunk_bytes = 100});
  std::vector<Split> splits{{.rows = 4, .bytes = 1}, {.rows = 6, .bytes = 1},
                            {.rows = 1, .bytes = 1}, {.rows = 1, .bytes = 99},
                            {.rows = 1, .bytes = 1}, {.rows = 500, .bytes = 500},
                            {.rows = 1, .bytes = 1}};
  grouper.Number(splits);
  EXPECT_THAT(Chunks(splits), ElementsAre(0, 0, 1, 1, 2, 3, 4));
  EXPECT_EQ(splits.back().index, 6);
}

TEST(ChunkGrouperTest, SplitsOfUnknownSizeStandAlone) {
  ChunkGrouper grouper({.chunk_rows = 10, .chunk_bytes = 100});
  std::vector<Split> splits{{.rows = 1, .bytes = 1}, {}, {}, {.rows = 1, .bytes = 1}};
  grouper.Number(splits);
  EXPECT_THAT(Chunks(splits), ElementsAre(0, 1, 2, 3));
}

TEST(ChunkGrouperTest, DoesNotDependOnHowSplitsAreListed) {
  std::vector<Split> at_once;
  for (int64_t i = 0; i < 200; ++i) at_once.push_back({.rows = i * 7 % 13, .bytes = i * 5 % 17});
  const std::vector<Split> unnumbered = at_once;
  ChunkGrouper({.chunk_rows = 20, .chunk_bytes = 30}).Number(at_once);
  for (const size_t step : {1, 3, 64}) {
    ChunkGrouper grouper({.chunk_rows = 20, .chunk_bytes = 30});
    std::vector<int64_t> chunks;
    for (size_t i = 0; i < unnumbered.size(); i += step) {
      const size_t end = std::min(i + step, unnumbered.size());
      std::vector<Split> some(unnumbered.begin() + static_cast<std::ptrdiff_t>(i),
                              unnumbered.begin() + static_cast<std::ptrdiff_t>(end));
      grouper.Number(some);
      for (const Split& split : some) chunks.push_back(split.chunk);
    }
    EXPECT_EQ(chunks, Chunks(at_once));
  }
}

}  // namespace
}  // namespace penstock
