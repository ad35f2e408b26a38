// The few places where kernels leave portable C++: launching, shared memory sized at launch, tensor cores.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <tuple>

#include "kernels/cuda/stream.h"

namespace lava::cuda {

// Every kernel is launched here: in a recording the launch becomes a node of the graph.
template <class... Parameters, class... Values>
void launch(Stream& stream, void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Values&... values) {
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
  stream.check(cudaLaunchKernel(function, grid, dim3(static_cast<unsigned>(threads)), addresses, shared, stream.handle()));
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
