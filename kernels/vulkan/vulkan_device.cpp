// The Vulkan device. Eager ops are collected and submitted in batches, with barriers where they need each other; a recording is a command
// buffer of its own, submitted again at each replay.
#include "kernels/vulkan/vulkan_device.h"

#include <cstring>

#include "kernels/copy_together.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/settings.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {
namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

class VulkanBuffer : public Buffer {
 public:
  VulkanBuffer(std::shared_ptr<Context> context, std::unique_ptr<Allocation> allocation, std::unique_ptr<Reserved> reserved, size_t size)
      : context_(std::move(context)), allocation_(std::move(allocation)), reserved_(std::move(reserved)), size_(size) {
    context_->addresses.add(data(), *allocation_);
  }
  ~VulkanBuffer() override {
    Lock lock(context_->mutex);
    context_->stream->drain();  // ops that name it may still wait
    context_->addresses.remove(data());
    allocation_.reset();
  }
  std::byte* data() const override { return reserved_ ? reserved_->data() : allocation_->mapped(); }
  size_t size() const override { return size_; }

 private:
  std::shared_ptr<Context> context_;
  std::unique_ptr<Allocation> allocation_;
  std::unique_ptr<Reserved> reserved_;
  size_t size_;
};

class VulkanRecording : public Recording {
 public:
  explicit VulkanRecording(std::shared_ptr<Context> context) : context_(std::move(context)) {
    const Gpu& gpu = *context_->gpu;
    VkCommandPoolCreateInfo pool{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    pool.queueFamilyIndex = gpu.abilities().queue_family;
    VkResult result = gpu.CreateCommandPool(gpu.device(), &pool, nullptr, &pool_);
    VkCommandBufferAllocateInfo buffer{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    buffer.commandPool = pool_, buffer.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, buffer.commandBufferCount = 1;
    if (result == VK_SUCCESS) result = gpu.AllocateCommandBuffers(gpu.device(), &buffer, &commands_);
    VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    if (result == VK_SUCCESS) result = gpu.BeginCommandBuffer(commands_, &begin);
    if (result != VK_SUCCESS) fail_with(result);
    hazards_.unknown();  // whatever runs before a replay
  }
  ~VulkanRecording() override {
    Lock lock(context_->mutex);
    context_->stream->drain();
    if (pool_) context_->gpu->DestroyCommandPool(context_->gpu->device(), pool_, nullptr);
  }
  void close() {
    Stream& stream = *context_->stream;
    if (!stream.failed()) {
      host_barrier(*context_->gpu, commands_);
      if (const VkResult result = context_->gpu->EndCommandBuffer(commands_); result != VK_SUCCESS) fail_with(result);
    }
    broken_ = stream.error();
  }
  void replay() override {
    Lock lock(context_->mutex);
    if (broken_) context_->stream->fail_with(*broken_);
    if (!context_->stream->failed()) context_->stream->submit(commands_);
  }
  VkCommandBuffer commands() const { return commands_; }
  Hazards& hazards() { return hazards_; }

 private:
  void fail_with(VkResult result) {
    context_->stream->fail_with({Error::Kind::out_of_memory, "The graphics device could not record the work", result_name(result), "Close other programs that use it"});
  }
  std::shared_ptr<Context> context_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkCommandBuffer commands_ = VK_NULL_HANDLE;
  Hazards hazards_;
  std::optional<Error> broken_;  // why it has no end or lacks ops: it never runs
};

class VulkanDevice : public Device {
 public:
  explicit VulkanDevice(std::shared_ptr<Context> context) : context_(std::move(context)), info_{context_->gpu->abilities().name, "vulkan", "spirv", 1} {
    if (context_->gpu->abilities().subgroups) info_.isa += ", subgroups";
    if (const MatrixTile& tile = context_->tiles.matrix; tile.threads > 0) {
      info_.isa += ", " + std::to_string(tile.shape.m) + "x" + std::to_string(tile.shape.n) + "x" + std::to_string(tile.shape.k) + " matrices";
    }
    info_.sized_recordings = info_.fuses = true;
  }
  ~VulkanDevice() override {
    Lock lock(context_->mutex);
    context_->stream->drain();
    context_->pipelines->save();
  }

  const DeviceInfo& info() const override { return info_; }
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse use) override;
  void execute(const OpCall& call) override;
  std::unique_ptr<Recording> record(const std::function<void()>& body) override;
  void upload(std::byte* target, std::span<const std::byte> source) override;
  void download(std::span<std::byte> target, const std::byte* source) override;
  void copy(std::byte* target, const std::byte* source, size_t bytes) override;
  Result<void> finish() override;

 private:
  std::shared_ptr<Context> context_;
  DeviceInfo info_;
  VulkanRecording* recording_ = nullptr;
  int64_t messages_ = 0;  // of the validation layers that finish() has reported
};

// Memory that fills bit by bit is whole from the start here: cards without sparse binding are the rule in compute queues.
Result<std::unique_ptr<Buffer>> VulkanDevice::allocate(size_t bytes, BufferUse use) {
  Lock lock(context_->mutex);
  const bool own = use != BufferUse::shared;
  const auto kind = !own ? Allocation::Kind::host : settings().map_own ? Allocation::Kind::device : Allocation::Kind::unmapped;
  LAVA_TRY(auto allocation, Allocation::create(*context_->gpu, bytes, kind));
  std::unique_ptr<Reserved> reserved;
  if (!allocation->mapped()) {
    reserved = std::make_unique<Reserved>(allocation->bytes());
    if (!reserved->data()) {
      return fail(Error::Kind::out_of_memory, "There is not enough memory", "the process has no addresses left for " + std::to_string(bytes >> 20) + " MiB",
                  "Choose a smaller model or context");
    }
  }
  return std::make_unique<VulkanBuffer>(context_, std::move(allocation), std::move(reserved), bytes);
}

void VulkanDevice::execute(const OpCall& call) {
  Lock lock(context_->mutex);
  LAVA_CHECK(call.id < OpId::count && call.size <= max_op_args);
  const Encode encode = encoders[static_cast<int>(call.id)];
  LAVA_CHECK(encode != nullptr);
  const VkCommandBuffer commands = recording_ ? recording_->commands() : context_->stream->commands(Encoder::current_bytes);
  if (context_->stream->failed()) return;
  Encoder encoder(*context_, commands, recording_ != nullptr, recording_ ? recording_->hazards() : context_->stream->hazards(), call);
  encode(call.args, encoder);
  if (!recording_) context_->stream->op_added();
}

std::unique_ptr<Recording> VulkanDevice::record(const std::function<void()>& body) {
  Lock lock(context_->mutex);
  LAVA_CHECK(recording_ == nullptr);  // recordings do not nest
  auto recording = std::make_unique<VulkanRecording>(context_);
  recording_ = recording.get();
  body();
  recording_ = nullptr;
  recording->close();
  context_->pipelines->save();
  return recording;
}

void VulkanDevice::upload(std::byte* target, std::span<const std::byte> source) {
  Lock lock(context_->mutex);
  LAVA_CHECK(recording_ == nullptr);
  for (size_t at = 0; at < source.size();) {
    const size_t count = std::min(source.size() - at, Stream::staging_bytes);
    const VkCommandBuffer commands = context_->stream->commands(count);
    if (context_->stream->failed()) return;
    const Staged staged = context_->stream->stage(count);
    copy_together(staged.data, source.subspan(at, count));
    const Place place = context_->addresses.find(target + at, count);
    const Access access{target + at, target + at + count, true};
    context_->stream->copy(commands, {&access, 1}, staged.buffer, place.allocation->buffer(), {staged.offset, place.offset, count});
    at += count;
  }
}

void VulkanDevice::download(std::span<std::byte> target, const std::byte* source) {
  Lock lock(context_->mutex);
  LAVA_CHECK(recording_ == nullptr);
  if (target.empty()) return;
  const Place place = context_->addresses.find(source, target.size());
  if (place.allocation->mapped()) {
    context_->stream->drain();
    std::memcpy(target.data(), place.allocation->mapped() + place.offset, target.size());
    return;
  }
  for (size_t at = 0; at < target.size();) {
    const size_t count = std::min(target.size() - at, Stream::staging_bytes);
    const VkCommandBuffer commands = context_->stream->commands(count);
    if (context_->stream->failed()) return;
    const Staged staged = context_->stream->stage(count);
    const Access access{source + at, source + at + count, false};
    context_->stream->copy(commands, {&access, 1}, place.allocation->buffer(), staged.buffer, {place.offset + at, staged.offset, count});
    context_->stream->drain();
    if (context_->stream->failed()) return;
    std::memcpy(target.data() + at, staged.data, count);
    at += count;
  }
}

void VulkanDevice::copy(std::byte* target, const std::byte* source, size_t bytes) {
  Lock lock(context_->mutex);
  LAVA_CHECK(recording_ == nullptr);
  if (bytes == 0) return;
  const Place from = context_->addresses.find(source, bytes), to = context_->addresses.find(target, bytes);
  const VkCommandBuffer commands = context_->stream->commands();
  if (context_->stream->failed()) return;
  const Access accesses[] = {{source, source + bytes, false}, {target, target + bytes, true}};
  context_->stream->copy(commands, accesses, from.allocation->buffer(), to.allocation->buffer(), {from.offset, to.offset, bytes});
  context_->stream->op_added();
}

Result<void> VulkanDevice::finish() {
  Lock lock(context_->mutex);
  LAVA_CHECK_OK(context_->stream->finish());
  const int64_t messages = context_->gpu->instance().messages();
  if (messages == messages_) return {};
  const int64_t fresh = messages - std::exchange(messages_, messages);
  return fail(Error::Kind::internal, "The Vulkan validation layers found mistakes", std::to_string(fresh) + " messages", "They stand in the error output");
}

// One of the pipelines that linear makes of the tile.
bool translates(Pipelines& pipelines, const MatrixTile& tile) {
  constexpr auto format = static_cast<uint32_t>(DType::q4_0);
  constexpr uint32_t interleaved = 1, aligned = 1, activation = 0, normed = 1;
  return pipelines.get(shaders::gemm_matrix, {tile.threads, format, interleaved, aligned, tile.rows, tile.outputs, activation, normed, tile.shape.m, tile.shape.n, tile.shape.k,
                                              tile.subgroup, tile.across}).has_value();
}

}  // namespace

Result<std::unique_ptr<Device>> open_device(int index) {
  auto context = std::make_shared<Context>();
  LAVA_TRY(context->gpu, Gpu::open(index));
  const Abilities& abilities = context->gpu->abilities();
  LAVA_TRY(Limits limits, played_limits(abilities.limits, settings().limits));
  context->tiles = choose_tiles(limits);
  LAVA_TRY(const std::vector<MatrixShape> shapes, played_shapes(abilities.matrices, settings().matrix));
  limits.subgroup = abilities.limits.subgroup;  // of which matrices are made, not of a played one
  LAVA_TRY(context->pipelines, Pipelines::create(*context->gpu));
  context->tiles.matrix = choose_matrix_tile(limits, shapes, [&](const MatrixTile& tile) { return translates(*context->pipelines, tile); });
  LAVA_TRY(context->stream, Stream::create(*context->gpu));
  return std::make_unique<VulkanDevice>(std::move(context));
}

}  // namespace lava::vulkan
