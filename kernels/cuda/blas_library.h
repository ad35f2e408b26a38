// cuBLASLt as found at run time: the module does not link it, and works without it.
#pragma once
#include <string>
#include <vector>

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>
#define LAVA_CUBLASLT 1
#else
#define LAVA_CUBLASLT 0  // the toolkit was installed without it: own kernels serve all products
#endif

namespace lava::cuda {

#if LAVA_CUBLASLT
// Entry points that we use; all there, or `version` is 0.
struct BlasLibrary {
  size_t version = 0;  // 10000 major + 100 minor + patch
  decltype(&cublasLtGetVersion) get_version = nullptr;
  decltype(&cublasLtGetStatusName) status_name = nullptr;
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtMatmulDescCreate) desc_create = nullptr;
  decltype(&cublasLtMatmulDescDestroy) desc_destroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) desc_set = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
};

// Opens the first library that works. It stays open until the process ends.
BlasLibrary load_blas_library(const std::vector<std::string>& names);
#endif

// Where the library is looked for, in order: what $LAVASCOPE_CUBLASLT names ("off": nowhere), else beside the module, else where the system looks.
std::vector<std::string> blas_library_names();

}  // namespace lava::cuda
