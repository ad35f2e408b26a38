#include "kernels/selftest/cases.h"

namespace lava::selftest_detail {
namespace {

constexpr Activation kinds[] = {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::gelu_quick, Activation::silu, Activation::relu, Activation::relu6};
constexpr const char* kind_names[] = {"none", "gelu", "gelu_tanh", "gelu_quick", "silu", "relu", "relu6"};

void add_kind(std::vector<Case>& cases, int index) {
  const Activation kind = kinds[index];
  const std::string name = kind_names[index];
  for (const int64_t width : {1, 19, 256}) {
    const std::string shape = ", 5 x " + std::to_string(width);
    cases.push_back({OpId::activate, name + shape, float_limit, [=](Builder& b) { ops::activate(b.run, b.random({5, width}), b.random({5, width}, 9), kind); }});
    cases.push_back({OpId::glu, name + shape, float_limit, [=](Builder& b) {
                       ops::glu(b.run, b.random({5, width}), b.random({5, width}, 9), b.random({5, width}), kind);
                     }});
  }
  cases.push_back({OpId::activate, name + ", in place, large values", float_limit, [=](Builder& b) {
                     const Tensor x = b.random({3, 67}, 200);
                     ops::activate(b.run, x, x, kind);
                   }});
  cases.push_back({OpId::glu, name + ", gate and up side by side, in place", float_limit, [=](Builder& b) {
                     const Tensor both = b.random({4, 90}, 6), gate = both.columns(0, 45);
                     ops::glu(b.run, gate, gate, both.columns(45, 45), kind);
                   }});
}

}  // namespace

void add_elementwise_cases(std::vector<Case>& cases) {
  for (int i = 0; i < 7; ++i) add_kind(cases, i);
  for (const int64_t rows : {1, 2, 9}) {
    for (const int64_t width : {1, 31, 400}) {
      const std::string shape = std::to_string(rows) + " x " + std::to_string(width);
      cases.push_back({OpId::add, shape, float_limit, [=](Builder& b) {
                         ops::add(b.run, b.random({rows, width}), b.random({rows, width}), b.random({rows, width}));
                       }});
      cases.push_back({OpId::add, shape + ", one row for all, in place", float_limit, [=](Builder& b) {
                         const Tensor a = b.random({rows, width});
                         ops::add(b.run, a, a, b.random({width}));
                       }});
    }
  }
  cases.push_back({OpId::add, "columns of wider tensors", float_limit, [](Builder& b) {
                     ops::add(b.run, b.random({6, 50}).columns(3, 21), b.random({6, 40}).columns(1, 21), b.random({6, 21}));
                   }});
  cases.push_back({OpId::add, "rank 3", float_limit, [](Builder& b) { ops::add(b.run, b.random({3, 4, 21}), b.random({3, 4, 21}), b.random({3, 4, 21})); }});
}

}  // namespace lava::selftest_detail
