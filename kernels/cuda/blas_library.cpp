#include "kernels/cuda/blas_library.h"

#include <dlfcn.h>

#include <cstdlib>

namespace lava::cuda {
namespace {

// Folder of the shared library (or program) that this code is part of, with a slash; empty if the loader does not tell.
std::string own_folder() {
  Dl_info own{};
  if (!dladdr(reinterpret_cast<void*>(&blas_library_names), &own) || !own.dli_fname) return {};
  const std::string path = own.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

#if LAVA_CUBLASLT
template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

BlasLibrary entries_of(void* library) {
  BlasLibrary l;
  const bool all = find(library, "cublasLtGetVersion", l.get_version) && find(library, "cublasLtGetStatusName", l.status_name) && find(library, "cublasLtCreate", l.create) &&
                   find(library, "cublasLtDestroy", l.destroy) && find(library, "cublasLtMatmulDescCreate", l.desc_create) &&
                   find(library, "cublasLtMatmulDescDestroy", l.desc_destroy) && find(library, "cublasLtMatmulDescSetAttribute", l.desc_set) &&
                   find(library, "cublasLtMatrixLayoutCreate", l.layout_create) && find(library, "cublasLtMatrixLayoutDestroy", l.layout_destroy) &&
                   find(library, "cublasLtMatmulPreferenceCreate", l.preference_create) && find(library, "cublasLtMatmulPreferenceDestroy", l.preference_destroy) &&
                   find(library, "cublasLtMatmulPreferenceSetAttribute", l.preference_set) && find(library, "cublasLtMatmulAlgoGetHeuristic", l.heuristic) &&
                   find(library, "cublasLtMatmul", l.matmul);
  if (all) l.version = l.get_version();
  return l;
}
#endif

}  // namespace

std::vector<std::string> blas_library_names() {
  const char* wanted = std::getenv("LAVASCOPE_CUBLASLT");
  if (wanted && std::string(wanted) == "off") return {};
  if (wanted && *wanted) return {wanted};
  std::vector<std::string> names;
  const std::string folder = own_folder();
  for (const std::string& place : {folder, std::string()}) {
    for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12"}) names.push_back(place + name);
  }
  return names;
}

#if LAVA_CUBLASLT
BlasLibrary load_blas_library(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) continue;
    if (const BlasLibrary found = entries_of(library); found.version > 0) return found;
    dlclose(library);
  }
  return {};
}
#endif

}  // namespace lava::cuda
