// One row against a block of 64 keys and values where they lie, for up to 8 query heads of a key head at once: scores(), then weigh().
// Included only by *_cpu.cpp files of this folder.
#pragma once
#include "kernels/attention/attention_steps_cpu.h"
#include "kernels/attention/elements_cpu.h"
#include "kernels/cpu/pair_dots.h"

namespace lava::LAVA_ISA {
namespace {

struct Heads {  // query heads of one key head, with their state
  int64_t group, d, padded;
  float* q;           // [group][padded]
  int16_t* q_code;    // the same in 16 bits, and their scales [group][d / 32]: only where the cache is coded
  float* q_scale;
  float* scores;      // [8][64]
  int16_t* weights;   // [d / 32][8][64], and what their sums are multiplied with [d / 32][8]
  float* part_scales;
  float *o, *m, *l;

  // Scratch in floats: what the units of a lane share, and the state of one.
  static int64_t shared_floats(int64_t group, int64_t d, int64_t padded) {
    const int64_t parts = d / coded_channels + 1;
    return group * (padded + padded / 2 + round_up(parts, lanes)) + 8 * block + parts * 8 * (block / 2 + 1);
  }
  static int64_t state_floats(int64_t group, int64_t padded) { return group * (padded + lanes) + round_up(group, lanes); }
  static Heads at(float* shared, float* state, int64_t group, int64_t d, int64_t padded) {
    Heads h{group, d, padded, shared, nullptr, nullptr, nullptr, nullptr, nullptr, state, nullptr, nullptr};
    h.scores = h.q + group * padded;
    h.q_scale = h.scores + 8 * block;
    const int64_t parts = d / coded_channels + 1;
    h.weights = reinterpret_cast<int16_t*>(h.q_scale + group * round_up(parts, lanes));
    h.part_scales = reinterpret_cast<float*>(h.weights + parts * 8 * block);
    h.q_code = reinterpret_cast<int16_t*>(h.part_scales + parts * 8);
    h.l = h.o + group * padded;
    h.m = h.l + group * lanes;
    return h;
  }
};

// A block of keys and values, with the bytes of a position, under the heads from `g` on.
struct Step {
  const Heads& h;
  const std::byte *keys, *values;
  int64_t key_bytes, value_bytes, count, g;

  HWY_INLINE float* scores(int64_t head) const { return h.scores + head * block; }
  HWY_INLINE const std::byte* key(int64_t j) const { return keys + j * key_bytes; }
  HWY_INLINE const std::byte* value(int64_t j) const { return values + j * value_bytes; }
  HWY_INLINE bool leads() const { return g == 0; }  // fetches what the heads after it will find in the cache
};

// Asks for bytes of the cache. While the weights of a block are made, memory would otherwise rest.
HWY_INLINE void prefetch(const std::byte* p, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i, 0, 2);
}

// The largest power of two up to `most` of which `group` times as many fit `registers`.
constexpr int beside(int group, int registers, int most) {
  int n = most;
  while (n > 1 && n * group > registers) n /= 2;
  return n;
}

template <class T>
struct RowValues {
  // o[g, columns] = o * correction + sum of s[g, j] v[j]; `part` < lanes: the only column has that many values.
  template <int group, int columns>
  static HWY_INLINE void weigh_columns(const Step& s, const float* correction, int64_t column, int64_t part, const std::byte* next, int64_t next_stride) {
    FloatVec sum[group][columns];
    float* o = s.h.o + s.g * s.h.padded + column;
    for (int g = 0; g < group; ++g) {
      for (int c = 0; c < columns; ++c) sum[g][c] = hn::Mul(load(o + g * s.h.padded + c * lanes), splat(correction[g]));
    }
    for (int64_t j = 0; j < s.count; ++j) {
      const std::byte* row = s.value(j);
      if (next) prefetch(next + j * next_stride, next_stride);
      FloatVec value[columns];
      if (columns == 1 && part < lanes) {
        value[0] = Rows<T>::part(row, column, part);
      } else {
        for (int c = 0; c < columns; ++c) value[c] = Rows<T>::whole(row, column + c * lanes);
      }
      for (int g = 0; g < group; ++g) {
        const FloatVec weight = splat(s.scores(g)[j]);
        for (int c = 0; c < columns; ++c) sum[g][c] = hn::MulAdd(weight, value[c], sum[g][c]);
      }
    }
    for (int g = 0; g < group; ++g) {
      for (int c = 0; c < columns; ++c) store(sum[g][c], o + g * s.h.padded + c * lanes);
    }
  }

