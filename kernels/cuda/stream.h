// Where the CUDA version of an op puts its work: one stream, memory that ops borrow, and the first error.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/step_params.h"

namespace lava::cuda {

class Blas;

// The StepParams of an op as its kernels get them: the values when the op was given, or, in a recording, where the device reads them.
struct Step {
  const StepParams* device = nullptr;
  int32_t past = 0, token = 0;
};

// What a stream works with; the device owns it.
struct StreamResources {
  cudaStream_t handle = nullptr;
  int processors = 1;              // multiprocessors
  std::byte* workspace = nullptr;  // of the op that runs, 256-byte aligned
  size_t workspace_bytes = 0;
  size_t shared_bytes = 0;        // shared memory that a block may ask for
  std::byte* panel = nullptr;     // panel_bytes of plan.h for widened weights; null: none are widened
  StepParams* mirrors = nullptr;  // device memory: copies of the StepParams that recordings name
  Blas* blas = nullptr;           // null: own kernels serve all products
  unsigned* tickets = nullptr;    // device memory, zeros between kernels: by them a group of blocks finds its last one (most_split_blocks(), plan.h)
  int64_t l2_bytes = 0;           // of the cache that all multiprocessors share
  bool starts_early = false;      // launch_early() makes use of it
};

class Stream {
 public:
  static constexpr size_t max_mirrors = 8;

  explicit Stream(const StreamResources& resources) : resources_(resources) {}

  cudaStream_t handle() const { return resources_.handle; }
  int processors() const { return resources_.processors; }
  std::byte* workspace() const { return resources_.workspace; }
  size_t workspace_bytes() const { return resources_.workspace_bytes; }
  size_t shared_bytes() const { return resources_.shared_bytes; }
  std::byte* panel() const { return resources_.panel; }
  Blas* blas() const { return resources_.blas; }
  unsigned* tickets() const { return resources_.tickets; }
  int64_t l2_bytes() const { return resources_.l2_bytes; }
  bool starts_early() const { return resources_.starts_early; }

  // The op whose work follows: an error is told with its name.
  void enter(const char* op) { op_ = op; }
  const char* op() const { return op_; }

  Step step(const StepParams* host);
  // Positions before the op's rows, at most, of a cache of `context` positions: what a grid is sized by.
  int64_t most_past(const StepParams* host, int64_t context) const;

  // In a recording the StepParams of ops are read from mirrors, which each replay fills.
  void begin_recording() { recording_ = true, recorded_.clear(); }
  std::vector<const StepParams*> end_recording() {
    recording_ = false;
    return std::move(recorded_);
  }
  bool recording() const { return recording_; }
  StepParams* mirror(size_t index) const { return resources_.mirrors + index; }

  // Remembers the first error and the op that it came with; nothing is launched after it.
  void check(cudaError_t status) {
    if (status != cudaSuccess && error_ == cudaSuccess) error_ = status, failed_op_ = op_;
  }
  // The same for an error that a library tells by name.
  void fail(const char* name) {
    if (error_ == cudaSuccess) failed_call_ = name;
    check(cudaErrorUnknown);
  }
  bool failed() const { return error_ != cudaSuccess; }
  cudaError_t error() const { return error_; }
  const char* failed_op() const { return failed_op_; }
  const char* failed_call() const { return failed_call_; }  // what the library calls its error; empty: it was none of a library

 private:
  StreamResources resources_;
  bool recording_ = false;
  std::vector<const StepParams*> recorded_;  // by the index of their mirror
  cudaError_t error_ = cudaSuccess;
  const char *op_ = "", *failed_op_ = "", *failed_call_ = "";
};

}  // namespace lava::cuda
