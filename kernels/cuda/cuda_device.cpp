#include "kernels/cuda/cuda_device.h"

#include <cstdlib>
#include <mutex>
#include <string_view>

#include "kernels/check.h"
#include "kernels/copy_together.h"
#include "kernels/cuda/blas.h"
#include "kernels/cuda/memory.h"
#include "kernels/cuda/ops_table.h"
#include "kernels/cuda/plan.h"
#include "kernels/cuda/set_step.h"
#include "kernels/cuda/staging_ring.h"

namespace lava::cuda {
namespace {

constexpr size_t workspace_bytes = size_t{24} << 20;  // sums of products that blocks share: 128 KB for each; parts of attention with split keys: under a megabyte in the models we know
constexpr size_t slot_bytes = size_t{16} << 20, slots = 2;  // one is filled by several threads while the other travels

// What must be given back in a certain order, also when opening stops halfway.
struct Handles {
  int ordinal = 0;
  cudaStream_t stream = nullptr;
  cudaEvent_t copied[slots] = {};  // by slot of the staging ring
  std::unique_ptr<Buffer> workspace, mirrors, tickets, staging;
  std::unique_ptr<Blas> blas;     // or null
  std::unique_ptr<Buffer> panel;  // or null

  ~Handles() {
    static_cast<void>(cudaSetDevice(ordinal));
    if (stream) static_cast<void>(cudaStreamSynchronize(stream));
    for (cudaEvent_t event : copied) {
      if (event) static_cast<void>(cudaEventDestroy(event));
    }
    if (stream) static_cast<void>(cudaStreamDestroy(stream));
  }
};

StreamResources resources_of(const Handles& handles, const cudaDeviceProp& properties) {
  constexpr int least_early_major = 9;  // of compute capabilities with programmatic dependent launch
  const char* early = std::getenv("LAVASCOPE_CUDA_EARLY");
  StreamResources r;
  r.handle = handles.stream, r.processors = properties.multiProcessorCount, r.shared_bytes = properties.sharedMemPerBlockOptin;
  r.workspace = handles.workspace->data(), r.workspace_bytes = handles.workspace->size();
  r.mirrors = reinterpret_cast<StepParams*>(handles.mirrors->data());
  r.tickets = reinterpret_cast<unsigned*>(handles.tickets->data());
  r.l2_bytes = properties.l2CacheSize;
  r.starts_early = properties.major >= least_early_major && !(early && std::string_view(early) == "off");
  r.blas = handles.blas.get(), r.panel = handles.panel ? handles.panel->data() : nullptr;
  return r;
}

class CudaDevice : public Device {
 public:
  CudaDevice(DeviceInfo info, std::unique_ptr<Handles> handles, const cudaDeviceProp& properties)
      : info_(std::move(info)), handles_(std::move(handles)), stream_(resources_of(*handles_, properties)) {}

  const DeviceInfo& info() const override { return info_; }
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse use) override {
    const auto lock = enter();
    LAVA_CHECK(!stream_.recording());
    return cuda::allocate(handles_->ordinal, bytes, use);
  }
  void execute(const OpCall& call) override {
    LAVA_CHECK(call.id < OpId::count && call.size <= max_op_args);
    const auto lock = enter();
    if (stream_.failed()) return;
    stream_.enter(op_info(call.id).name);
    ops_table[static_cast<int>(call.id)](call.args, stream_);
  }
  std::unique_ptr<Recording> record(const std::function<void()>& body) override;
  void upload(std::byte* target, std::span<const std::byte> source) override;
  void download(std::span<std::byte> target, const std::byte* source) override;
  void copy(std::byte* target, const std::byte* source, size_t bytes) override;
  Result<void> finish() override;

 private:
  class Graph;
  // The lock is recursive: ops of a recording come while record() holds it.
  std::unique_lock<std::recursive_mutex> enter() {
    std::unique_lock lock(mutex_);
    stream_.check(cudaSetDevice(handles_->ordinal));
    return lock;
  }
  // For work that is no op. False: nothing may follow.
  bool begin(const char* work) {
    LAVA_CHECK(!stream_.recording());
    if (stream_.failed()) return false;
    stream_.enter(work);
    return true;
  }
  void replay(cudaGraphExec_t graph, const std::vector<const StepParams*>& steps);