  // `next`: the keys after this block, as many bytes as it has itself.
  template <int group, int columns = beside(group, vector_registers * 3 / 4, vector_registers / 4)>
  static void weigh(const Step& s, const float* correction, const std::byte* next, int64_t column = 0) {
    for (; column + columns * lanes <= s.h.d; column += columns * lanes) {
      weigh_columns<group, columns>(s, correction, column, lanes, next ? next + Rows<T>::bytes(column * block) : nullptr, Rows<T>::bytes(columns * lanes));
    }
    if constexpr (columns > 1) {
      weigh<group, columns / 2>(s, correction, next, column);
    } else if (column < s.h.d) {
      weigh_columns<group, 1>(s, correction, column, s.h.d - column, nullptr, 0);
    }
  }
};

template <class Cache>
struct Steps;

// Everything row by row in float32: a product's sums lie across vectors.
template <>
struct Steps<FloatCache> {
  static constexpr bool any_group = false;  // powers of two only
  static void start(const Heads&) {}

  template <int group, int positions>
  static HWY_INLINE void dots(const Step& s, int64_t j) {
    FloatVec sum[group * positions];
#pragma GCC unroll 16
    for (FloatVec& v : sum) v = hn::Zero(df);
    const float* q = s.h.q + s.g * s.h.padded;
    for (int64_t i = 0; i < s.h.d; i += lanes) {
#pragma GCC unroll 16
      for (int p = 0; p < positions; ++p) {
        const std::byte* row = s.key(j + p);
        const FloatVec key = s.h.d - i >= lanes ? Rows<float>::whole(row, i) : Rows<float>::part(row, i, s.h.d - i);
#pragma GCC unroll 16
        for (int g = 0; g < group; ++g) sum[g * positions + p] = hn::MulAdd(load(q + g * s.h.padded + i), key, sum[g * positions + p]);
      }
    }
    if constexpr (group * positions == lanes) {
      HWY_ALIGN float all[lanes];
      store(sums_of(sum), all);
      for (int g = 0; g < group; ++g) std::memcpy(s.scores(g) + j, all + g * positions, positions * sizeof(float));
    } else {
      for (int g = 0; g < group; ++g) {
        for (int p = 0; p < positions; ++p) s.scores(g)[j + p] = sum_of(sum[g * positions + p]);
      }
    }
  }

  template <int group>
  static void scores(const Step& s) {
    constexpr int together = lanes >= group ? lanes / group : 1;
    int64_t j = 0;
    for (; j + together <= s.count; j += together) {
      for (int64_t p = 0; s.leads() && p < together; ++p) prefetch(s.value(j + p), Rows<float>::bytes(s.h.d));
      dots<group, together>(s, j);
    }
    for (; j < s.count; ++j) dots<group, 1>(s, j);
  }
  template <int group>
  static void weigh(const Step& s, const float* correction) { RowValues<float>::weigh<group>(s, correction, nullptr); }
};

// Keys interleaved, in F16.
template <>
struct Steps<HalfCache> {
  static constexpr bool any_group = true;
  static void start(const Heads&) {}

  // The keys of n vectors, from position x of the block on.
  template <int group, int n>
  static HWY_INLINE void dots(const Step& s, int64_t x) {
    FloatVec sum[group][n];
    for (auto& row : sum) {
      for (FloatVec& v : row) v = hn::Zero(df);
    }
    const uint16_t* at[n];
    for (int c = 0; c < n; ++c) at[c] = reinterpret_cast<const uint16_t*>(s.key((x + c * lanes) / cache_unit * cache_unit)) + (x + c * lanes) % cache_unit;
    const float* q = s.h.q + s.g * s.h.padded;
    for (int64_t i = 0; i < s.h.d; ++i) {
      FloatVec key[n];
      for (int c = 0; c < n; ++c) key[c] = load(at[c] + i * cache_unit);
      for (int g = 0; g < group; ++g) {
        const FloatVec query = splat(q[g * s.h.padded + i]);
        for (int c = 0; c < n; ++c) sum[g][c] = hn::MulAdd(query, key[c], sum[g][c]);
      }
    }
    for (int g = 0; g < group; ++g) {
      for (int c = 0; c < n; ++c) store(sum[g][c], s.scores(g) + x + c * lanes);
    }
  }

