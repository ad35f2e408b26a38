// One of the threads that run an op together. All lanes call the kernel; each takes its share; sync() is a barrier among them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lava {

struct Span {
  int64_t begin, end;
};

class Barrier;  // kernels/cpu/pool.h
void barrier_wait(Barrier&, int lane);

struct Lane {
  int index = 0, count = 1;
  Barrier* barrier = nullptr;    // nullptr when count is 1
  std::byte* scratch = nullptr;  // this lane's own, 64-byte aligned, scratch_bytes long
  static constexpr size_t scratch_bytes = size_t{1} << 20;

  // Scratch of another lane of the same region; the lanes' scratch lies side by side.
  [[gnu::always_inline]] std::byte* scratch_of(int lane) const { return scratch + (lane - index) * static_cast<int64_t>(scratch_bytes); }

  [[gnu::always_inline]] void sync() const {
    if (count > 1) barrier_wait(*barrier, index);
  }
  // (Kernels of one instruction set may hold no shared inline function that is compiled out of line: always inline.)
  // This lane's contiguous share of `total` items in multiples of `grain`.
  [[gnu::always_inline]] Span share(int64_t total, int64_t grain = 1) const {
    const int64_t units = (total + grain - 1) / grain;
    const int64_t begin = units * index / count * grain, end = units * (index + 1) / count * grain;
    return {begin < total ? begin : total, end < total ? end : total};
  }
};

// A CPU kernel of one op; `args` points at the op's argument struct.
using Kernel = void (*)(const void* args, const Lane& lane);

}  // namespace lava
