// As much of the CUDA runtime as our device uses, on the processor's memory.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <cuda_runtime.h>

namespace lava::emulator {

struct Handle {
  std::shared_ptr<std::vector<std::function<void()>>> work;  // of a graph
};

namespace {

struct Runtime {
  int alive = 0, calls_until = -1, graph_nodes = 0;
  cudaError_t error = cudaSuccess, sticky = cudaSuccess;
  bool lost = false;
  std::shared_ptr<std::vector<std::function<void()>>> captured;  // while capturing
};
Runtime runtime;

// What this call returns before it does anything.
cudaError_t call() {
  if (runtime.sticky != cudaSuccess) return runtime.sticky;
  if (runtime.calls_until < 0 || runtime.calls_until-- > 0) return cudaSuccess;
  if (runtime.lost) runtime.sticky = runtime.error;
  return runtime.error;
}

cudaError_t create(Handle** handle) {
  if (const cudaError_t status = call(); status != cudaSuccess) return status;
  *handle = new Handle;
  ++runtime.alive;
  return cudaSuccess;
}
// Giving back works also when the device is lost.
cudaError_t destroy(Handle* handle) {
  delete handle;
  --runtime.alive;
  return cudaSuccess;
}
cudaError_t allocate(void** data, size_t bytes) {
  if (const cudaError_t status = call(); status != cudaSuccess) return status;
  constexpr size_t alignment = 256;
  *data = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  std::memset(*data, 0xff, bytes);  // NaN, for whoever reads before writing
  ++runtime.alive;
  return cudaSuccess;
}
cudaError_t release(void* data) {
  std::free(data);
  --runtime.alive;
  return cudaSuccess;
}

}  // namespace

void fail_at(int count, cudaError_t error, bool lost) { runtime.calls_until = count, runtime.error = error, runtime.lost = lost, runtime.sticky = cudaSuccess; }
int alive() { return runtime.alive; }
int graph_nodes() { return runtime.graph_nodes; }
bool capturing() { return runtime.captured != nullptr; }
void keep(std::function<void()> work) { runtime.captured->push_back(std::move(work)); }

}  // namespace lava::emulator

using namespace lava::emulator;

cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "emulated");
  properties->major = 9, properties->multiProcessorCount = 16, properties->unifiedAddressing = 1, properties->l2CacheSize = 1 << 16;
  properties->sharedMemPerBlockOptin = size_t{99} << 10;  // of the smallest cards that we compile for
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** data, size_t bytes) { return allocate(data, bytes); }
cudaError_t cudaHostAlloc(void** data, size_t bytes, unsigned) { return allocate(data, bytes); }
cudaError_t cudaFree(void* data) { return release(data); }
cudaError_t cudaFreeHost(void* data) { return release(data); }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = size_t{3} << 20, *total = size_t{8} << 20;
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  const cudaError_t status = call();
  if (status == cudaSuccess) std::memcpy(target, source, bytes);
  return status;
}
cudaError_t cudaMemsetAsync(void* target, int value, size_t bytes, cudaStream_t) {
  const cudaError_t status = call();
  if (status == cudaSuccess) std::memset(target, value, bytes);
  return status;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return create(stream); }
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return destroy(stream); }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return call(); }
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  const cudaError_t status = call();
  if (status == cudaSuccess) runtime.captured = std::make_shared<std::vector<std::function<void()>>>();
  return status;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  const auto captured = std::move(runtime.captured);
  runtime.captured = nullptr;
  const cudaError_t status = create(graph);
  if (status == cudaSuccess) (*graph)->work = captured;
  return status;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return create(event); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return destroy(event); }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return call(); }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return call(); }
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  const cudaError_t status = create(executable);
  if (status == cudaSuccess) (*executable)->work = graph->work, runtime.graph_nodes = static_cast<int>(graph->work->size());
  return status;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t) {
  const cudaError_t status = call();
  if (status != cudaSuccess) return status;
  for (const auto& work : *graph->work) work();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return destroy(graph); }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return destroy(graph); }
cudaError_t cudaGetLastError() { return runtime.sticky; }
cudaError_t cudaLaunchStatus() { return call(); }
const char* cudaGetErrorName(cudaError_t error) { return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaErrorLaunchFailure"; }
const char* cudaGetErrorString(cudaError_t error) { return error == cudaErrorMemoryAllocation ? "out of memory" : "unspecified launch failure"; }
