// Runs CUDA kernels on the processor, one block after another: each thread of a block is a fibre, which yields at barriers and where a warp
// exchanges values. Slow, and strict: a warp that exchanges values while some of its lanes are elsewhere ends the program, and fibres take
// turns in random order, so that a missing barrier shows. It proves index arithmetic, not speed, memory or the real launch.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace lava::emulator {

// early: the kernel may begin before the one before is complete, so each of its threads must wait for that (and asks for no memory afterwards).
void run_grid(const dim3& grid, int threads, size_t shared, bool early, const std::function<void()>& kernel);
void wait_for_previous();
void fetch_ahead(const std::byte* data, int64_t bytes);
std::byte* dynamic_shared();
void wait_block();
void wait_warp();

// Slots that the lanes of a warp read from each other; wait_warp() lies between writing and reading.
constexpr int slot_bytes = 32;
std::byte* own_slot();                 // of this exchange
const std::byte* slot_of(int lane);    // of the exchange that this lane last wrote
int lane();

// Copies to shared memory that a thread does not wait for: some land at once, the others when it waits for their group, the last a real device may take.
void copy_later(void* to, const void* from, size_t bytes);
void close_copies();
void wait_copies(int groups);  // until no more than so many are open

template <class T>
T exchange(const T& value, int from) {
  static_assert(sizeof(T) <= slot_bytes);
  std::memcpy(own_slot(), &value, sizeof(T));
  wait_warp();
  T result;
  std::memcpy(&result, slot_of(from), sizeof(T));
  return result;
}

}  // namespace lava::emulator
