// Every op of kernels/op.h in shapes of LLaVA-1.5-7B, TinyLlama, SmolLM2, CLIP-L/336 and the default model's detector.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernels/ops.h"

namespace lava::bench {

// Lays tensors out in an arena, and fills them through the device that its memory belongs to; without one they are only laid out.
class OpBuilder {
 public:
  explicit OpBuilder(Run& run, Device* device = nullptr) : run(run), device_(device) {}
  Run& run;

  Tensor values(std::initializer_list<int64_t> shape, DType type = DType::f32);
  CacheTensors cache(DType type, int64_t kv_heads, int64_t positions, int64_t d);  // as the device has it
  Tensor ids(int64_t count, int32_t limit);
  Matrix matrix(DType format, Precision precision, int64_t out, int64_t in);
  Matrix table(DType format, int64_t rows, int64_t in);

 private:
  Matrix place(Matrix shape);
  Device* device_;
  uint64_t seed_ = 1;
};

struct OpCase {
  OpId op;
  std::string shape;
  bool from_memory;  // what it reads is not in a cache when it runs in a model: run over copies that no cache holds
  std::function<void(OpBuilder&)> body;
};

std::vector<OpCase> op_cases();

}  // namespace lava::bench
