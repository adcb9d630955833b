#include "penstock/exec/worker_setup.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

namespace penstock {
namespace {

TEST(WorkerSetupTest, HoldsTheHeaderAndThenThePayloadsInOrder) {
  FunctionsOp op;
  op.functions.push_back({.name = "clean", .kind = FunctionKind::kRow, .payload = "abc"});
  op.functions.push_back(
      {.name = "keep", .kind = FunctionKind::kFilterRow, .payload = std::string("\0z", 2)});
  const std::string packed = PackWorkerSetup("Map(clean)->Filter(keep)", op);

  ASSERT_EQ(packed.substr(0, 8), "PENSETUP");
  uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, packed.data() + 8, sizeof(header_bytes));
  const auto header = nlohmann::json::parse(packed.substr(12, header_bytes));
  EXPECT_EQ(header["stage"], "Map(clean)->Filter(keep)");
  ASSERT_EQ(header["functions"].size(), 2u);
  EXPECT_EQ(header["functions"][0]["kind"], "row");
  EXPECT_EQ(header["functions"][0]["bytes"], 3);
  EXPECT_EQ(header["functions"][1]["kind"], "filter_row");
  EXPECT_EQ(header["functions"][1]["bytes"], 2);
  EXPECT_EQ(packed.substr(12 + header_bytes), std::string("abc\0z", 5));
}

}  // namespace
}  // namespace penstock
