// The table of cases. A case fills memory with random inputs and calls an op; the runner decides which device executes it.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernels/ops.h"

namespace lava::selftest_detail {

// Random tensors in the arena of a run; the same seed gives the same bytes.
class Builder {
 public:
  Builder(Run& run, uint64_t seed) : run(run), state_(seed) {}
  Run& run;

  float uniform(float low, float high);
  Tensor random(std::initializer_list<int64_t> shape, float scale = 1);               // values in -scale .. scale
  Tensor random_between(std::initializer_list<int64_t> shape, float low, float high);
  // Rows as the layers of a language model see them: 7 channels of a thousand are 20 to 60 times as large as the rest.
  Tensor random_with_outliers(std::initializer_list<int64_t> shape);
  CacheTensors cache(DType type, int64_t kv_heads, int64_t context, int64_t d);             // as the device has it; values in -1 .. 1
  Tensor bytes(std::initializer_list<int64_t> shape);                                  // u8
  Tensor ids(int64_t count, int32_t limit);
  Matrix matrix(DType format, MatrixLayout layout, Precision precision, int64_t out, int64_t in, float low = -1);  // values in low .. 1

 private:
  uint64_t next();
  uint64_t state_;
};

struct Case {
  OpId op;
  std::string name;
  double limit;  // NMSE
  std::function<void(Builder&)> body;
  std::string group = {};  // cases of an op whose errors belong together
};

void add_norm_cases(std::vector<Case>&);
void add_elementwise_cases(std::vector<Case>&);
void add_attention_cases(std::vector<Case>&);  // and rope
void add_image_cases(std::vector<Case>&);      // and convolution
void add_matrix_cases(std::vector<Case>&);     // linear and embed_rows

inline std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_norm_cases(cases), add_elementwise_cases(cases), add_attention_cases(cases), add_image_cases(cases), add_matrix_cases(cases);
  return cases;
}

inline constexpr double float_limit = 2e-12;  // about 1e-6 relative
inline constexpr double half_limit = 1e-8;    // a value on the edge between two halves may round either way
inline constexpr double pair_limit = 1e-8;     // attention over a coded cache: queries and weights rounded to 16 bits (worst seen: 2.6e-9)
inline constexpr double code_limit = 1e-6;    // the same of 8-bit codes: one of the 192 values and more of a case is 1 / 73^2 / 192 of their power

}  // namespace lava::selftest_detail
