#include "penstock/base/devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DevicesTest, SharesFillADeviceBeforeTheNextIsTouched) {
  Devices devices({"0", "1"});
  EXPECT_THAT(devices.Take(0.5), ElementsAre("0"));
  EXPECT_THAT(devices.Take(0.5), ElementsAre("0"));
  EXPECT_THAT(devices.Take(0.25), ElementsAre("1"));
}

TEST(DevicesTest, WholeDevicesAreThoseThatNobodyShares) {
  Devices devices({"0", "1", "2"});
  EXPECT_THAT(devices.Take(0.5), ElementsAre("0"));
  EXPECT_THAT(devices.Take(2), ElementsAre("1", "2"));
}

TEST(DevicesTest, WhatIsGivenBackIsGivenOutAgain) {
  Devices devices({"0", "1"});
  const std::vector<std::string> first = devices.Take(1);
  devices.Take(1);
  devices.Give(first, 1);
  EXPECT_EQ(devices.Take(1), first);
}

TEST(DevicesTest, AThirdThriceIsADevice) {
  Devices devices({"0", "1"});
  for (int time = 0; time < 3; ++time) EXPECT_THAT(devices.Take(1.0 / 3), ElementsAre("0"));
  EXPECT_THAT(devices.Take(1.0 / 3), ElementsAre("1"));
}

TEST(DevicesTest, WhereSharesBrokeUpAllTheEmptiestIsGivenWhole) {
  Devices devices({"0", "1"});
  devices.Take(0.75);
  devices.Take(0.5);
  EXPECT_THAT(devices.Take(1), ElementsAre("1"));
}

TEST(DevicesTest, WithoutDevicesNoneIsGiven) {
  EXPECT_THAT(Devices({}).Take(1), IsEmpty());
  EXPECT_THAT(Devices({"0"}).Take(0), IsEmpty());
}

}  // namespace
}  // namespace penstock
