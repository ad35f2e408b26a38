#include "kernels/vulkan/stream.h"

#include <algorithm>

namespace lava::vulkan {

void full_barrier(const Gpu& gpu, VkCommandBuffer commands) {
  constexpr VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
  const VkMemoryBarrier barrier{VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                                VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT};
  gpu.CmdPipelineBarrier(commands, stages, stages, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

void host_barrier(const Gpu& gpu, VkCommandBuffer commands) {
  const VkMemoryBarrier barrier{VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, VK_ACCESS_HOST_READ_BIT};
  gpu.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, nullptr,
                         0, nullptr);
}

Result<std::unique_ptr<Stream>> Stream::create(Gpu& gpu) {
  std::unique_ptr<Stream> stream(new Stream(gpu));
  LAVA_CHECK_OK(stream->start());
  return stream;
}

Result<void> Stream::start() {
  VkSemaphoreTypeCreateInfo type{VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO};
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo semaphore{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
  semaphore.pNext = &type;
  VkResult result = gpu_.CreateSemaphore(gpu_.device(), &semaphore, nullptr, &timeline_);
  for (Batch& batch : batches_) {
    VkCommandPoolCreateInfo pool{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    pool.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT, pool.queueFamilyIndex = gpu_.abilities().queue_family;
    if (result == VK_SUCCESS) result = gpu_.CreateCommandPool(gpu_.device(), &pool, nullptr, &batch.pool);
    VkCommandBufferAllocateInfo buffer{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    buffer.commandPool = batch.pool, buffer.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, buffer.commandBufferCount = 1;
    if (result == VK_SUCCESS) result = gpu_.AllocateCommandBuffers(gpu_.device(), &buffer, &batch.commands);
    LAVA_TRY(batch.staging, Allocation::create(gpu_, staging_bytes, Allocation::Kind::host));
  }
  if (result != VK_SUCCESS) return fail(Error::Kind::out_of_memory, "The graphics device does not open", result_name(result), "Close other programs that use it");
  return {};
}

Stream::~Stream() {
  gpu_.DeviceWaitIdle(gpu_.device());
  for (Batch& batch : batches_) {
    if (batch.pool) gpu_.DestroyCommandPool(gpu_.device(), batch.pool, nullptr);
  }
  if (timeline_) gpu_.DestroySemaphore(gpu_.device(), timeline_, nullptr);
}

void Stream::fail_with(Error error) {
  if (!error_) error_ = std::move(error);
}

void Stream::remember(VkResult result, const char* what) {
  if (result == VK_SUCCESS) return;
  if (result == VK_ERROR_DEVICE_LOST) {
    fail_with({Error::Kind::device_lost, "The graphics device stopped answering", what, "The work has to be repeated; update the driver if this happens again"});
  } else {
    fail_with({Error::Kind::out_of_memory, "The graphics device could not take more work", std::string(what) + ": " + result_name(result), "Close other programs that use it"});
  }
}

void Stream::wait(uint64_t value) {
  if (error_ && error_->kind == Error::Kind::device_lost) return;
  VkSemaphoreWaitInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO};
  info.semaphoreCount = 1, info.pSemaphores = &timeline_, info.pValues = &value;
  VkResult result = gpu_.WaitSemaphores(gpu_.device(), &info, UINT64_MAX);
  if (result != VK_SUCCESS && result != VK_ERROR_DEVICE_LOST) result = gpu_.DeviceWaitIdle(gpu_.device());
  if (result == VK_SUCCESS) return;
  error_.reset();  // who cannot wait cannot know when memory is free again: whatever went wrong before, the device is as good as lost
  remember(VK_ERROR_DEVICE_LOST, "while waiting for results");
}

VkCommandBuffer Stream::commands(size_t staging) {
  LAVA_CHECK(staging <= staging_bytes);
  if (batches_[current_].open && batches_[current_].staged + staging > staging_bytes) flush();
  if (failed()) return VK_NULL_HANDLE;
  Batch& batch = batches_[current_];
  if (batch.open) return batch.commands;
  wait(batch.done_at);
  batch.staged = 0, batch.ops = 0;
  VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  if (!failed()) remember(gpu_.ResetCommandPool(gpu_.device(), batch.pool, 0), "while recording");
  if (!failed()) remember(gpu_.BeginCommandBuffer(batch.commands, &begin), "while recording");
  batch.open = !failed();
  return batch.open ? batch.commands : VK_NULL_HANDLE;
}

void Stream::op_added() {
  if (++batches_[current_].ops >= batch_ops) flush();
}

Staged Stream::stage(size_t bytes) {
  constexpr size_t alignment = 64;
  Batch& batch = batches_[current_];
  LAVA_CHECK(batch.open && bytes <= staging_bytes - batch.staged);
  const size_t at = batch.staged;
  batch.staged = std::min(staging_bytes, at + (bytes + alignment - 1) / alignment * alignment);
  return {batch.staging->mapped() + at, batch.staging->buffer(), at, batch.staging->address() + at};
}

void Stream::queue(VkCommandBuffer commands) {
  if (failed()) return;
  const uint64_t value = submitted_ + 1;
  VkTimelineSemaphoreSubmitInfo timeline{VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
  timeline.signalSemaphoreValueCount = 1, timeline.pSignalSemaphoreValues = &value;
  VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  info.pNext = &timeline, info.commandBufferCount = 1, info.pCommandBuffers = &commands;
  info.signalSemaphoreCount = 1, info.pSignalSemaphores = &timeline_;
  const VkResult result = gpu_.QueueSubmit(gpu_.queue(), 1, &info, VK_NULL_HANDLE);
  remember(result, "while work was handed to it");
  if (result == VK_SUCCESS) submitted_ = value;  // nobody waits for what was refused
}

void Stream::flush() {
  Batch& batch = batches_[current_];
  if (!batch.open) return;
  host_barrier(gpu_, batch.commands);
  remember(gpu_.EndCommandBuffer(batch.commands), "while recording");
  queue(batch.commands);
  batch.open = false, batch.done_at = submitted_;
  current_ = (current_ + 1) % batches_.size();
}

void Stream::submit(VkCommandBuffer recorded) {
  flush();
  queue(recorded);
  hazards_.unknown();
}

void Stream::copy(VkCommandBuffer commands, std::span<const Access> accesses, VkBuffer from, VkBuffer to, const VkBufferCopy& region) {
  if (hazards_.add(accesses)) full_barrier(gpu_, commands);
  gpu_.CmdCopyBuffer(commands, from, to, 1, &region);
}

void Stream::drain() {
  flush();
  wait(submitted_);
}

Result<void> Stream::finish() {
  drain();
  if (!error_) return {};
  const Error error = *error_;
  if (error.kind != Error::Kind::device_lost) error_.reset();
  hazards_.unknown();  // barriers may have been among what was dropped
  return tl::unexpected<Error>(error);
}

}  // namespace lava::vulkan
