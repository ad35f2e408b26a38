// What the measuring commands are made of, on a device whose memory the host must not touch.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/cli/bench.h"
#include "engine/cli/bench_op_timing.h"
#include "engine/cli/bench_transfers.h"
#include "kernels/trace.h"
#include "tests/support/engine/sealed_device.h"

namespace lava::bench {
namespace {

constexpr double budget = 1e-3;

// A device that takes no fused ops.
class Unfused final : public DeviceDecorator {
 public:
  explicit Unfused(Device& inner) : DeviceDecorator(inner), info_(inner.info()) { info_.fuses = false; }
  const DeviceInfo& info() const override { return info_; }

 private:
  DeviceInfo info_;
};

OpCase last_case_of(OpId op) {
  const auto cases = op_cases();
  return *std::find_if(cases.rbegin(), cases.rend(), [op](const OpCase& one) { return one.op == op; });
}

// The bytes of everything that a builder makes, as the device has them.
std::vector<std::byte> built_on(Device& device) {
  auto memory = *device.allocate(size_t{4} << 20, BufferUse::own);
  Arena arena(memory->data(), memory->size());
  StepParams step;
  Run run{device, arena, &step};
  OpBuilder builder(run, &device);
  std::vector<std::byte> all;
  const auto add = [&](const std::byte* data, size_t bytes) {
    all.resize(all.size() + bytes);
    device.download(std::span(all).last(bytes), data);
  };
  for (const DType type : {DType::f32, DType::f16, DType::q8_0}) {
    const Tensor values = builder.values({3, 64}, type);
    add(values.data, values.bytes());
  }
  const Tensor ids = builder.ids(10, 7);
  add(ids.data, ids.bytes());
  const Matrix packed = builder.matrix(DType::q4_k, Precision::fast, 40, 512), table = builder.table(DType::q4_0, 9, 64);
  add(packed.data, packed_bytes(packed.format, packed.layout, packed.out, packed.in));
  add(table.data, packed_bytes(table.format, table.layout, table.out, table.in));
  return all;
}

TEST(OpBuilder, GivesEveryDeviceTheSameValues) {
  auto sealed = *test::SealedDevice::create();
  auto cpu = *make_cpu_device({.threads = 1, .pin = false});
  const auto here = built_on(*sealed);
  EXPECT_EQ(here, built_on(*cpu));
  EXPECT_GT(std::count_if(here.begin(), here.end(), [](std::byte value) { return value != std::byte{}; }), static_cast<int64_t>(here.size() / 2));
}

TEST(TimeOp, TimesEveryOpOnADeviceOfItsOwn) {
  auto device = *test::SealedDevice::create();
  for (int i = 0; i < op_count; ++i) {
    const OpCase one = last_case_of(static_cast<OpId>(i));
    const int64_t recordings = device->recordings();
    const auto timing = time_op(*device, one, budget);
    ASSERT_TRUE(timing) << op_info(one.op).name << ": " << timing.error().message();
    EXPECT_GT(timing->seconds, 0) << op_info(one.op).name;
    EXPECT_GT(timing->work.bytes, 0) << op_info(one.op).name;
    EXPECT_EQ(timing->ops, 1) << op_info(one.op).name;
    EXPECT_EQ(device->recordings(), recordings + 1) << op_info(one.op).name;
    EXPECT_EQ(device->own_bytes(), 0u);
  }
}

TEST(TimeOp, MeasuresWhatRunsWhereOpsAreComposed) {
  auto device = *test::SealedDevice::create();
  Unfused unfused(*device);
  const OpCase one = last_case_of(OpId::rope_attention);
  const auto composed = time_op(unfused, one, budget);
  ASSERT_TRUE(composed) << composed.error().message();
  EXPECT_EQ(composed->ops, 2);
  const auto fused = time_op(*device, one, budget);
  ASSERT_TRUE(fused);
  EXPECT_EQ(fused->ops, 1);
  EXPECT_NEAR(composed->work.streamed, fused->work.streamed, fused->work.streamed / 100);
}

TEST(TimeOp, TakesFewerCopiesWhereMemoryIsShort) {
  const auto cases = op_cases();
  const auto small = *std::find_if(cases.begin(), cases.end(), [](const OpCase& one) { return one.shape == "Q4_1 fast, 1 x 576 -> 1536"; });
  auto wide = *test::SealedDevice::create({.threads = 1});
  const auto roomy = time_op(*wide, small, 1);  // so long that copies are not left out because the device is slow
  ASSERT_TRUE(roomy) << roomy.error().message();
  EXPECT_EQ(roomy->copies, 64);
  auto narrow = *test::SealedDevice::create({.threads = 1, .own_limit = size_t{2} << 20});
  const auto few = time_op(*narrow, small, 1);
  ASSERT_TRUE(few) << few.error().message();
  EXPECT_LT(few->copies, 8);
  auto none = *test::SealedDevice::create({.threads = 1, .own_limit = 1000});
  const auto refused = time_op(*none, small, budget);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::out_of_memory);
  EXPECT_NE(refused.error().message().find("linear"), std::string::npos) << refused.error().message();
}

TEST(TimeOp, LossIsToldWithTheOp) {
  for (const int64_t at : {0, 4, 6}) {  // filling, the first runs, a recording
    auto device = *test::SealedDevice::create({.lose_at = at});
    const auto timing = time_op(*device, last_case_of(OpId::rms_norm), budget);
    ASSERT_FALSE(timing) << at;
    EXPECT_EQ(timing.error().kind, Error::Kind::device_lost);
    EXPECT_NE(timing.error().message().find("rms_norm"), std::string::npos) << timing.error().message();
  }
}

TEST(Measure, HoldsADeviceAgainstItsOwnRoofs) {
  auto device = *test::SealedDevice::create();
  TraceDevice traced(*device);
  WorkMeter meter(traced);
  Settings settings;
  settings.repeat = 2;
  Measured m{"decode", Bound::memory, {}, ""};
  const auto done = measure(m, settings, meter, [](int) -> Result<double> { return 0.5; });
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(m.seconds.size(), 2u);
  EXPECT_GT(m.roofs.read, 0);
  EXPECT_GT(m.roofs.upload, 0);
  EXPECT_TRUE(traced.stats().empty());  // what the roofs took is no part of the trace
  EXPECT_EQ(all_of(m.roofs)["upload_gb_per_s"], 1e-9 * m.roofs.upload);
}

TEST(Measure, ALostDeviceIsASentence) {
  auto device = *test::SealedDevice::create({.lose_at = 20});
  WorkMeter meter(*device);
  Measured m{"decode", Bound::memory, {}, ""};
  const auto done = measure(m, {}, meter, [](int) -> Result<double> { return 0.5; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Error::Kind::device_lost);
}

TEST(Shares, OfADeviceWhoseCachesHaveNoRoofAreOfItsMemory) {
  Roofs roofs;
  roofs.read = 100, roofs.f32 = 1e6, roofs.read_of = "memory read and written", roofs.read_unit = "copies on the device";
  Work work;
  work.bytes = 50, work.streamed = 20, work.f32 = 1;
  EXPECT_EQ(share_of_roof(Bound::cached, work, roofs, 1), 0.5);
  EXPECT_EQ(share_of_roof(Bound::memory, work, roofs, 1), 0.2);
  EXPECT_EQ(roof_of(Bound::cached, work, roofs)["of"], "memory read and written");
  roofs.cache = 1000;
  EXPECT_EQ(share_of_roof(Bound::cached, work, roofs, 1), 0.05);
  EXPECT_EQ(roof_of(Bound::cached, work, roofs)["of"], "cache read");
}

TEST(Transfers, CountUntilTheyAreStopped) {
  auto device = *test::SealedDevice::create();
  auto memory = *device->allocate(4096, BufferUse::own);
  UploadMeter meter(*device);
  EXPECT_EQ(meter.seconds(), 0);
  const std::vector<std::byte> values(1000);
  meter.upload(memory->data(), values);
  ASSERT_TRUE(meter.finish());
  const double first = meter.seconds();
  EXPECT_EQ(meter.bytes(), 1000);
  EXPECT_GT(first, 0);
  meter.stop();
  meter.upload(memory->data(), values);
  ASSERT_TRUE(meter.finish());
  EXPECT_EQ(meter.bytes(), 1000);
  EXPECT_EQ(meter.seconds(), first);
}

TEST(Transfers, FilesAreReadWhole) {
  const auto path = std::filesystem::temp_directory_path() / ("lavascope-bench-test-" + std::to_string(::getpid()));
  std::ofstream(path) << std::string(3 << 20, 'x');
  const auto rate = read_rate({path}, 2);
  std::filesystem::remove(path);
  ASSERT_TRUE(rate) << rate.error().message();
  EXPECT_GT(*rate, 1e6);
  EXPECT_FALSE(read_rate({path}, 2));
}

}  // namespace
}  // namespace lava::bench
