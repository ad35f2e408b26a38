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
  float* scores;      // [together()][64]
  int16_t* weights;   // [d / 32][together()][64], and what their sums are multiplied with [d / 32][together()]
  float* part_scales;
  float *o, *m, *l;

  int64_t together() const { return smaller(group, 8); }
  // Scratch in floats: what the units of a lane share, and the state of one.
  static int64_t shared_floats(int64_t group, int64_t d, int64_t padded) {
    const int64_t parts = d / coded_channels + 1, heads = smaller(group, 8);
    return group * (padded + padded / 2 + round_up(parts, lanes)) + heads * block + parts * heads * (block / 2 + 1) + lanes;
  }
  static int64_t state_floats(int64_t group, int64_t padded) { return group * (padded + lanes) + round_up(group, lanes); }
  static Heads at(float* shared, float* state, int64_t group, int64_t d, int64_t padded) {
    Heads h{group, d, padded, shared, nullptr, nullptr, nullptr, nullptr, nullptr, state, nullptr, nullptr};
    h.scores = h.q + group * padded;
    h.q_scale = h.scores + h.together() * block;
    const int64_t parts = d / coded_channels + 1;
    h.weights = reinterpret_cast<int16_t*>(h.q_scale + group * round_up(parts, lanes));
    h.part_scales = reinterpret_cast<float*>(h.weights + parts * h.together() * block);
    h.q_code = reinterpret_cast<int16_t*>(h.part_scales + parts * h.together());
    h.l = h.o + group * padded;
    h.m = h.l + group * lanes;
    return h;
  }
};

// Asks for bytes that are wanted two phases later: the next block's keys while scores are made, its values while values are weighed, so that memory
// never rests. A few with each step of the arithmetic: more at once than the processor can wait for would hold it up.
struct Fetch {
  const std::byte* from;
  int64_t bytes;  // 0: nothing

  HWY_INLINE void operator()(int64_t offset, int64_t count) const {
    if (offset >= bytes) return;
    for (int64_t i = 0; i < count; i += 64) __builtin_prefetch(from + offset + i, 0, 2);
  }
  HWY_INLINE void rest(int64_t offset, int64_t end) const { (*this)(offset, smaller(end, bytes) - offset); }  // of a short block
};

struct Block {
  const std::byte *keys, *values;
  int64_t count;  // positions
};

// A block under the heads from `g` on, and the one that comes after it.
struct Step {
  const Heads& h;
  Block now, next;
  int64_t key_bytes, value_bytes, g;  // bytes of a position

