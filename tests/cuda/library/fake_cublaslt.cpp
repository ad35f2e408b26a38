// A library with the names of cuBLASLt that computes on the processor what descriptors say, and answers what the real one would to wrong ones:
// types, shapes, strides, alignments that do not hold, an algorithm of another product, too little workspace.
#include "tests/cuda/library/fake_cublaslt.h"

#include <cstring>

#include "kernels/formats/formats.h"
#include "kernels/half.h"

struct cublasLtContext {};
struct cublasLtMatmulDescOpaque_t {
  cublasOperation_t transposed[2] = {CUBLAS_OP_N, CUBLAS_OP_N};
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const float* bias = nullptr;
};
struct cublasLtMatrixLayoutOpaque_t {
  cudaDataType type;
  int64_t rows, columns, stride;  // columns lie side by side
};
struct cublasLtMatmulPreferenceOpaque_t {
  uint64_t workspace = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};
};

namespace {

FakeCublasLt control;
constexpr size_t wanted_workspace = size_t{4} << 20;

template <class T>
cublasStatus_t create(T** target, T value) {
  *target = new T(value);
  ++control.alive;
  return CUBLAS_STATUS_SUCCESS;
}
template <class T>
cublasStatus_t destroy(T* object) {
  control.alive -= object != nullptr;
  delete object;
  return CUBLAS_STATUS_SUCCESS;
}
template <class T>
cublasStatus_t assign(T& target, const void* value, size_t bytes) {
  if (bytes != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&target, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

struct Operand {
  cublasLtMatrixLayoutOpaque_t layout;
  bool transposed = false;

  int64_t rows() const { return transposed ? layout.columns : layout.rows; }
  int64_t columns() const { return transposed ? layout.rows : layout.columns; }
  float at(const void* data, int64_t row, int64_t column) const {
    const int64_t index = transposed ? column + row * layout.stride : row + column * layout.stride;
    if (layout.type == CUDA_R_32F) return static_cast<const float*>(data)[index];
    const uint16_t bits = static_cast<const uint16_t*>(data)[index];
    return layout.type == CUDA_R_16F ? lava::half_to_float(bits) : lava::bf16_to_float(bits);
  }
};

struct Product {
  Operand a, b, c, d;
  cublasLtEpilogue_t epilogue;
  const float* bias;

  bool fits() const {
    for (const Operand& o : {a, b, c, d})
      if (o.layout.stride < o.layout.rows) return false;
    return a.rows() == d.rows() && b.columns() == d.columns() && a.columns() == b.rows() && c.rows() == d.rows() && c.columns() == d.columns() &&
           c.layout.stride == d.layout.stride;
  }
  bool served() const { return a.layout.type == b.layout.type && a.layout.type != CUDA_R_32F && c.layout.type == CUDA_R_32F && d.layout.type == CUDA_R_32F; }
  void compute(float alpha, const void* x, const void* y, float beta, const void* z, float* out) const {
    for (int64_t j = 0; j < d.columns(); ++j) {
      for (int64_t i = 0; i < d.rows(); ++i) {
        double sum = 0;
        for (int64_t k = 0; k < a.columns(); ++k) sum += static_cast<double>(a.at(x, i, k)) * b.at(y, k, j);
        float value = alpha * static_cast<float>(sum);
        if (beta != 0) value += beta * c.at(z, i, j);
        out[i + j * d.layout.stride] = epilogue == CUBLASLT_EPILOGUE_BIAS ? value + bias[i] : value;
      }
    }
  }
};

Product product_of(cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  return {{*a, desc->transposed[0] == CUBLAS_OP_T}, {*b, desc->transposed[1] == CUBLAS_OP_T}, {*c}, {*d}, desc->epilogue, desc->bias};
}

// An algorithm remembers what it was chosen for.
struct Algorithm {
  int32_t m, n, k;
  uint32_t types;
  uint16_t alignment[4];
  int64_t strides[3];
  uint32_t workspace;

  static Algorithm of(const Product& p) {
    Algorithm chosen;
    std::memset(&chosen, 0, sizeof(chosen));
    chosen.m = static_cast<int32_t>(p.d.rows()), chosen.n = static_cast<int32_t>(p.d.columns()), chosen.k = static_cast<int32_t>(p.a.columns());
    chosen.types = static_cast<uint32_t>(p.a.layout.type + 100 * p.epilogue + 10000 * p.a.transposed + 20000 * p.b.transposed);
    chosen.strides[0] = p.a.layout.stride, chosen.strides[1] = p.b.layout.stride, chosen.strides[2] = p.d.layout.stride;
    return chosen;
  }
};
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

bool aligned(const void* p, uint32_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

}  // namespace

extern "C" {

FakeCublasLt* fake_cublaslt() { return &control; }
size_t cublasLtGetVersion() { return 130205; }
const char* cublasLtGetStatusName(cublasStatus_t status) { return status == CUBLAS_STATUS_EXECUTION_FAILED ? "CUBLAS_STATUS_EXECUTION_FAILED" : "CUBLAS_STATUS_OTHER"; }
cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) { return control.create != CUBLAS_STATUS_SUCCESS ? control.create : create(handle, cublasLtContext{}); }
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return destroy(handle); }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* desc, cublasComputeType_t compute, cudaDataType scale) {
  if (compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  return create(desc, cublasLtMatmulDescOpaque_t{});
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) { return destroy(desc); }
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute, const void* value, size_t bytes) {
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA: return assign(desc->transposed[0], value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB: return assign(desc->transposed[1], value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE: return assign(desc->epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return assign(desc->bias, value, bytes);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows, uint64_t columns, int64_t stride) {
  return create(layout, cublasLtMatrixLayoutOpaque_t{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), stride});
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) { return destroy(layout); }
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) { return create(preference, cublasLtMatmulPreferenceOpaque_t{}); }
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) { return destroy(preference); }
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute, const void* value, size_t bytes) {
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return assign(preference->workspace, value, bytes);
  return assign(preference->alignment[attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value, bytes);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t preference, int wanted, cublasLtMatmulHeuristicResult_t* results, int* found) {
  *found = 0;
  const Product p = product_of(desc, a, b, c, d);
  if (wanted < 1 || !p.fits()) return CUBLAS_STATUS_INVALID_VALUE;
  if (!p.served() || control.no_algorithm) return CUBLAS_STATUS_NOT_SUPPORTED;
  Algorithm chosen = Algorithm::of(p);
  for (int i = 0; i < 4; ++i) chosen.alignment[i] = static_cast<uint16_t>(preference->alignment[i]);
  chosen.workspace = static_cast<uint32_t>(preference->workspace < wanted_workspace ? preference->workspace : wanted_workspace);
  *results = {};
  std::memcpy(&results->algo, &chosen, sizeof(chosen));
  results->workspaceSize = chosen.workspace, results->state = CUBLAS_STATUS_SUCCESS;
  *found = 1, ++control.heuristics;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void* alpha, const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace, size_t workspace_bytes, cudaStream_t) {
  if (control.matmul != CUBLAS_STATUS_SUCCESS) return control.matmul;
  if (control.most_products >= 0 && control.products >= control.most_products) return CUBLAS_STATUS_NOT_SUPPORTED;
  const Product p = product_of(desc, a_layout, b_layout, c_layout, d_layout);
  if (!p.fits()) return CUBLAS_STATUS_INVALID_VALUE;
  if (!p.served()) return CUBLAS_STATUS_NOT_SUPPORTED;
  Algorithm chosen, needed = Algorithm::of(p);
  std::memcpy(&chosen, algorithm, sizeof(chosen));
  std::memcpy(needed.alignment, chosen.alignment, sizeof(needed.alignment)), needed.workspace = chosen.workspace;
  if (std::memcmp(&chosen, &needed, sizeof(chosen)) != 0 || workspace_bytes < chosen.workspace) return CUBLAS_STATUS_INVALID_VALUE;
  if (!aligned(a, chosen.alignment[0]) || !aligned(b, chosen.alignment[1]) || !aligned(c, chosen.alignment[2]) || !aligned(d, chosen.alignment[3])) return CUBLAS_STATUS_INVALID_VALUE;
  const float one = *static_cast<const float*>(alpha), kept = *static_cast<const float*>(beta);
  const size_t used = chosen.workspace;
  const std::function<void()> work = [=] {
    std::memset(workspace, 0xff, used);
    p.compute(one, a, b, kept, c, static_cast<float*>(d));
  };
  lava::emulator::capturing() ? lava::emulator::keep(work) : work();
  ++control.products;
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
