#include <array>

#include "kernels/formats/formats.h"
#include "kernels/selftest/cases.h"

namespace lava::selftest_detail {
namespace {

constexpr double exact_limit = 1e-11, fast_limit = 3e-4, bf16_limit = 2e-5;

struct Shape {
  int64_t rows, out, in;
};

std::string name_of(DType format, MatrixLayout layout, Precision precision, const Shape& s) {
  return std::string(dtype_info(format).name) + (layout == MatrixLayout::interleaved16 ? " interleaved" : "") +
         " " + precision_name(precision) + ", " + std::to_string(s.rows) + " x " + std::to_string(s.in) + " -> " + std::to_string(s.out);
}

double limit_of(DType format, Precision precision) {
  if (is_quantized(format)) return precision == Precision::exact ? exact_limit : fast_limit;
  return precision == Precision::bf16 || (precision == Precision::fast && format == DType::bf16) ? bf16_limit : exact_limit;
}

void add_linear(std::vector<Case>& cases, DType format, MatrixLayout layout, Precision precision, Shape s) {
  const double cancelling = s.rows * s.out == 1 ? 100 : 1;  // a lone result may be small against its terms
  cases.push_back({OpId::linear, name_of(format, layout, precision, s), limit_of(format, precision) * cancelling, [=](Builder& b) {
                     LinearTarget target;
                     target.weight = b.matrix(format, layout, precision, s.out, s.in);
                     target.bias = b.random({s.out});
                     target.out = b.random({s.rows, s.out});
                     target.activation = Activation::none;
                     ops::linear(b.run, std::array{target}, b.random({s.rows, s.in}));
                   }});
}

// Three targets of one x: plain, activated, accumulated.
void add_three(std::vector<Case>& cases, DType format, MatrixLayout layout, Precision precision, Shape s) {
  cases.push_back({OpId::linear, "three targets, " + name_of(format, layout, precision, s), limit_of(format, precision), [=](Builder& b) {
                     std::array<LinearTarget, 3> targets;
                     for (int i = 0; i < 3; ++i) {
                       const int64_t out = s.out + 16 * i;
                       targets[i].weight = b.matrix(format, layout, precision, out, s.in);
                       targets[i].out = b.random({s.rows, out});
                     }
                     targets[1].activation = Activation::gelu, targets[2].accumulate = true;
                     ops::linear(b.run, targets, b.random({s.rows, s.in}));
                   }});
}

// The gated pair of a feed-forward layer.
void add_gated(std::vector<Case>& cases, DType format, MatrixLayout layout, Precision precision, Shape s) {
  cases.push_back({OpId::linear, "gated, " + name_of(format, layout, precision, s), 4 * limit_of(format, precision), [=](Builder& b) {
                     const auto target = [&](Activation activation) {
                       LinearTarget one;
                       one.weight = b.matrix(format, layout, precision, s.out, s.in);
                       one.out = b.random({s.rows, s.out});
                       one.activation = activation;
                       return one;
                     };
                     const LinearTarget gate = target(Activation::silu), up = target(Activation::none);
                     ops::linear_glu(b.run, gate, up, b.random({s.rows, s.in}));
                   }});
}

void add_embed(std::vector<Case>& cases, DType format, MatrixLayout layout) {
  cases.push_back({OpId::embed_rows, name_of(format, layout, Precision::exact, {7, 37, 256}), exact_limit, [=](Builder& b) {
                     ops::embed_rows(b.run, b.random({7, 256}), b.matrix(format, layout, Precision::exact, 37, 256), b.ids(7, 37));
                   }});
  cases.push_back({OpId::embed_rows, "step, " + name_of(format, layout, Precision::exact, {1, 21, 256}), exact_limit, [=](Builder& b) {
                     b.run.step->token = 20;
                     ops::embed_step(b.run, b.random({1, 256}), b.matrix(format, layout, Precision::exact, 21, 256));
                   }});
}

}  // namespace

void add_matrix_cases(std::vector<Case>& cases) {
  for (int i = 0; i < dtype_count; ++i) {
    const auto format = static_cast<DType>(i);
    if (!is_weight_format(format)) continue;
    for (const MatrixLayout layout : {MatrixLayout::rows, MatrixLayout::interleaved16}) {
      if (layout == MatrixLayout::interleaved16 && !is_quantized(format)) continue;
      for (const Precision precision : {Precision::exact, Precision::fast}) {
        for (const int64_t rows : {1, 2, 3, 5, 9, 33}) add_linear(cases, format, layout, precision, {rows, 40, 512});
        add_linear(cases, format, layout, precision, {1, 1, 256});
        add_linear(cases, format, layout, precision, {4, 17, 768});
        add_three(cases, format, layout, precision, {1, 32, 256});
        add_three(cases, format, layout, precision, {6, 23, 512});
        if (!is_quantized(format)) add_linear(cases, format, layout, precision, {5, 33, 75});
      }
      add_embed(cases, format, layout);
    }
  }
  for (const DType format : {DType::f32, DType::bf16, DType::q4_0, DType::q4_1, DType::q4_k, DType::q6_k})
    for (const Precision precision : {Precision::exact, Precision::fast})
      for (const Shape shape : {Shape{1, 200, 256}, {3, 17, 256}, {70, 200, 512}, {70, 33, 256}})
        add_gated(cases, format, is_quantized(format) ? MatrixLayout::interleaved16 : MatrixLayout::rows, precision, shape);
  for (const DType format : {DType::f32, DType::f16, DType::bf16})
    for (const Shape shape : {Shape{4, 16, 64}, {5, 33, 75}, {9, 40, 512}, {70, 130, 2100}}) add_linear(cases, format, MatrixLayout::rows, Precision::bf16, shape);
}

}  // namespace lava::selftest_detail