  template <int group>
  static void scores(const Step& s) {
    constexpr int n = beside(group, vector_registers / 2, 4);
    int64_t x = 0;
    for (; x + n * lanes <= round_up(s.count, cache_unit); x += n * lanes) {
      for (int64_t p = x; s.leads() && p < x + n * lanes; ++p) prefetch(s.value(p), 2 * s.h.d);
      dots<group, n>(s, x);
    }
    for (; x < s.count; x += lanes) dots<group, 1>(s, x);
  }
  template <int group>
  static void weigh(const Step& s, const float* correction) {
    RowValues<uint16_t>::weigh<group>(s, correction, s.leads() ? s.key(block) : nullptr);
  }
};

// Keys and values in 8 bits. Queries and weights are rounded to 16 bits, far finer than what they meet, and pairs of products add up in integers.
template <>
struct Steps<CodedCache> {
  static constexpr bool any_group = true;
  static constexpr float most = 32767;

  static void start(const Heads& h) {
    for (int64_t g = 0; g < h.group; ++g) {
      for (int64_t b = 0; b < h.d / coded_channels; ++b) {
        const float* q = h.q + g * h.padded + b * coded_channels;
        FloatVec largest = hn::Zero(df), nothing = hn::Zero(df);  // or NaN: what is not finite comes out again by its scale
        for (int64_t i = 0; i < coded_channels; i += lanes) {
          largest = hn::Max(largest, hn::Abs(load(q + i)));
          nothing = hn::MulAdd(load(q + i), hn::Zero(df), nothing);
        }
        const float top = max_of(largest), factor = top > 0 ? most / top : 0;
        h.q_scale[g * (h.d / coded_channels) + b] = top / most + sum_of(nothing);
        for (int64_t i = 0; i < coded_channels; i += lanes) store_codes(hn::Mul(load(q + i), splat(factor)), h.q_code + g * h.padded + b * coded_channels + i);
      }
    }
  }

  template <int group, int n>
  static HWY_INLINE void dots(const Step& s, int64_t x) {
    const int64_t parts = s.h.d / coded_channels;
    for (int64_t b = 0; b < parts; ++b) {
      PairSum sum[group][n];
      for (auto& row : sum) {
        for (PairSum& v : row) v = hn::Zero(pair_sums);
      }
      const std::byte* part[n];
      for (int c = 0; c < n; ++c) part[c] = s.key((x + c * lanes) / cache_unit * cache_unit) + b * coded_part;
      for (int64_t i = 0; i < coded_channels; i += 2) {
        Pairs key[n];
        for (int c = 0; c < n; ++c) key[c] = load_pairs(part[c] + coded_scales + code_place(DType::q8_keys, (x + c * lanes) % cache_unit, i));
        for (int g = 0; g < group; ++g) {
          const Pairs query = splat_pair(s.h.q_code + (s.g + g) * s.h.padded + b * coded_channels + i);
          for (int c = 0; c < n; ++c) sum[g][c] = add_pairs(sum[g][c], key[c], query);
        }
      }
      for (int c = 0; c < n; ++c) {
        const FloatVec scale = load(CodedCache::scales(part[c]) + (x + c * lanes) % cache_unit);
        for (int g = 0; g < group; ++g) {
          float* out = s.scores(g) + x + c * lanes;
          const FloatVec product = hn::Mul(hn::ConvertTo(df, sum[g][c]), hn::Mul(scale, splat(s.h.q_scale[(s.g + g) * parts + b])));
          store(b == 0 ? product : hn::Add(load(out), product), out);
        }
      }
    }
  }

  template <int group>
  static void scores(const Step& s) {
    constexpr int n = beside(group, vector_registers / 2, 4);
    int64_t x = 0;
    for (; x + n * lanes <= round_up(s.count, cache_unit); x += n * lanes) {
      if (s.leads()) prefetch(s.value(x), n * lanes * s.value_bytes);
      dots<group, n>(s, x);
    }
    for (; x < s.count; x += lanes) dots<group, 1>(s, x);
  }

  // The scales of a block's values as shares of the largest, in units of a code; returns the largest, or NaN where one is not finite.
  static HWY_INLINE float share_scales(const std::byte* part, int64_t unit, int64_t count, float* share) {
    const hn::Rebind<uint16_t, FloatTag> d16;  // halves that are not negative are ordered as integers, and NaN is the largest
    auto largest = hn::Zero(d16);
    for (int64_t j = 0; j < round_up(count, cache_unit); j += lanes) {
      const uint16_t* scales = CodedCache::scales(part + j / cache_unit * unit) + j % cache_unit;
      const int64_t valid = count - j;  // what lies behind the context may be anything
      largest = hn::Max(largest, valid >= lanes ? hn::LoadU(d16, scales) : hn::IfThenElseZero(hn::FirstN(d16, static_cast<size_t>(valid > 0 ? valid : 0)), hn::LoadU(d16, scales)));
    }
    const float top = half_to_float(hn::GetLane(hn::MaxOfLanes(d16, largest)));
    const FloatVec factor = splat(top > 0 ? most / top : 0);
    for (int64_t j = 0; j < round_up(count, cache_unit); j += lanes) {
      const FloatVec scale = load(CodedCache::scales(part + j / cache_unit * unit) + j % cache_unit);
      store(hn::Mul(scale, factor), share + j);
    }
    for (int64_t j = count; j < round_up(count, cache_unit); ++j) share[j] = 0;
    return top;
  }

