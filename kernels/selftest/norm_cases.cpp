#include "kernels/selftest/cases.h"

namespace lava::selftest_detail {
namespace {

std::string shape_name(int64_t rows, int64_t width) { return std::to_string(rows) + " x " + std::to_string(width); }

void add_shape(std::vector<Case>& cases, int64_t rows, int64_t width) {
  const std::string name = shape_name(rows, width);
  cases.push_back({OpId::rms_norm, name, float_limit, [=](Builder& b) {
                     ops::rms_norm(b.run, b.random({rows, width}), b.random({rows, width}, 3), b.random({width}), 1e-5f);
                   }});
  cases.push_back({OpId::layer_norm, name, float_limit, [=](Builder& b) {
                     ops::layer_norm(b.run, b.random({rows, width}), b.random({rows, width}, 3), b.random({width}), b.random({width}), 1e-6f);
                   }});
  cases.push_back({OpId::softmax, name, float_limit, [=](Builder& b) { ops::softmax(b.run, b.random({rows, width}), b.random({rows, width}, 20)); }});
}

}  // namespace

void add_norm_cases(std::vector<Case>& cases) {
  for (const int64_t width : {1, 3, 15, 16, 17, 64, 130, 896, 4096}) add_shape(cases, 5, width);
  add_shape(cases, 1, 3584);
  add_shape(cases, 577, 40);
  cases.push_back({OpId::rms_norm, "in place, columns of a wider tensor", float_limit, [](Builder& b) {
                     const Tensor x = b.random({7, 100}).columns(20, 50);
                     ops::rms_norm(b.run, x, x, b.random({50}), 1e-6f);
                   }});
  cases.push_back({OpId::layer_norm, "in place, mean far from zero", float_limit, [](Builder& b) {
                     const Tensor x = b.random({9, 70});
                     for (int64_t i = 0; i < x.elements(); ++i) x.f32()[i] += 300;
                     ops::layer_norm(b.run, x, x, b.random({70}), b.random({70}), 1e-5f);
                   }});
  cases.push_back({OpId::softmax, "in place, logits far apart", float_limit, [](Builder& b) {
                     const Tensor x = b.random({6, 37}, 500);
                     ops::softmax(b.run, x, x);
                   }});
}

}  // namespace lava::selftest_detail
