// The few places where kernels leave portable C++: launching, shared memory sized at launch, waiting for the kernel before, tensor cores.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <tuple>

#include "kernels/cuda/stream.h"

namespace lava::cuda {

// A launch on the stream; `early`: it may begin while the kernel before still runs.
template <class... Parameters, class... Values>
void launch_on(Stream& stream, bool early, void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Values&... values) {
  constexpr size_t unasked = size_t{48} << 10;  // more shared memory than this must be asked for
  if (stream.failed() || grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  const auto* function = reinterpret_cast<const void*>(kernel);
  if (shared > unasked) stream.check(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
  std::tuple<Parameters...> copies(values...);
  void* addresses[sizeof...(Parameters)];
  std::apply([&](auto&... copy) {
    size_t i = 0;
    ((addresses[i++] = &copy), ...);
  }, copies);
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t how{};
  how.gridDim = grid, how.blockDim = dim3(static_cast<unsigned>(threads)), how.dynamicSmemBytes = shared, how.stream = stream.handle();
  if (early) how.attrs = &attribute, how.numAttrs = 1;
  stream.check(cudaLaunchKernelExC(&how, function, addresses));
}

// Every kernel is launched here or by launch_early(): in a recording the launch becomes a node of the graph.
template <class... Parameters, class... Values>
void launch(Stream& stream, void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Values&... values) {
  launch_on(stream, false, kernel, grid, threads, shared, values...);
}
// For kernels whose every thread calls wait_for_previous() before it reads or writes what another kernel of the op stream may write or read (programmatic
// dependent launch; step values are written before a recording begins). As each waits for the one before to be complete, and that one for its own, what a kernel finds is what it would find without.
template <class... Parameters, class... Values>
void launch_early(Stream& stream, void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Values&... values) {
  launch_on(stream, stream.starts_early(), kernel, grid, threads, shared, values...);
}

// Until the kernel before is complete and what it wrote is here; at once where the launch was not early, or cards cannot.
__device__ inline void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
// The next kernel may begin as soon as all blocks of this one have come here or ended.
__device__ inline void let_next_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// The block asks for `bytes` from `data` on to be brought into the L2 cache: a hint, which reads nothing.
__device__ inline void fetch_ahead(const std::byte* data, int64_t bytes) {
  constexpr int64_t line = 128;
  for (int64_t at = line * threadIdx.x; at < bytes; at += line * blockDim.x) asm volatile("prefetch.global.L2 [%0];" ::"l"(data + at));
}

// The shared memory that the launch asked for.
__device__ inline float* dynamic_shared() {
  extern __shared__ __align__(16) float lava_dynamic_shared[];
  return lava_dynamic_shared;
}

// c += a b for a warp: a [16, 16] and b [16, 8] of BF16 in the registers of PTX mma.m16n8k16, row by column.
__device__ inline void mma_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The same with F16.
__device__ inline void mma_f16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// 16 bytes from global to shared memory, both aligned, on their way while the thread goes on. close_copies() ends a group of them; after
// wait_copies<n>() all but the last n groups of this thread are there.
__device__ inline void copy_async(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(static_cast<uint32_t>(__cvta_generic_to_shared(to))), "l"(from) : "memory");
}
__device__ inline void close_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int groups>
__device__ inline void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(groups) : "memory");
}

}  // namespace lava::cuda
