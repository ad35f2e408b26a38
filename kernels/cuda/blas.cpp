#include "kernels/cuda/blas.h"

#include <compare>
#include <map>

#include "kernels/cuda/blas_library.h"

namespace lava::cuda {
#if LAVA_CUBLASLT
namespace {

constexpr size_t blas_workspace_bytes = size_t{32} << 20;  // what NVIDIA advises for Hopper; earlier cards need less
constexpr size_t most_plans = 1024;                        // a prompt of a new length brings a few

// Bytes that an address is a multiple of, as far as kernels care.
uint32_t alignment_of(const void* p) {
  const auto address = reinterpret_cast<uintptr_t>(p) | 256u;
  return static_cast<uint32_t>(address & (~address + 1));
}

// What an algorithm is chosen by.
struct Key {
  bool half, accumulate, bias;
  int64_t rows, outputs, in, x_stride, out_stride;
  uint32_t weight_alignment, x_alignment, out_alignment;
  auto operator<=>(const Key&) const = default;
};

Key key_of(const BlasProduct& p) {
  return {p.half, p.accumulate, p.bias != nullptr, p.rows, p.outputs, p.in, p.x_stride, p.out_stride, alignment_of(p.weight), alignment_of(p.x), alignment_of(p.out)};
}

// A row of ours is a column of the library's: it computes out^T [outputs, rows] = (weight^T)^T x^T.
class Plan {
 public:
  Plan(const BlasLibrary& library, cublasLtHandle_t handle, const BlasProduct& p) : library_(library) { served_ = describe(p) && choose(handle, key_of(p)); }
  ~Plan() {
    if (desc_) library_.desc_destroy(desc_);
    for (cublasLtMatrixLayout_t layout : {weight_, x_, out_}) {
      if (layout) library_.layout_destroy(layout);
    }
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  bool served() const { return served_; }
  void refuse() { served_ = false; }
  cublasStatus_t run(cublasLtHandle_t handle, const BlasProduct& p, std::byte* workspace, cudaStream_t stream) {
    if (p.bias && !set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias)) return CUBLAS_STATUS_INVALID_VALUE;
    const float one = 1, kept = p.accumulate ? 1.0f : 0.0f;
    return library_.matmul(handle, desc_, &one, p.weight, weight_, p.x, x_, &kept, p.out, out_, p.out, out_, &algorithm_, workspace, blas_workspace_bytes, stream);
  }

 private:
  template <class T>
  bool set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    return library_.desc_set(desc_, attribute, &value, sizeof(value)) == CUBLAS_STATUS_SUCCESS;
  }
  bool layout(cublasLtMatrixLayout_t& target, cudaDataType type, int64_t rows, int64_t columns, int64_t stride) {
    return library_.layout_create(&target, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), stride) == CUBLAS_STATUS_SUCCESS;
  }
  bool describe(const BlasProduct& p) {
    const cudaDataType type = p.half ? CUDA_R_16F : CUDA_R_16BF;
    if (library_.desc_create(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F) != CUBLAS_STATUS_SUCCESS) return false;
    if (!set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T) || !set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N)) return false;
    if (p.bias && (!set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS) || !set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias))) return false;
    return layout(weight_, type, p.in, p.outputs, p.in) && layout(x_, type, p.in, p.rows, p.x_stride) && layout(out_, CUDA_R_32F, p.outputs, p.rows, p.out_stride);
  }
  bool choose(cublasLtHandle_t handle, const Key& key) {
    cublasLtMatmulPreference_t preference = nullptr;
    if (library_.preference_create(&preference) != CUBLAS_STATUS_SUCCESS) return false;
    bool right = true;
    const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
      right = right && library_.preference_set(preference, attribute, &value, sizeof(value)) == CUBLAS_STATUS_SUCCESS;
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t{blas_workspace_bytes});
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.weight_alignment);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.x_alignment);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.out_alignment);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.out_alignment);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    right = right && library_.heuristic(handle, desc_, weight_, x_, out_, out_, preference, 1, &found, &count) == CUBLAS_STATUS_SUCCESS;
    library_.preference_destroy(preference);
    algorithm_ = found.algo;
    return right && count > 0 && found.state == CUBLAS_STATUS_SUCCESS && found.workspaceSize <= blas_workspace_bytes;
  }

  const BlasLibrary& library_;
  cublasLtMatmulDesc_t desc_ = nullptr;
  cublasLtMatrixLayout_t weight_ = nullptr, x_ = nullptr, out_ = nullptr;
  cublasLtMatmulAlgo_t algorithm_{};
  bool served_ = false;
};

// Whether the library may have begun to work before it failed: what the device holds is then unknown.
bool broke(cublasStatus_t status) { return status == CUBLAS_STATUS_EXECUTION_FAILED || status == CUBLAS_STATUS_INTERNAL_ERROR || status == CUBLAS_STATUS_MAPPING_ERROR; }

class CublasLt : public Blas {
 public:
  CublasLt(const BlasLibrary& library, cublasLtHandle_t handle, std::unique_ptr<Buffer> workspace) : library_(library), handle_(handle), workspace_(std::move(workspace)) {}
  ~CublasLt() override {
    plans_.clear();
    library_.destroy(handle_);
  }

  bool multiply(const BlasProduct& p, Stream& stream) override {
    if (stream.failed()) return true;
    if (plans_.size() >= most_plans) plans_.clear();
    Plan& plan = plans_.try_emplace(key_of(p), library_, handle_, p).first->second;
    if (!plan.served()) return false;
    const cublasStatus_t status = plan.run(handle_, p, workspace_->data(), stream.handle());
    if (status == CUBLAS_STATUS_SUCCESS) return true;
    if (broke(status)) {
      stream.fail(library_.status_name(status));
      return true;
    }
    plan.refuse();
    return false;
  }

  std::string description() const override {
    const size_t v = library_.version;
    return "cuBLASLt " + std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
  }

 private:
  BlasLibrary library_;
  cublasLtHandle_t handle_;
  std::unique_ptr<Buffer> workspace_;
  std::map<Key, Plan> plans_;
};

}  // namespace

Result<std::unique_ptr<Blas>> Blas::open(int ordinal) {
  const BlasLibrary library = load_blas_library(blas_library_names());
  if (library.version == 0) return nullptr;
  auto workspace = allocate(ordinal, blas_workspace_bytes, BufferUse::own);
  if (!workspace && workspace.error().kind == Error::Kind::out_of_memory) return nullptr;
  if (!workspace) return tl::unexpected<Error>(std::move(workspace.error()));
  cublasLtHandle_t handle = nullptr;
  if (library.create(&handle) != CUBLAS_STATUS_SUCCESS) return nullptr;
  return std::make_unique<CublasLt>(library, handle, std::move(*workspace));
}
#else
Result<std::unique_ptr<Blas>> Blas::open(int) { return nullptr; }
#endif

}  // namespace lava::cuda
