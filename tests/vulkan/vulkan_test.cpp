// The Vulkan module: what a device promises.
#include <cmath>
#include <fstream>
#include <numeric>
#include <set>

#include "kernels/selftest/selftest.h"
#include "tests/vulkan/vulkan_fixture.h"

namespace lava::test {
namespace {

TEST_F(Vulkan, SaysWhatItIs) {
  EXPECT_EQ(module().abi, module_abi);
  EXPECT_STREQ(module().backend, "vulkan");
  EXPECT_EQ(device_->info().backend, "vulkan");
  EXPECT_EQ(device_->info().name, module().list()->front().name);
  EXPECT_GT(module().list()->front().memory, 0u);
}

TEST_F(Vulkan, EveryOpAgreesWithItsReference) {
  std::set<std::string> seen;
  for (const SelftestRow& row : selftest(*device_)) {
    seen.insert(row.op);
    EXPECT_TRUE(row.ok) << row.op << " [" << row.name << "]: nmse " << row.nmse << ", limit " << row.limit;
  }
  for (int i = 0; i < op_count; ++i) EXPECT_TRUE(seen.count(op_info(static_cast<OpId>(i)).name)) << op_info(static_cast<OpId>(i)).name;
  expect_finished();
}

TEST_F(Vulkan, OwnMemoryIsReachedByUploadCopyAndDownload) {
  constexpr size_t count = 3'000'001;  // more than one piece of staging
  std::vector<float> there(count), back(count);
  std::iota(there.begin(), there.end(), 1.0f);
  const auto first = allocate(4 * count, BufferUse::own), second = allocate(4 * count + 8, BufferUse::sparse);
  device_->upload(first->data(), bytes_of(there));
  device_->copy(second->data() + 8, first->data(), 4 * count);
  device_->download(writable_bytes_of(back), second->data() + 8);
  EXPECT_EQ(back, there);
  expect_finished();
}

TEST_F(Vulkan, WorkKeepsItsOrderAmongOpsAndCopies) {
  constexpr int64_t width = 100;
  const auto memory = allocate(8 * width * 4, BufferUse::own);
  std::vector<float> ones(width, 1.0f), result(width);
  const Tensor x(DType::f32, {width}, memory->data()), one(DType::f32, {width}, memory->data() + 1024);
  Arena arena;
  lava::Run run{*device_, arena};
  device_->upload(one.data, bytes_of(ones));
  device_->upload(x.data, bytes_of(ones));
  for (int i = 0; i < 300; ++i) {  // several batches
    ops::add(run, x, x, one);
    if (i == 99) device_->upload(x.data, bytes_of(ones));
  }
  device_->download(writable_bytes_of(result), x.data);
  EXPECT_EQ(result, std::vector<float>(width, 201.0f));
  expect_finished();
}

// An eager op has the position and the ids of the moment that it was given, whatever the processor writes afterwards.
TEST_F(Vulkan, EagerOpsKeepTheStepThatTheyWereGiven) {
  constexpr int64_t d = 8, context = 6;
  const auto shared = allocate(4096, BufferUse::shared);
  Arena arena(shared->data(), shared->size());
  auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
  lava::Run run{*device_, arena, step};
  const Tensor q = arena.f32({1, 1, d}), k = arena.f32({1, 1, d}), v = arena.f32({1, 1, d}), table = arena.f32({context, 2});
  const Tensor k_cache = arena.f32({1, context, d}), v_cache = arena.f32({1, context, d}), words = arena.f32({4, d}), out = arena.f32({2, d});
  const Tensor ids = arena.tensor(DType::i32, {1});
  std::fill_n(v.f32(), d, 5.0f), std::fill_n(v_cache.f32(), context * d, 0.0f);
  for (int64_t i = 0; i < 4 * d; ++i) words.f32()[i] = static_cast<float>(i / d);
  Matrix embedding;
  embedding.out = 4, embedding.in = d, embedding.data = words.data;
  for (const int32_t past : {1, 3}) {
    step->past = step->token = past, *ids.as<int32_t>() = past;
    ops::qkv_rope_store(run, q, k, v, table, RopeStyle::half, k_cache, v_cache);
    ops::embed_rows(run, out.slice(past / 2, 1), embedding, ids);
  }
  step->past = 5, *ids.as<int32_t>() = 0;
  expect_finished();
  for (int64_t p = 0; p < context; ++p) EXPECT_EQ(v_cache.f32()[p * d], p == 1 || p == 3 ? 5.0f : 0.0f) << p;
  EXPECT_EQ(out.f32()[0], 1.0f);
  EXPECT_EQ(out.f32()[d], 3.0f);
}

// Ids in memory of the device's own are those of their place in the order, mapped or not: an upload may still wait when the op is given.
TEST_F(Vulkan, EagerOpsReadUploadedIdsInTheirOrder) {
  constexpr int64_t width = 8, words = 64;
  const auto memory = allocate(1 << 16, BufferUse::own);
  Arena arena(memory->data(), memory->size()), no_arena;
  lava::Run run{*device_, no_arena};
  Matrix table;
  table.out = words, table.in = width, table.data = arena.f32({words, width}).data;
  const Tensor ids = arena.tensor(DType::i32, {words}), first = arena.f32({words, width}), second = arena.f32({words, width});
  std::vector<float> values(words * width), back(words * width);
  for (int64_t i = 0; i < words * width; ++i) values[static_cast<size_t>(i)] = static_cast<float>(i / width);
  std::vector<int32_t> up(words), down(words);
  for (int32_t i = 0; i < words; ++i) up[static_cast<size_t>(i)] = i, down[static_cast<size_t>(i)] = words - 1 - i;
  device_->upload(const_cast<std::byte*>(table.data), bytes_of(values));
  device_->upload(ids.data, std::as_bytes(std::span(down)));
  ops::embed_rows(run, first, table, ids);
  device_->upload(ids.data, std::as_bytes(std::span(up)));
  ops::embed_rows(run, second, table, ids);
  device_->download(writable_bytes_of(back), second.data);
  EXPECT_EQ(back, values);
  device_->download(writable_bytes_of(back), first.data);
  for (int64_t i = 0; i < words * width; ++i) ASSERT_EQ(back[static_cast<size_t>(i)], static_cast<float>(words - 1 - i / width)) << i;
  expect_finished();
}

// One recording with room for the longest past serves every shorter one; it agrees with the CPU at the edges of its keys' tiles.
TEST_F(Vulkan, ARecordedStepReadsItsPositionAtEveryReplay) {
  constexpr int64_t d = 32, heads = 4, kv_heads = 2, context = 400;
  const auto shared = allocate(1 << 20, BufferUse::shared);
  Arena arena(shared->data(), shared->size());
  auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
  lava::Run run{*device_, arena, step};
  const Tensor q = arena.f32({1, heads, d}), out = arena.f32({1, heads, d}), expected = arena.f32({1, heads, d});
  const Tensor k = arena.f32({kv_heads, context, d}), v = arena.f32({kv_heads, context, d});
  for (const Tensor& t : {q, k, v})
    for (int64_t i = 0; i < t.elements(); ++i) t.f32()[i] = std::sin(static_cast<float>(i) * 0.37f + static_cast<float>(t.elements()));
  auto cpu = make_cpu_device();
  ASSERT_TRUE(cpu);
  lava::Run on_cpu{**cpu, arena, step};
  for (const int32_t limit : {0, 400}) {
    step->limit = limit, step->past = 0;
    const auto recording = device_->record([&] { ops::attention(run, out, q, k, v, 0.2f, true); });
    step->limit = 0;
    for (const int32_t past : {0, 1, 31, 32, 33, 63, 64, 127, 200, 399}) {
      step->past = past;
      recording->replay();
      expect_finished();
      ops::attention(on_cpu, expected, q, k, v, 0.2f, true);
      for (int64_t i = 0; i < out.elements(); ++i) ASSERT_NEAR(out.f32()[i], expected.f32()[i], 2e-6f) << "past " << past << ", limit " << limit;
    }
  }
}

TEST_F(Vulkan, RefusesWhatDoesNotFitAndGoesOn) {
  for (const size_t bytes : {size_t{1} << 60, size_t{1} << 40}) {
    for (const BufferUse use : {BufferUse::shared, BufferUse::own}) {
      const auto buffer = device_->allocate(bytes, use);
      ASSERT_FALSE(buffer);
      EXPECT_EQ(buffer.error().kind, Error::Kind::out_of_memory);
      EXPECT_FALSE(buffer.error().remedy.empty());
    }
  }
  EXPECT_EQ(reinterpret_cast<uintptr_t>(allocate(0, BufferUse::shared)->data()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(allocate(1000, BufferUse::own)->data()) % 64, 0u);
  expect_finished();
}

TEST_F(Vulkan, RefusesDevicesThatAreNotThere) {
  for (const int index : {-1, 1000}) {
    const auto device = module().open(index);
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().kind, Error::Kind::not_found);
    EXPECT_FALSE(device.error().remedy.empty());
  }
}

TEST_F(Vulkan, BuffersAndRecordingsMayOutliveTheDevice) {
  auto buffer = allocate(4096, BufferUse::shared);
  const Tensor x(DType::f32, {8}, buffer->data());
  Arena arena;
  lava::Run run{*device_, arena};
  auto recording = device_->record([&] { ops::add(run, x, x, x); });
  recording->replay();
  device_.reset();
  recording.reset();
  buffer.reset();
}

// Pipelines are kept between runs; a damaged file is as good as none.
TEST_F(Vulkan, ThePipelineCacheIsWrittenAndDamageIgnored) {
  const auto add_once = [&] {
    const auto buffer = allocate(4096, BufferUse::shared);
    const Tensor x(DType::f32, {8}, buffer->data());
    std::fill_n(x.f32(), 8, 3.0f);
    Arena arena;
    lava::Run run{*device_, arena};
    ops::add(run, x, x, x);
    expect_finished();
    EXPECT_EQ(x.f32()[7], 6.0f);
  };
  add_once();
  device_.reset();
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_ / "lavascope")) {  // the driver has a cache of its own beside it
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  ASSERT_EQ(files.size(), 1u);
  const auto size = std::filesystem::file_size(files[0]);
  for (const uintmax_t cut : {uintmax_t{0}, uintmax_t{10}, size - 1}) {
    std::filesystem::resize_file(files[0], cut);
    device_ = open();
    ASSERT_TRUE(device_);
    add_once();
    device_.reset();
    EXPECT_GT(std::filesystem::file_size(files[0]), cut);  // written anew
  }
  std::fstream(files[0], std::ios::binary | std::ios::in | std::ios::out).seekp(static_cast<std::streamoff>(size - 1)).put('\x55');
  device_ = open();
  ASSERT_TRUE(device_);
  add_once();
}

}  // namespace
}  // namespace lava::test
