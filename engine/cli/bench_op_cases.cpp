#include "engine/cli/bench_op_cases.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>

#include "engine/synth/random_values.h"

namespace lava::bench {
namespace {

struct Linear {
  DType format;
  Precision precision;
  int64_t rows, out, in;
};

void add_linear(std::vector<OpCase>& cases, const Linear& s) {
  const std::string shape = fmt::format("{} {}, {} x {} -> {}", dtype_info(s.format).name, precision_name(s.precision), s.rows, s.in, s.out);
  cases.push_back({OpId::linear, shape, s.rows == 1, [=](OpBuilder& b) {
                     LinearTarget target;
                     target.weight = b.matrix(s.format, s.precision, s.out, s.in);
                     target.out = b.values({s.rows, s.out});
                     ops::linear(b.run, std::array{target}, b.values({s.rows, s.in}));
                   }});
}

void add_matrices(std::vector<OpCase>& cases) {
  for (const DType format : {DType::q4_0, DType::q4_1, DType::q8_0, DType::q4_k, DType::q6_k}) {
    add_linear(cases, {format, Precision::fast, 1, 4096, 4096});
    add_linear(cases, {format, Precision::fast, 256, 4096, 4096});
  }
  add_linear(cases, {DType::q4_0, Precision::fast, 1, 11008, 4096});
  add_linear(cases, {DType::q4_0, Precision::fast, 256, 4096, 11008});
  add_linear(cases, {DType::q4_1, Precision::fast, 1, 1536, 576});
  add_linear(cases, {DType::q4_0, Precision::exact, 1, 4096, 4096});
  add_linear(cases, {DType::q4_0, Precision::exact, 256, 4096, 4096});
  for (const DType format : {DType::bf16, DType::f16, DType::f32}) {
    add_linear(cases, {format, Precision::exact, 1, 2048, 2048});
    add_linear(cases, {format, Precision::exact, 577, 4096, 1024});
    add_linear(cases, {format, Precision::bf16, 577, 4096, 1024});
  }
  for (const DType format : {DType::q4_0, DType::f16}) {
    cases.push_back({OpId::embed_rows, fmt::format("{}, 256 of 32000 x 2048", dtype_info(format).name), true, [=](OpBuilder& b) {
                       ops::embed_rows(b.run, b.values({256, 2048}), b.table(format, 32000, 2048), b.ids(256, 32000));
                     }});
  }
}

struct Heads {
  int64_t rows, past, heads, kv_heads, d;
};

std::string name_of(const Heads& s) { return fmt::format("{} rows after {}, {} heads on {} of {}", s.rows, s.past, s.heads, s.kv_heads, s.d); }

void add_attention(std::vector<OpCase>& cases, const Heads& s, DType type) {
  const std::string shape = fmt::format("{}, {}", name_of(s), dtype_info(type).name);
  cases.push_back({OpId::attention, shape, s.rows == 1, [=](OpBuilder& b) {
                     b.run.step->past = static_cast<int32_t>(s.past);
                     const Tensor q = b.values({s.rows, s.heads, s.d}), out = b.values({s.rows, s.heads, s.d});
                     const auto [k, v] = b.cache(type, s.kv_heads, s.past + s.rows, s.d);
                     ops::attention(b.run, out, q, k, v, 1 / std::sqrt(static_cast<float>(s.d)), true);
                   }});
  cases.push_back({OpId::qkv_rope_store, shape, false, [=](OpBuilder& b) {
                     b.run.step->past = static_cast<int32_t>(s.past);
                     const int64_t context = s.past + s.rows;
                     const Tensor q = b.values({s.rows, s.heads, s.d}), k = b.values({s.rows, s.kv_heads, s.d}), v = b.values({s.rows, s.kv_heads, s.d});
                     const Tensor table = b.values({context, s.d});
                     const auto [keys, values] = b.cache(type, s.kv_heads, context, s.d);
                     ops::qkv_rope_store(b.run, q, k, v, table, RopeStyle::adjacent, keys, values);
                   }});
  if (s.rows > 1) return;
  cases.push_back({OpId::rope_attention, shape, true, [=](OpBuilder& b) {
                     b.run.step->past = static_cast<int32_t>(s.past);
                     const int64_t context = s.past + 1;
                     const Tensor q = b.values({1, s.heads, s.d}), out = b.values({1, s.heads, s.d}), k = b.values({1, s.kv_heads, s.d}), v = b.values({1, s.kv_heads, s.d});
                     const Tensor table = b.values({context, s.d});
                     const auto [keys, values] = b.cache(type, s.kv_heads, context, s.d);
                     ops::rope_attention(b.run, out, q, k, v, table, RopeStyle::adjacent, keys, values, 1 / std::sqrt(static_cast<float>(s.d)));
                   }});
}

void add_attentions(std::vector<OpCase>& cases) {
  for (const DType type : {DType::f16, DType::q8_0}) {
    add_attention(cases, {1, 640, 32, 32, 128}, type);  // LLaVA-1.5-7B after a picture
    add_attention(cases, {1, 4000, 32, 32, 128}, type);
    add_attention(cases, {256, 384, 32, 32, 128}, type);
    add_attention(cases, {1, 2048, 32, 4, 64}, type);  // TinyLlama
  }
  for (const Precision precision : {Precision::exact, Precision::bf16})
    cases.push_back({OpId::attention, fmt::format("vision, 577 rows, 16 heads of 64, {}", precision_name(precision)), false, [precision](OpBuilder& b) {
                     ops::attention(b.run, b.values({577, 16, 64}), b.values({577, 16, 64}), b.values({16, 577, 64}), b.values({16, 577, 64}), 0.125f, false, precision);
                   }});
}

void add_rows(std::vector<OpCase>& cases) {
  for (const int64_t rows : {1, 256}) {
    const std::string shape = fmt::format("{} x 4096", rows);
    cases.push_back({OpId::rms_norm, shape, false, [=](OpBuilder& b) { ops::rms_norm(b.run, b.values({rows, 4096}), b.values({rows, 4096}), b.values({4096}), 1e-5f); }});
    cases.push_back({OpId::glu, fmt::format("SiLU, {} x 11008", rows), false, [=](OpBuilder& b) {
                       ops::glu(b.run, b.values({rows, 11008}), b.values({rows, 11008}), b.values({rows, 11008}), Activation::silu);
                     }});
  }
  cases.push_back({OpId::layer_norm, "577 x 1024", false, [](OpBuilder& b) {
                     ops::layer_norm(b.run, b.values({577, 1024}), b.values({577, 1024}), b.values({1024}), b.values({1024}), 1e-5f);
                   }});
  cases.push_back({OpId::softmax, "577 x 577", false, [](OpBuilder& b) { ops::softmax(b.run, b.values({577, 577}), b.values({577, 577})); }});
  for (const auto& [kind, name] : {std::pair{Activation::gelu_quick, "quick GELU"}, {Activation::gelu, "GELU"}})
    cases.push_back({OpId::activate, fmt::format("{}, 577 x 4096", name), false, [kind = kind](OpBuilder& b) { ops::activate(b.run, b.values({577, 4096}), b.values({577, 4096}), kind); }});
  cases.push_back({OpId::add, "577 x 1024", false, [](OpBuilder& b) { ops::add(b.run, b.values({577, 1024}), b.values({577, 1024}), b.values({577, 1024})); }});
  cases.push_back({OpId::copy_rows, "576 x 1024", false, [](OpBuilder& b) { ops::copy_rows(b.run, b.values({576, 1024}), b.values({576, 1024})); }});
}

struct Conv {
  int64_t side, in, out, kernel;
  int stride;
  bool depthwise;
};

void add_conv(std::vector<OpCase>& cases, const Conv& c) {
  const std::string shape = fmt::format("{} {} x {}, side {}, stride {}, {} x {}", c.depthwise ? "depthwise" : "dense", c.in, c.out, c.kernel, c.stride, c.side, c.side);
  cases.push_back({OpId::conv2d, shape, false, [=](OpBuilder& b) {
                     Conv2dArgs args;
                     const int64_t side = (c.side + c.stride - 1) / c.stride;
                     args.x = b.values({c.side, c.side, c.in}), args.out = b.values({side, side, c.out});
                     args.weight = c.depthwise ? b.values({c.kernel, c.kernel, c.in}) : b.values({c.kernel, c.kernel, c.in, c.out});
                     args.bias = b.values({c.out});
                     args.stride = c.stride, args.pad_top = args.pad_left = static_cast<int32_t>((c.kernel - 1) / 2);
                     args.depthwise = c.depthwise, args.activation = Activation::relu6;
                     ops::conv2d(b.run, args);
                   }});
}

void add_pictures(std::vector<OpCase>& cases) {
  add_conv(cases, {300, 3, 32, 3, 2, false});
  add_conv(cases, {75, 144, 144, 3, 1, true});
  add_conv(cases, {38, 192, 192, 3, 2, true});
  add_conv(cases, {14, 480, 480, 5, 1, true});
  cases.push_back({OpId::patchify, "3 x 336 x 336, side 14", false, [](OpBuilder& b) { ops::patchify(b.run, b.values({576, 588}), b.values({3, 336, 336}), 14); }});
  cases.push_back({OpId::resize_bilinear, "24 x 24 x 1024 -> 48 x 48", false, [](OpBuilder& b) { ops::resize_bilinear(b.run, b.values({48, 48, 1024}), b.values({24, 24, 1024})); }});
  cases.push_back({OpId::pool_mean, "24 x 24 x 1024, side 2", false, [](OpBuilder& b) { ops::pool_mean(b.run, b.values({12, 12, 1024}), b.values({24, 24, 1024}), 2); }});
}

}  // namespace

Tensor OpBuilder::values(std::initializer_list<int64_t> shape, DType type) {
  const Tensor t = run.arena.tensor(type, shape);
  if (!device_) return t;
  std::vector<std::byte> values(t.bytes());
  synth::RandomValues(type, 0.5, 0, seed_++).fill(values);
  device_->upload(t.data, values);
  return t;
}

CacheTensors OpBuilder::cache(DType type, int64_t kv_heads, int64_t positions, int64_t d) {
  const bool interleaved = run.device.info().interleaves_cache;
  const CacheTypes types = cache_types(type, interleaved);
  if (interleaved) positions = whole_units(positions);
  const auto part = [&](DType stored) {
    const Tensor t = run.arena.tensor(stored, {kv_heads, positions, d});
    if (!device_) return t;
    std::vector<std::byte> blocks(t.bytes()), bytes(is_coded_part(stored) ? t.bytes() : 0);
    synth::RandomValues(type, 0.5, 0, seed_++).fill(blocks);
    const auto size = static_cast<size_t>(dtype_info(type).bytes);
    for (size_t i = 0; i < bytes.size() / size; ++i) scatter_block(stored, bytes.data() + i / cache_unit * coded_part, static_cast<int64_t>(i) % cache_unit, blocks.data() + i * size);
    device_->upload(t.data, bytes.empty() ? blocks : bytes);
    return t;
  };
  const Tensor keys = part(types.keys);
  return {keys, part(types.values)};
}

Tensor OpBuilder::ids(int64_t count, int32_t limit) {
  const Tensor t = run.arena.tensor(DType::i32, {count});
  if (!device_) return t;
  std::vector<int32_t> ids(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) ids[static_cast<size_t>(i)] = static_cast<int32_t>(i * 7919 % limit);
  device_->upload(t.data, std::as_bytes(std::span(ids)));
  return t;
}

Matrix OpBuilder::matrix(DType format, Precision precision, int64_t out, int64_t in) {
  return place({format, preferred_layout(format, precision, run.device.info().host_memory), precision, static_cast<int32_t>(out), static_cast<int32_t>(in)});
}

Matrix OpBuilder::table(DType format, int64_t rows, int64_t in) { return place({format, MatrixLayout::rows, Precision::exact, static_cast<int32_t>(rows), static_cast<int32_t>(in)}); }

Matrix OpBuilder::place(Matrix shape) {
  const size_t bytes = packed_bytes(shape.format, shape.layout, shape.out, shape.in);
  auto* data = static_cast<std::byte*>(run.arena.allocate(bytes));
  shape.data = data;
  if (!device_) return shape;
  std::vector<std::byte> source(row_bytes(shape.format, int64_t{shape.out} * shape.in));
  synth::RandomValues(shape.format, 1 / std::sqrt(static_cast<double>(shape.in)), 0, seed_++).fill(source);
  if (shape.layout != MatrixLayout::rows) {
    std::vector<std::byte> packed(bytes + Arena::alignment);
    void* aligned = packed.data();
    size_t room = packed.size();
    std::align(Arena::alignment, bytes, aligned, room);
    pack_matrix(shape.format, shape.layout, shape.out, shape.in, source.data(), static_cast<std::byte*>(aligned));
    device_->upload(data, {static_cast<const std::byte*>(aligned), bytes});
  } else {
    device_->upload(data, source);
  }
  return shape;
}

std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  add_matrices(cases), add_attentions(cases), add_rows(cases), add_pictures(cases);
  return cases;
}

}  // namespace lava::bench