  HWY_INLINE float* scores(int64_t head) const { return h.scores + head * block; }
  HWY_INLINE const std::byte* key(int64_t j) const { return now.keys + j * key_bytes; }
  HWY_INLINE const std::byte* value(int64_t j) const { return now.values + j * value_bytes; }
  // The heads after the first ones find everything in the cache.
  HWY_INLINE Fetch next_keys() const { return {next.keys, g == 0 ? next.count * key_bytes : 0}; }
  HWY_INLINE Fetch next_values() const { return {next.values, g == 0 ? next.count * value_bytes : 0}; }
};

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
  static HWY_INLINE void weigh_columns(const Step& s, const float* correction, int64_t column, int64_t part) {
    FloatVec sum[group][columns];
    float* o = s.h.o + s.g * s.h.padded + column;
    for (int g = 0; g < group; ++g) {
      for (int c = 0; c < columns; ++c) sum[g][c] = hn::Mul(load(o + g * s.h.padded + c * lanes), splat(correction[g]));
    }
    const Fetch fetch = s.next_values();
    for (int64_t j = 0; j < s.now.count; ++j) {
      const std::byte* row = s.value(j);
      fetch(Rows<T>::bytes(column * block + j * columns * lanes), Rows<T>::bytes(columns * lanes));
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
    fetch.rest(Rows<T>::bytes(column * block + s.now.count * columns * lanes), Rows<T>::bytes((column + columns * lanes) * block));
    for (int g = 0; g < group; ++g) {
      for (int c = 0; c < columns; ++c) store(sum[g][c], o + g * s.h.padded + c * lanes);
    }
  }

  template <int group, int columns = beside(group, vector_registers * 3 / 4, vector_registers / 4)>
  static void weigh(const Step& s, const float* correction, int64_t column = 0) {
    for (; column + columns * lanes <= s.h.d; column += columns * lanes) weigh_columns<group, columns>(s, correction, column, lanes);
    if constexpr (columns > 1) {
      weigh<group, columns / 2>(s, correction, column);
    } else if (column < s.h.d) {
      weigh_columns<group, 1>(s, correction, column, s.h.d - column);
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
    for (; j + together <= s.now.count; j += together) {
      for (int64_t p = 0; p < together; ++p) s.next_keys()((j + p) * s.key_bytes, Rows<float>::bytes(s.h.d));
      dots<group, together>(s, j);
    }
    for (; j < s.now.count; ++j) dots<group, 1>(s, j);
  }
  template <int group>
  static void weigh(const Step& s, const float* correction) { RowValues<float>::weigh<group>(s, correction); }
};

// Keys interleaved, in F16.
template <>
struct Steps<HalfCache> {
  static constexpr bool any_group = true;
  static void start(const Heads&) {}

  // The keys of n vectors, from position x of the block on.
  template <int group, int n>
  static HWY_INLINE void dots(const Step& s, int64_t x) {
    const Fetch fetch = s.next_keys();
    FloatVec sum[group][n];
    for (auto& row : sum) {
      for (FloatVec& v : row) v = hn::Zero(df);
    }
    const uint16_t* at[n];
    for (int c = 0; c < n; ++c) at[c] = reinterpret_cast<const uint16_t*>(s.key((x + c * lanes) / cache_unit * cache_unit)) + (x + c * lanes) % cache_unit;
    const float* q = s.h.q + s.g * s.h.padded;
    for (int64_t i = 0; i < s.h.d; ++i) {
      constexpr int64_t step = n * lanes * 2;
      fetch(x * s.key_bytes + i * step, step);
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
    for (; x + n * lanes <= round_up(s.now.count, cache_unit); x += n * lanes) dots<group, n>(s, x);
    for (; x < s.now.count; x += lanes) dots<group, 1>(s, x);
    s.next_keys().rest(x * s.key_bytes, block * s.key_bytes);
  }
  template <int group>
  static void weigh(const Step& s, const float* correction) { RowValues<uint16_t>::weigh<group>(s, correction); }
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

  // Scores of the positions of one vector, over `n` parts of 32 channels side by side; `add`: to those of the parts before.
  template <int group, int n>
  static HWY_INLINE void dots(const Step& s, int64_t x, int64_t b, bool add) {
    const Fetch fetch = s.next_keys();
    const int64_t parts = s.h.d / coded_channels;
    const std::byte* part = s.key(x / cache_unit * cache_unit) + b * coded_part;
    const int16_t* q = s.h.q_code + s.g * s.h.padded + b * coded_channels;
    PairSum sum[group][n];
    for (auto& row : sum) {
      for (PairSum& v : row) v = hn::Zero(pair_sums);
    }
    for (int64_t i = 0; i < coded_channels; i += 2) {
      constexpr int64_t step = n * lanes * coded_part / cache_unit / 16;
      fetch(x * s.key_bytes + b * lanes * coded_part / cache_unit + i / 2 * step, step);
      for (int c = 0; c < n; ++c) {
        const Pairs key = load_pairs(part + c * coded_part + coded_scales + code_place(DType::q8_keys, x % cache_unit, i));
        for (int g = 0; g < group; ++g) sum[g][c] = add_pairs(sum[g][c], key, splat_pair(q + g * s.h.padded + c * coded_channels + i));
      }
    }
    FloatVec scale[n];
    for (int c = 0; c < n; ++c) scale[c] = load(CodedCache::scales(part + c * coded_part) + x % cache_unit);
    for (int g = 0; g < group; ++g) {
      const float* q_scale = s.h.q_scale + (s.g + g) * parts + b;
      FloatVec total = add ? load(s.scores(g) + x) : hn::Zero(df);
      for (int c = 0; c < n; ++c) total = hn::MulAdd(hn::ConvertTo(df, sum[g][c]), hn::Mul(scale[c], splat(q_scale[c])), total);
      store(total, s.scores(g) + x);
    }
  }

  template <int group>
  static void scores(const Step& s) {
    constexpr int n = beside(group, vector_registers * 5 / 8, 4);
    const int64_t parts = s.h.d / coded_channels;
    for (int64_t x = 0; x < s.now.count; x += lanes) {
      int64_t b = 0;
      for (; b + n <= parts; b += n) dots<group, n>(s, x, b, b > 0);
      for (; b < parts; ++b) dots<group, 1>(s, x, b, b > 0);
    }
    s.next_keys().rest(round_up(s.now.count, lanes) * s.key_bytes, block * s.key_bytes);
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
                                       const Fetch& fetch) {
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
    int64_t j = 0;
    for (; j < s.now.count; j += cache_unit, codes += cache_unit * s.value_bytes) {
#pragma GCC unroll 8
      for (int64_t p = 0; p < cache_unit; p += 2) {  // weights behind the last position are 0
        fetch((j + p) * coded_part / cache_unit, 64);
        add(codes + p * coded_channels, weights + j + p);
      }
    }
    fetch.rest(j * coded_part / cache_unit, block * coded_part / cache_unit);
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
    const Fetch values = s.next_values();
    float top[group];
    for (int g = 0; g < group; ++g) top[g] = normalise(s.scores(g), s.now.count);
    float* scales = s.h.part_scales;
    const int64_t heads = s.h.together();
    for (int64_t b = 0; b < parts; ++b) {  // before all products, so that their latency is hidden
      HWY_ALIGN float share[block];
      const float largest = share_scales(s.now.values + b * coded_part, unit, s.now.count, share);
      for (int g = 0; g < group; ++g) {
        scales[b * heads + g] = largest * (top[g] / most);
        int16_t* weights = s.h.weights + (b * heads + g) * block;
        for (int64_t j = 0; j < round_up(s.now.count, cache_unit); j += lanes) store_codes(hn::Mul(load(s.scores(g) + j), load(share + j)), weights + j);
      }
    }
    for (int64_t b = 0; b < parts; ++b) {
      float* o = s.h.o + s.g * s.h.padded + b * coded_channels;
      const int64_t at = b * (block / cache_unit) * coded_part;
      const Fetch fetch{values.from + at, values.bytes - at};  // a part's share
      for (int64_t channel = 0; channel < coded_channels; channel += columns * lanes) {
        weigh_columns<group, columns>(s, s.now.values + b * coded_part, s.h.weights + b * heads * block, channel, correction, scales + b * heads, o, channel == 0 ? fetch : Fetch{});
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
