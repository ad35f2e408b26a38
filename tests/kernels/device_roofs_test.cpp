// The roofs of a device with memory of its own.
#include <gtest/gtest.h>

#include "kernels/cpu/isa.h"
#include "kernels/probe/device_rates.h"
#include "kernels/probe/work_meter.h"
#include "kernels/trace.h"
#include "tests/support/engine/sealed_device.h"

namespace lava {
namespace {

constexpr double seconds = 0.004;

TEST(DeviceRoofs, AreItsOwnAndNamed) {
  auto device = *test::SealedDevice::create();
  auto probe = RoofProbe::create(*device);
  ASSERT_TRUE(probe) << probe.error().message();
  const auto roofs = (*probe)->measure(seconds);
  ASSERT_TRUE(roofs) << roofs.error().message();
  for (const double speed : {roofs->read, roofs->upload, roofs->f32, roofs->bf16, roofs->int8}) EXPECT_GT(speed, 0);
  EXPECT_EQ(roofs->cache, 0);
  EXPECT_EQ(roofs->read_of, "memory read and written");
  EXPECT_EQ(roofs->read_unit, "copies on the device");
  EXPECT_NE(roofs->bf16_unit.find("BF16"), std::string::npos) << roofs->bf16_unit;
  EXPECT_NE(roofs->int8_unit.find("Q8_0"), std::string::npos) << roofs->int8_unit;
  EXPECT_EQ(roofs->level, device->info().isa);
  EXPECT_EQ(device->own_bytes(), 0u);  // the model gets all of it back
}

TEST(DeviceRoofs, ProcessorsAreThoseOfTheProcessor) {
  if (runnable_levels().size() == 1) GTEST_SKIP() << "only the reference runs here";
  auto device = *make_cpu_device({.threads = 1, .pin = false});
  const auto roofs = (*RoofProbe::create(*device))->measure(seconds);
  ASSERT_TRUE(roofs);
  EXPECT_GT(roofs->cache, 0);
  EXPECT_EQ(roofs->upload, 0);
  EXPECT_EQ(roofs->read_of, "memory read");
}

TEST(DeviceRoofs, SmallDevicesAreMeasuredWithLess) {
  auto device = *test::SealedDevice::create({.own_limit = size_t{5} << 20});
  const auto roofs = device_roofs(*device, seconds);
  ASSERT_TRUE(roofs) << roofs.error().message();
  EXPECT_GT(roofs->read, 0);
  EXPECT_GT(roofs->int8, 0);
  EXPECT_LE(device->most_own_bytes(), size_t{5} << 20);
  EXPECT_EQ(device->own_bytes(), 0u);
}

TEST(DeviceRoofs, NoMemoryIsASentence) {
  auto device = *test::SealedDevice::create({.own_limit = 1000});
  const auto roofs = device_roofs(*device, seconds);
  ASSERT_FALSE(roofs);
  EXPECT_EQ(roofs.error().kind, Error::Kind::out_of_memory);
  EXPECT_FALSE(product_rate(*device, DType::bf16, Precision::bf16, seconds));
  EXPECT_FALSE(upload_rate(*device, seconds));
}

TEST(DeviceRoofs, LossIsTold) {
  for (const int64_t at : {0, 3, 40}) {
    auto device = *test::SealedDevice::create({.lose_at = at});
    const auto roofs = device_roofs(*device, seconds);
    ASSERT_FALSE(roofs) << at;
    EXPECT_EQ(roofs.error().kind, Error::Kind::device_lost);
  }
  auto device = *test::SealedDevice::create({.lose_at = 9});
  EXPECT_FALSE(product_rate(*device, DType::q8_0, Precision::fast, seconds));
}

TEST(DeviceRoofs, ProductsGrowUntilTheyTakeLongEnough) {
  auto device = *test::SealedDevice::create({.threads = 1});
  const auto quick = product_rate(*device, DType::f32, Precision::exact, 1e-6), longer = product_rate(*device, DType::f32, Precision::exact, 0.04);
  ASSERT_TRUE(quick && longer);
  EXPECT_EQ(quick->side, 64);
  EXPECT_GT(longer->side, 64);
  EXPECT_LE(longer->side, 4096);
}

TEST(Decorators, AreLookedThrough) {
  auto device = *make_cpu_device({.threads = 1, .pin = false});
  TraceDevice traced(*device);
  WorkMeter meter(traced);
  EXPECT_EQ(&undecorated(meter), device.get());
  EXPECT_EQ(&undecorated(*device), device.get());
}

}  // namespace
}  // namespace lava