  DeviceInfo info_;
  std::unique_ptr<Handles> handles_;
  Stream stream_;
  StagingRing ring_{slot_bytes, slots};
  std::recursive_mutex mutex_;
};

class CudaDevice::Graph : public Recording {
 public:
  Graph(CudaDevice& device, cudaGraphExec_t graph, std::vector<const StepParams*> steps) : device_(device), graph_(graph), steps_(std::move(steps)) {}
  ~Graph() override {
    const auto lock = device_.enter();
    if (graph_) static_cast<void>(cudaGraphExecDestroy(graph_));  // waits until it does not run any more
  }
  void replay() override { device_.replay(graph_, steps_); }

 private:
  CudaDevice& device_;
  cudaGraphExec_t graph_;  // null: recording failed, which finish() tells
  std::vector<const StepParams*> steps_;
};

std::unique_ptr<Recording> CudaDevice::record(const std::function<void()>& body) {
  const auto lock = enter();
  LAVA_CHECK(!stream_.recording());  // recordings do not nest
  if (!stream_.failed()) {
    stream_.enter("recording");
    stream_.check(cudaStreamBeginCapture(handles_->stream, cudaStreamCaptureModeThreadLocal));
  }
  const bool capturing = !stream_.failed();
  stream_.begin_recording();
  body();
  std::vector<const StepParams*> steps = stream_.end_recording();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  if (capturing) stream_.check(cudaStreamEndCapture(handles_->stream, &graph));
  if (!stream_.failed()) stream_.check(cudaGraphInstantiate(&executable, graph, 0));
  if (graph) static_cast<void>(cudaGraphDestroy(graph));
  return std::make_unique<Graph>(*this, stream_.failed() ? nullptr : executable, std::move(steps));
}

// The step's values go ahead of the graph in a launch of their own: they are those of now, and kernels read them from device memory
// instead of fetching them from the processor's in every layer.
void CudaDevice::replay(cudaGraphExec_t graph, const std::vector<const StepParams*>& steps) {
  const auto lock = enter();
  if (!graph || !begin("replay")) return;
  for (size_t i = 0; i < steps.size(); ++i) set_step(stream_.mirror(i), *steps[i], stream_);
  if (!stream_.failed()) stream_.check(cudaGraphLaunch(graph, handles_->stream));
}

// Through pinned memory, so that the next piece is copied there while the last one travels.
void CudaDevice::upload(std::byte* target, std::span<const std::byte> source) {
  const auto lock = enter();
  if (!begin("upload")) return;
  while (!source.empty() && !stream_.failed()) {
    const StagingRing::Piece piece = ring_.next(source.size());
    cudaEvent_t copied = handles_->copied[piece.slot];
    if (piece.wait) stream_.check(cudaEventSynchronize(copied));
    if (stream_.failed()) return;
    std::byte* staged = handles_->staging->data() + piece.offset;
    copy_together(staged, source.first(piece.bytes));
    stream_.check(cudaMemcpyAsync(target, staged, piece.bytes, cudaMemcpyDefault, handles_->stream));
    stream_.check(cudaEventRecord(copied, handles_->stream));
    source = source.subspan(piece.bytes), target += piece.bytes;
  }
}

void CudaDevice::download(std::span<std::byte> target, const std::byte* source) {
  const auto lock = enter();
  if (target.empty() || !begin("download")) return;
  stream_.check(cudaMemcpyAsync(target.data(), source, target.size(), cudaMemcpyDefault, handles_->stream));
  stream_.check(cudaStreamSynchronize(handles_->stream));
}

void CudaDevice::copy(std::byte* target, const std::byte* source, size_t bytes) {
  const auto lock = enter();
  if (bytes == 0 || !begin("copy")) return;
  stream_.check(cudaMemcpyAsync(target, source, bytes, cudaMemcpyDefault, handles_->stream));
}

Result<void> CudaDevice::finish() {
  const auto lock = enter();
  LAVA_CHECK(!stream_.recording());
  if (!stream_.failed()) stream_.check(cudaStreamSynchronize(handles_->stream));
  if (!stream_.failed()) return {};
  Error error = error_of(stream_.error(), "The graphics card stopped working", "Restart the program; if it happens again, use the processor");
  if (*stream_.failed_call()) error.cause = stream_.failed_call();
  error.cause += std::string(", found at ") + stream_.failed_op();
  return tl::unexpected<Error>(std::move(error));
}

Result<void> opened(cudaError_t status) {
  if (status == cudaSuccess) return {};
  if (status == cudaErrorMemoryAllocation) return fail(Error::Kind::out_of_memory, "The graphics card has not enough free memory", "it cannot even be opened", "Close other programs that use it");
  return tl::unexpected<Error>(error_of(status, "The graphics card cannot be opened", "Restart the computer, or use the processor"));
}

Result<std::unique_ptr<Handles>> open_handles(int ordinal, int processors) {
  auto handles = std::make_unique<Handles>();
  handles->ordinal = ordinal;
  cudaError_t status = cudaSetDevice(ordinal);
  if (status == cudaSuccess) status = cudaStreamCreateWithFlags(&handles->stream, cudaStreamNonBlocking);
  for (cudaEvent_t& event : handles->copied) {
    if (status == cudaSuccess) status = cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  }
  LAVA_CHECK_OK(opened(status));
  LAVA_TRY(handles->workspace, allocate(ordinal, workspace_bytes, BufferUse::own));
  LAVA_TRY(handles->mirrors, allocate(ordinal, Stream::max_mirrors * sizeof(StepParams), BufferUse::own));
  const auto ticket_bytes = sizeof(unsigned) * static_cast<size_t>(most_split_blocks(processors));
  LAVA_TRY(handles->tickets, allocate(ordinal, ticket_bytes, BufferUse::own));
  LAVA_CHECK_OK(opened(cudaMemsetAsync(handles->tickets->data(), 0, ticket_bytes, handles->stream)));
  LAVA_TRY(handles->staging, allocate(ordinal, slot_bytes * slots, BufferUse::shared));
  LAVA_TRY(handles->blas, Blas::open(ordinal));
  if (!handles->blas) return handles;
  auto panel = allocate(ordinal, panel_bytes, BufferUse::own);
  if (!panel && panel.error().kind != Error::Kind::out_of_memory) return tl::unexpected<Error>(std::move(panel.error()));
  if (panel) handles->panel = std::move(*panel);  // without room for it own kernels serve packed weights
  return handles;
}

}  // namespace

Result<std::unique_ptr<Device>> make_cuda_device(int ordinal) {
  cudaDeviceProp properties{};
  if (const cudaError_t status = cudaGetDeviceProperties(&properties, ordinal); status != cudaSuccess) {
    return tl::unexpected<Error>(error_of(status, "The graphics card does not answer", "Restart the computer, or use the processor"));
  }
  if (properties.major < least_compute_major || !properties.unifiedAddressing) {
    return fail(Error::Kind::unsupported, "This graphics card is too old", std::string(properties.name) + " has compute capability " + std::to_string(properties.major) + "." + std::to_string(properties.minor),
                "A card of compute capability 8.0 or later is needed; use the processor");
  }
  LAVA_TRY(auto handles, open_handles(ordinal, properties.multiProcessorCount));
  DeviceInfo info{properties.name, "cuda", "sm_" + std::to_string(properties.major) + std::to_string(properties.minor), properties.multiProcessorCount};
  info.isa += handles->blas ? ", " + handles->blas->description() : std::string(", own matrix products");
  info.sized_recordings = info.fuses = true;
  return std::make_unique<CudaDevice>(std::move(info), std::move(handles), properties);
}

}  // namespace lava::cuda