  // o = o * correction + the products of all positions, for the channels of `columns` vectors of a part.
  template <int group, int columns>
  static HWY_INLINE void weigh_columns(const Step& s, const std::byte* part, const int16_t* weights, int64_t channel, const float* correction, const float* scale, float* o,
                                       const std::byte* next) {
    PairSum sum[group][columns];
    for (auto& row : sum) {
      for (PairSum& v : row) v = hn::Zero(pair_sums);
    }
    const auto add = [&](const std::byte* codes, const int16_t* pair) HWY_ATTR {
      Pairs value[columns];
      for (int c = 0; c < columns; ++c) value[c] = load_pairs(codes + c * 2 * lanes);
      for (int g = 0; g < group; ++g) {
        const Pairs weight = splat_pair(pair + g * block);
        for (int c = 0; c < columns; ++c) sum[g][c] = add_pairs(sum[g][c], value[c], weight);
      }
    };
    const std::byte* codes = part + coded_scales + 2 * channel;
    for (int64_t j = 0; j < s.count; j += cache_unit, codes += cache_unit * s.value_bytes) {
      if (next) prefetch(next + j * cache_unit * 2, 512);
#pragma GCC unroll 8
      for (int64_t p = 0; p < cache_unit; p += 2) add(codes + p * coded_channels, weights + j + p);  // weights behind the last position are 0
    }
    for (int g = 0; g < group; ++g) {
      for (int c = 0; c < columns; ++c) {
        float* out = o + g * s.h.padded + channel + c * lanes;
        store(hn::MulAdd(hn::ConvertTo(df, sum[g][c]), splat(scale[g]), hn::Mul(load(out), splat(correction[g]))), out);
      }
    }
  }

  template <int group>
  static void weigh(const Step& s, const float* correction) {
    constexpr int columns = beside(group, vector_registers * 5 / 8, 32 / lanes);
    const int64_t parts = s.h.d / coded_channels, unit = parts * coded_part;
    const std::byte* next = s.leads() ? s.key(block) : nullptr;
    float top[group];
    for (int g = 0; g < group; ++g) top[g] = normalise(s.scores(g), s.count);
    float* scales = s.h.part_scales;
    for (int64_t b = 0; b < parts; ++b) {  // before all products, so that their latency is hidden
      HWY_ALIGN float share[block];
      const float largest = share_scales(s.values + b * coded_part, unit, s.count, share);
      for (int g = 0; g < group; ++g) {
        scales[b * 8 + g] = largest * (top[g] / most);
        int16_t* weights = s.h.weights + (b * 8 + g) * block;
        for (int64_t j = 0; j < round_up(s.count, cache_unit); j += lanes) store_codes(hn::Mul(load(s.scores(g) + j), load(share + j)), weights + j);
      }
    }
    for (int64_t b = 0; b < parts; ++b) {
      float* o = s.h.o + s.g * s.h.padded + b * coded_channels;
      const std::byte* ahead = next ? next + b * cache_unit * coded_part / 4 : nullptr;
      for (int64_t channel = 0; channel < coded_channels; channel += columns * lanes) {
        weigh_columns<group, columns>(s, s.values + b * coded_part, s.h.weights + b * 8 * block, channel, correction, scales + b * 8, o, channel == 0 ? ahead : nullptr);
      }
    }
  }

 private:
  // Weights of a block as shares of its largest, which is returned: many small ones must not be rounded away.
  static HWY_INLINE float normalise(float* weights, int64_t count) {
    FloatVec largest = hn::Zero(df);
    for (int64_t j = 0; j < round_up(count, cache_unit); j += lanes) largest = hn::Max(largest, load(weights + j));
    const float top = max_of(largest);
    const FloatVec factor = splat(top > 1e-37f ? 1 / top : 0);
    for (int64_t j = 0; j < round_up(count, cache_unit); j += lanes) store(hn::Mul(load(weights + j), factor), weights + j);
    return top;
  }
};

}  // namespace
}  // namespace lava::LAVA_ISA
