#include <algorithm>
#include <cmath>

#include "kernels/selftest/cases.h"

namespace lava::selftest_detail {
namespace {

struct Shape {
  int64_t rows, past, heads, kv_heads, d;
};

// What a cache of such heads may hold.
std::vector<DType> cache_types(const Shape& s) {
  std::vector<DType> types{DType::f32, DType::f16};
  if (s.d % dtype_info(DType::q8_0).block == 0) types.push_back(DType::q8_0);
  return types;
}

double rounding_limit(DType type) { return type == DType::f32 ? float_limit : type == DType::f16 ? half_limit : code_limit; }

std::string name_of(const Shape& s, DType type) {
  return std::to_string(s.rows) + " rows after " + std::to_string(s.past) + ", " + std::to_string(s.heads) + "/" + std::to_string(s.kv_heads) +
         " heads of " + std::to_string(s.d) + (type == DType::f32 ? "" : ", " + std::string(dtype_info(type).name));
}

void add_causal(std::vector<Case>& cases, Shape s) {
  for (const DType type : cache_types(s)) {
    cases.push_back({OpId::attention, "causal, " + name_of(s, type), type == DType::q8_0 && s.rows == 1 ? pair_limit : float_limit * 4, [=](Builder& b) {
                       b.run.step->past = static_cast<int32_t>(s.past);
                       const int64_t context = s.past + s.rows + 5;
                       const Tensor q = b.random({s.rows, s.heads, s.d}, 3), out = b.random({s.rows, s.heads, s.d});
                       const auto [k, v] = b.cache(type, s.kv_heads, context, s.d);
                       ops::attention(b.run, out, q, k, v, 1 / std::sqrt(static_cast<float>(s.d)), true);
                     }});
  }
}

// As in a vision tower: q, k and v are columns of one [rows, 3 * width] tensor.
void add_vision(std::vector<Case>& cases, int64_t rows, int64_t heads, int64_t d, Precision precision = Precision::exact) {
  const bool exact = precision == Precision::exact;
  cases.push_back({OpId::attention, (exact ? "vision, " : "vision in bf16, ") + name_of({rows, 0, heads, heads, d}, DType::f32), exact ? float_limit * 4 : 5e-5, [=](Builder& b) {
                     const int64_t width = heads * d;
                     const Tensor qkv = b.random({rows, 3 * width}, 2), out = b.random({rows, heads, d});
                     Tensor q(DType::f32, {rows, heads, d}, qkv.data);
                     q.stride = {3 * width, d, 1, 0};
                     Tensor k(DType::f32, {heads, rows, d}, qkv.data + width * 4), v = k;
                     k.stride = v.stride = {d, 3 * width, 1, 0};
                     v.data += width * 4;
                     ops::attention(b.run, out, q, k, v, 1 / std::sqrt(static_cast<float>(d)), false, precision);
                   }});
}

void add_rope(std::vector<Case>& cases, Shape s, int64_t rotary, RopeStyle style) {
  for (const DType type : cache_types(s)) {
    const std::string name = name_of(s, type) + (style == RopeStyle::half ? ", halves, rotary " : ", adjacent, rotary ") + std::to_string(rotary);
    cases.push_back({OpId::qkv_rope_store, name, rounding_limit(type), [=](Builder& b) {
                       b.run.step->past = static_cast<int32_t>(s.past);
                       const int64_t context = s.past + s.rows + 3;
                       const Tensor q = b.random({s.rows, s.heads, s.d});
                       const Tensor k = b.random({s.rows, s.kv_heads, s.d}), v = b.random({s.rows, s.kv_heads, s.d});
                       const Tensor table = b.random({context, rotary});
                       const auto [keys, values] = b.cache(type, s.kv_heads, context, s.d);
                       ops::qkv_rope_store(b.run, q, k, v, table, style, keys, values);
                     }});
  }
}

// A decoder's step: rotation, cache and attention of one row together. Rows that lie apart, as columns of one product.
void add_step(std::vector<Case>& cases, Shape s, int64_t rotary, RopeStyle style) {
  for (const DType type : cache_types(s)) {
    const std::string name = name_of(s, type) + (style == RopeStyle::half ? ", halves, rotary " : ", adjacent, rotary ") + std::to_string(rotary);
    cases.push_back({OpId::rope_attention, name, std::max(float_limit * 4, rounding_limit(type)), [=](Builder& b) {
                       b.run.step->past = static_cast<int32_t>(s.past);
                       const int64_t context = s.past + 4, group = s.heads / s.kv_heads, stride = s.d * (group + 2);
                       const Tensor qkv = b.random({s.kv_heads, stride}, 2), out = b.random({1, s.heads, s.d});
                       const auto part = [&](int64_t heads, int64_t first) {
                         Tensor t(DType::f32, {1, heads, s.d}, qkv.data + first * s.d * 4);
                         t.stride = {stride * s.kv_heads, heads == s.heads ? s.d : stride, 1, 0};
                         return t;
                       };
                       const Tensor q = b.random({1, s.heads, s.d}, 2), table = b.random({context, rotary});
                       const auto [keys, values] = b.cache(type, s.kv_heads, context, s.d);
                       ops::rope_attention(b.run, out, q, part(s.kv_heads, group), part(s.kv_heads, group + 1), table, style, keys, values, 1 / std::sqrt(static_cast<float>(s.d)));
                     }});
  }
}

}  // namespace

void add_attention_cases(std::vector<Case>& cases) {
  for (const int64_t d : {16, 32, 64, 72, 80, 128, 1, 20, 256, 600}) {
    add_causal(cases, {1, 40, 4, 2, d});
    add_causal(cases, {9, 3, 2, 2, d});
  }
  for (const int64_t past : {0, 1, 15, 63, 64, 65, 500}) add_causal(cases, {1, past, 6, 2, 64});
  for (const int64_t group : {1, 2, 3, 5, 7, 8, 15}) add_causal(cases, {1, 130, group * 3, 3, 32});
  add_causal(cases, {1, 700, 5, 1, 128});
  add_causal(cases, {130, 0, 14, 2, 64});
  add_causal(cases, {70, 65, 3, 3, 80});
  add_causal(cases, {64, 64, 8, 1, 16});
  add_vision(cases, 50, 3, 64);
  add_vision(cases, 65, 2, 72);
  add_vision(cases, 197, 2, 80);
  add_vision(cases, 1, 2, 16);
  for (const int64_t rows : {5, 6, 31, 33, 197})
    for (const int64_t d : {16, 20, 64, 72, 80, 128}) add_vision(cases, rows, 3, d, Precision::bf16);
  add_vision(cases, 577, 2, 64, Precision::bf16);
  for (const RopeStyle style : {RopeStyle::half, RopeStyle::adjacent}) {
    add_rope(cases, {1, 7, 4, 2, 128}, 128, style);
    add_rope(cases, {6, 0, 3, 3, 64}, 64, style);
    add_rope(cases, {5, 11, 2, 1, 80}, 20, style);
    add_rope(cases, {3, 2, 1, 1, 18}, 18, style);
    add_rope(cases, {2, 5, 2, 1, 96}, 80, style);
    for (const int64_t past : {0, 1, 31, 63, 64, 200, 515}) add_step(cases, {1, past, 6, 2, 64}, 64, style);
    add_step(cases, {1, 300, 9, 3, 64}, 64, style);
    add_step(cases, {1, 130, 4, 4, 80}, 20, style);
    add_step(cases, {1, 90, 15, 5, 128}, 128, style);
    add_step(cases, {1, 70, 7, 1, 18}, 18, style);
  }
}

}  // namespace lava::selftest_detail
