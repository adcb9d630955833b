#include "penstock/base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace penstock {
namespace {

uint32_t Mask(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xA282EAD8; }

TEST(Crc32cTest, ChecksumsAreThoseOfTheStandard) {
  EXPECT_EQ(MaskedCrc32c(""), Mask(0));
  EXPECT_EQ(MaskedCrc32c("123456789"), Mask(0xE3069283));
  EXPECT_EQ(MaskedCrc32c(std::string(32, '\0')), Mask(0x8A9136AA));
  EXPECT_EQ(MaskedCrc32c(std::string(32, '\xFF')), Mask(0x62A8AB43));
}

}  // namespace
}  // namespace penstock
