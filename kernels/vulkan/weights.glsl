// Weights of every format, widened to float32 eight at a time: values 4j .. 4j+3 and 16+4j .. 16+4j+3 of a unit of 32, which lie in one word
// of nibbles in both layouts. Layouts: kernels/formats/dequantize.cpp (rows) and kernels/linear/pack.h (interleaved16).
// Format and layout are constants of the pipeline: a driver keeps one branch of each.
layout(constant_id = 1) const uint format = 0;        // DType
layout(constant_id = 2) const bool interleaved = false;
layout(constant_id = 3) const bool aligned = false;   // float formats and activations may be read four values at a time

const uint F32 = 0, F16 = 1, BF16 = 2, Q4_0 = 6, Q4_1 = 7, Q5_0 = 8, Q5_1 = 9, Q8_0 = 10, Q4_K = 11, Q5_K = 12, Q6_K = 13;

const bool k_quant = format >= Q4_K;
const bool five_bits = format == Q5_0 || format == Q5_1 || format == Q5_K;
const bool has_min = format == Q4_1 || format == Q5_1 || format == Q4_K || format == Q5_K;
const float code_offset = format == Q4_0 ? 8.0 : format == Q5_0 ? 16.0 : format == Q6_K ? 32.0 : 0.0;

vec4 bytes_of(uint word) { return vec4(word & 255u, (word >> 8) & 255u, (word >> 16) & 255u, word >> 24); }

struct Eight {
  vec4 a, b;
};

// Nibbles of a word (first values low, second high), with bits 4 and up beside them in `top_a` and `top_b`, byte for byte.
Eight codes(uint nibbles_a, uint nibbles_b, uint top_a, uint top_b) {
  return Eight(bytes_of(nibbles_a | top_a << 4) - code_offset, bytes_of(nibbles_b | top_b << 4) - code_offset);
}
// Four bits to the lowest bits of four bytes.
uint spread(uint bits) { return (bits * 0x00204081u) & 0x01010101u; }

uint half_at(Halves p, uint byte) { return uint(p.v[byte / 2]); }
uint word_at(Halves p, uint byte) { return half_at(p, byte) | half_at(p, byte + 2) << 16; }
uint byte_at(Halves p, uint byte) { return (half_at(p, byte) >> (8 * (byte & 1u))) & 255u; }
float signed_byte(uint value) { return float(int(value << 24) >> 24); }

// The 6-bit scale and min of group g in the 12 bytes of a Q4_K or Q5_K block.
uvec2 group_factors(Halves p, uint at, uint g) {
  if (g < 4) return uvec2(byte_at(p, at + g) & 63u, byte_at(p, at + g + 4) & 63u);
  const uint both = byte_at(p, at + g + 4), low = byte_at(p, at + g - 4), high = byte_at(p, at + g);
  return uvec2((both & 15u) | (low >> 6) << 4, (both >> 4) | (high >> 6) << 4);
}

Eight widen_k_rows(Halves p, uint at, uint u, uint j) {
  const uint l = 4 * j;
  if (format == Q6_K) {
    const uint quarter = u % 4, half_ = u / 4, low = at + 64 * half_ + 32 * (quarter % 2) + l, high = at + 128 + 32 * half_ + l;
    const uint shift = 4 * (quarter / 2), top = 2 * quarter;
    const Eight c = codes((word_at(p, low) >> shift) & 0x0f0f0f0fu, (word_at(p, low + 16) >> shift) & 0x0f0f0f0fu,
                          (word_at(p, high) >> top) & 0x03030303u, (word_at(p, high + 16) >> top) & 0x03030303u);
    const float d = half_to_float(half_at(p, at + 208));
    return Eight(c.a * (d * signed_byte(byte_at(p, at + 192 + 2 * u))), c.b * (d * signed_byte(byte_at(p, at + 193 + 2 * u))));
  }
  const uvec2 factors = group_factors(p, at + 4, u);
  const float scale = half_to_float(half_at(p, at)) * float(factors.x), low = half_to_float(half_at(p, at + 2)) * float(factors.y);
  const uint q = at + (five_bits ? 48 : 16) + 32 * (u / 2) + l, shift = 4 * (u % 2);
  uint top_a = 0, top_b = 0;
  if (five_bits) top_a = (word_at(p, at + 16 + l) >> u) & 0x01010101u, top_b = (word_at(p, at + 32 + l) >> u) & 0x01010101u;
  const Eight c = codes((word_at(p, q) >> shift) & 0x0f0f0f0fu, (word_at(p, q + 16) >> shift) & 0x0f0f0f0fu, top_a, top_b);
  return Eight(c.a * scale - low, c.b * scale - low);
}

Eight widen_simple_rows(Halves p, uint at, uint j) {
  const float d = half_to_float(half_at(p, at));
  if (format == Q8_0) {
    const vec4 a = bytes_of(word_at(p, at + 2 + 4 * j) ^ 0x80808080u), b = bytes_of(word_at(p, at + 18 + 4 * j) ^ 0x80808080u);
    return Eight((a - 128.0) * d, (b - 128.0) * d);
  }
  const float m = has_min ? half_to_float(half_at(p, at + 2)) : 0.0;
  uint q = at + (has_min ? 4 : 2), top_a = 0, top_b = 0;
  if (five_bits) {
    const uint bits = word_at(p, q);
    top_a = spread((bits >> (4 * j)) & 15u), top_b = spread((bits >> (16 + 4 * j)) & 15u);
    q += 4;
  }
  const uint word = word_at(p, q + 4 * j);
  const Eight c = codes(word & 0x0f0f0f0fu, (word >> 4) & 0x0f0f0f0fu, top_a, top_b);
  return Eight(c.a * d + m, c.b * d + m);
}

