// The Vulkan module when the driver refuses: every call in turn loses the device, or finds no memory. What is asked of it then ends with a
// sentence or with the right values; nothing crashes, waits for ever, or is left behind.
#include <algorithm>
#include <functional>

#include "tests/vulkan/loader/troubled_loader.h"
#include "tests/vulkan/vulkan_fixture.h"

namespace lava::test {
namespace {

// Own and shared memory, an upload, eager and recorded ops, scratch, a copy and a download: 64 values 8, then 16 values 5.
Result<std::vector<float>> compute(Device& device) {
  constexpr int64_t d = 8, keys = 200;
  LAVA_TRY(const auto own, device.allocate(512, BufferUse::own));
  LAVA_TRY(const auto shared, device.allocate(1 << 16));
  Arena arena(shared->data(), shared->size());
  auto* step = new (arena.allocate(sizeof(StepParams))) StepParams{.past = keys - 1, .limit = keys};
  lava::Run run{device, arena, step};
  const Tensor x(DType::f32, {64}, own->data()), q = arena.f32({1, 2, d}), k = arena.f32({2, keys, d}), v = arena.f32({2, keys, d}), out = arena.f32({1, 2, d});
  for (const Tensor& t : {q, k, v}) std::fill_n(t.f32(), t.elements(), t.data == v.data ? 5.0f : 0.25f);
  std::vector<float> values(64, 1.0f);
  device.upload(x.data, bytes_of(values));
  ops::add(run, x, x, x);
  const auto recording = device.record([&] {
    ops::add(run, x, x, x);
    ops::attention(run, out, q, k, v, 0.3f, true);
  });
  recording->replay();
  recording->replay();
  device.copy(own->data() + 256, own->data(), 256);
  device.download(writable_bytes_of(values), own->data() + 256);
  LAVA_CHECK_OK(device.finish());
  values.insert(values.end(), out.f32(), out.f32() + out.elements());
  return values;
}

void expect_right(const Result<std::vector<float>>& values) {
  ASSERT_TRUE(values) << values.error().message();
  for (size_t i = 0; i < values->size(); ++i) ASSERT_NEAR((*values)[i], i < 64 ? 8.0f : 5.0f, 1e-5f) << i;
}

class VulkanTrouble : public Vulkan {
 protected:
  void SetUp() override {
    Vulkan::SetUp();
    if (IsSkipped()) return;
    expect_right(compute(*device_));  // and the driver has its shaders
    device_.reset();
    ASSERT_EQ(loader_.alive, 0);
  }
  void TearDown() override {
    loader_.reset();
    Vulkan::TearDown();
  }
  int meet_everywhere(Trouble trouble, Error::Kind kind, const std::function<void(Device&)>& after);

  TroubledLoader& loader_ = *lava_troubled_loader();
};

void expect_sentence(const Error& error) {
  EXPECT_FALSE(error.what.empty());
  EXPECT_FALSE(error.cause.empty()) << error.what;
  EXPECT_FALSE(error.remedy.empty()) << error.what;
}

// Meets the trouble at every call in turn, until a run has fewer; after(device) says what must hold once it was told. Counts how often it was.
int VulkanTrouble::meet_everywhere(Trouble trouble, Error::Kind kind, const std::function<void(Device&)>& after) {
  int told = 0;
  for (int64_t call = 0; !HasFatalFailure(); ++call) {
    SCOPED_TRACE(testing::Message() << "call " << call);
    loader_.reset(trouble, call);
    auto device = module().open(0);
    if (device) {
      const auto values = compute(**device);
      if (values) {
        expect_right(values);
      } else {
        EXPECT_EQ(values.error().kind, kind) << loader_.call << ": " << values.error().message();
        expect_sentence(values.error());
        after(**device);
        ++told;
      }
      device->reset();
    } else {
      expect_sentence(device.error());
      ++told;
    }
    EXPECT_EQ(loader_.alive, 0) << loader_.call;
    EXPECT_LT(call, 1000);
    if (!loader_.met || loader_.alive != 0 || call >= 1000) break;
  }
  return told;
}

TEST_F(VulkanTrouble, LossAtEveryCallIsTold) {
  const int told = meet_everywhere(Trouble::lost, Error::Kind::device_lost, [](Device& device) {
    const auto again = compute(device);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, Error::Kind::device_lost);
  });
  EXPECT_GT(told, 5);
}

TEST_F(VulkanTrouble, WantOfMemoryAtEveryCallIsToldAndTheDeviceGoesOn) {
  const int told = meet_everywhere(Trouble::full, Error::Kind::out_of_memory, [](Device& device) { expect_right(compute(device)); });
  EXPECT_GT(told, 25);
}

// A recording that could not be made whole says so at every replay, instead of running in part.
TEST_F(VulkanTrouble, ARecordingThatLacksOpsNeverRuns) {
  device_ = open();
  const auto memory = allocate(512, BufferUse::shared);
  const Tensor x(DType::f32, {64}, memory->data());
  std::fill_n(x.f32(), 64, 1.0f);
  Arena arena;
  lava::Run run{*device_, arena};
  std::unique_ptr<Recording> recording;
  for (int64_t call = 0; !recording; ++call) {
    loader_.reset(Trouble::full, call);
    auto made = device_->record([&] { ops::add(run, x, x, x), ops::softmax(run, x, x); });
    if (loader_.call == "CreateComputePipelines") recording = std::move(made);
    EXPECT_EQ(static_cast<bool>(device_->finish()), !loader_.met);
    ASSERT_LT(call, 100);
  }
  for (int i = 0; i < 2; ++i) {
    recording->replay();
    const auto finished = device_->finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().kind, Error::Kind::out_of_memory);
  }
  EXPECT_EQ(x.f32()[0], 1.0f);
  ops::add(run, x, x, x);
  expect_finished();
  EXPECT_EQ(x.f32()[0], 2.0f);
}

}  // namespace
}  // namespace lava::test
