// What tests tell the library that stands for cuBLASLt, and ask it.
#pragma once
#include <cublasLt.h>

struct FakeCublasLt {
  cublasStatus_t create = CUBLAS_STATUS_SUCCESS;  // what cublasLtCreate answers
  bool no_algorithm = false;                      // the heuristic finds none
  cublasStatus_t matmul = CUBLAS_STATUS_SUCCESS;  // what products answer, without being computed when it is an error
  int most_products = -1;                         // after so many the others are refused; -1: none are
  int products = 0, heuristics = 0, alive = 0;    // calls that succeeded; objects not yet destroyed
};

extern "C" [[gnu::visibility("default")]] FakeCublasLt* fake_cublaslt();