const uint interleaved_units = k_quant ? 8 : 1;
const uint interleaved_header = has_min ? 64 : 32;
const uint interleaved_factors = k_quant ? 32 : 0;
const uint interleaved_high = five_bits ? 64 : format == Q6_K ? 128 : 0;
const uint interleaved_unit = interleaved_factors + interleaved_high + (format == Q8_0 ? 512 : 256);

float packed_half(Words w, uint byte) { return half_to_float((w.v[byte / 4] >> (8 * (byte & 2u))) & 0xffffu); }
uint packed_byte(Words w, uint byte) { return (w.v[byte / 4] >> (8 * (byte & 3u))) & 255u; }

Eight widen_interleaved(Words w, uint row, uint unit, uint j, uint units) {
  const uint r = row % 16, blocks = units / interleaved_units, u = unit % interleaved_units;
  const uint block = (row / 16 * blocks + unit / interleaved_units) * (interleaved_header + interleaved_units * interleaved_unit);
  const uint at = block + interleaved_header + u * interleaved_unit, high = at + interleaved_factors;
  float scale_a = packed_half(w, block + 2 * r), low = has_min ? packed_half(w, block + 32 + 2 * r) : 0.0, scale_b = scale_a;
  if (format == Q6_K) {
    scale_a *= signed_byte(packed_byte(w, at + r)), scale_b *= signed_byte(packed_byte(w, at + 16 + r));
  } else if (k_quant) {
    scale_a *= float(packed_byte(w, at + r)), scale_b = scale_a, low *= -float(packed_byte(w, at + 16 + r));
  }
  const uint line = (high + interleaved_high + 64 * j) / 4 + r;
  if (format == Q8_0) return Eight((bytes_of(w.v[line]) - 128.0) * scale_a, (bytes_of(w.v[line + 64]) - 128.0) * scale_b);
  uint top_a = 0, top_b = 0;
  if (format == Q6_K) {
    top_a = (w.v[high / 4 + r] >> (2 * j)) & 0x03030303u, top_b = (w.v[high / 4 + 16 + r] >> (2 * j)) & 0x03030303u;
  } else if (five_bits) {
    const uint bits = w.v[high / 4 + r];
    top_a = (bits >> j) & 0x01010101u, top_b = (bits >> (4 + j)) & 0x01010101u;
  }
  const uint word = w.v[line];
  const Eight c = codes(word & 0x0f0f0f0fu, (word >> 4) & 0x0f0f0f0fu, top_a, top_b);
  return Eight(c.a * scale_a + low, c.b * scale_b + low);
}

// Values [k, k + 4) of a row of floats of `width` values; zeros behind it.
vec4 four_floats(Floats p, uint at, uint k, uint width) {
  if (aligned) return Vectors(p).v[(at + k) / 4];
  vec4 value = vec4(0.0);
  for (uint i = 0; i < 4; ++i) {
    if (k + i < width) value[i] = p.v[at + k + i];
  }
  return value;
}

float narrow_value(uint bits) { return format == F16 ? half_to_float(bits) : uintBitsToFloat(bits << 16); }

vec4 four_narrow(Halves p, uint at, uint k, uint width) {
  vec4 value = vec4(0.0);
  if (aligned) {
    const uvec2 words = WordPairs(p).v[(at + k) / 4];
    return vec4(narrow_value(words.x & 0xffffu), narrow_value(words.x >> 16), narrow_value(words.y & 0xffffu), narrow_value(words.y >> 16));
  }
  for (uint i = 0; i < 4; ++i) {
    if (k + i < width) value[i] = narrow_value(uint(p.v[at + k + i]));
  }
  return value;
}

// Values 32 unit + 4j .. and 32 unit + 16 + 4j .. of row `row` of a matrix of `width` columns.
Eight widen(Words w, uint row, uint unit, uint j, uint width) {
  const uint k = 32 * unit + 4 * j;
  if (format == F32) return Eight(four_floats(Floats(w), row * width, k, width), four_floats(Floats(w), row * width, k + 16, width));
  if (format == F16 || format == BF16) return Eight(four_narrow(Halves(w), row * width, k, width), four_narrow(Halves(w), row * width, k + 16, width));
  if (interleaved) return widen_interleaved(w, row, unit, j, width / 32);
  if (k_quant) {
    const uint block_bytes = format == Q4_K ? 144 : format == Q5_K ? 176 : 210;
    return widen_k_rows(Halves(w), (row * (width / 256) + unit / 8) * block_bytes, unit % 8, j);
  }
  const uint block_bytes = format == Q8_0 ? 34 : (five_bits ? 22 : 18) + (has_min ? 2 : 0);
  return widen_simple_rows(Halves(w), (row * (width / 32) + unit) * block_bytes, j);
}
