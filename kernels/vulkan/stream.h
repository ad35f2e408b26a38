// The order of work on the queue: commands are collected in batches, submitted when a batch is full or somebody waits.
#pragma once
#include <array>
#include <optional>

#include "kernels/vulkan/hazards.h"
#include "kernels/vulkan/memory.h"

namespace lava::vulkan {

// A stretch of mapped memory that belongs to the current batch: valid until the work collected so far is done.
struct Staged {
  std::byte* data;
  VkBuffer buffer;
  VkDeviceSize offset;
  VkDeviceAddress address;
};

class Stream {
 public:
  static constexpr size_t staging_bytes = size_t{16} << 20;  // per batch: enough for several threads to fill
  static constexpr int batch_ops = 64;                      // recorded before they are submitted unasked

  static Result<std::unique_ptr<Stream>> create(Gpu& gpu);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Of the current batch, with room for so much staging; VK_NULL_HANDLE after a failure.
  VkCommandBuffer commands(size_t staging = 0);
  void op_added();                        // counts towards the batch
  Staged stage(size_t bytes);             // of the room that commands() was asked for
  Hazards& hazards() { return hazards_; }  // of all that was given, batch after batch
  void copy(VkCommandBuffer commands, std::span<const Access> accesses, VkBuffer from, VkBuffer to, const VkBufferCopy& region);
  void submit(VkCommandBuffer recorded);  // what was collected, then a recording, which begins with a barrier
  void flush();
  void drain();           // flushes and waits
  Result<void> finish();  // drains, and says what went wrong since the last time; a lost device stays lost
  void fail_with(Error error);  // the first one is kept; nothing runs until finish() has told it
  bool failed() const { return error_.has_value(); }
  const std::optional<Error>& error() const { return error_; }

 private:
  static constexpr int batch_count = 3;
  struct Batch {
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    std::unique_ptr<Allocation> staging;
    size_t staged = 0;
    int ops = 0;
    bool open = false;
    uint64_t done_at = 0;  // value of the timeline when the device is through
  };

  explicit Stream(Gpu& gpu) : gpu_(gpu) {}
  Result<void> start();
  void wait(uint64_t value);
  void queue(VkCommandBuffer commands);
  void remember(VkResult result, const char* what);

  Gpu& gpu_;
  VkSemaphore timeline_ = VK_NULL_HANDLE;
  uint64_t submitted_ = 0;  // value of the timeline after the last submission that the driver took
  std::array<Batch, batch_count> batches_;
  size_t current_ = 0;
  Hazards hazards_;
  std::optional<Error> error_;
};

// Everything before comes before everything after, on the device: what shaders and copies wrote is seen by shaders and copies.
void full_barrier(const Gpu& gpu, VkCommandBuffer commands);
// What was written is seen by the processor once it has waited.
void host_barrier(const Gpu& gpu, VkCommandBuffer commands);

}  // namespace lava::vulkan
