// Rotation of heads, and what of keys and values stands in a cache: the same bits whichever op makes or reads them (precise).
// Beside what cache.glsl wants: cos_sin, rotary and `adjacent`.
vec2 rotate(vec2 pair, uint position, uint i) {
  const float c = cos_sin.v[position * rotary + i], s = cos_sin.v[position * rotary + rotary / 2 + i];
  precise const vec2 turned = vec2(pair.x * c - pair.y * s, pair.y * c + pair.x * s);
  return turned;
}

// Where the values of pair i lie in a head.
uvec2 pair_at(uint i) { return adjacent ? uvec2(2 * i, 2 * i + 1) : uvec2(i, i + rotary / 2); }

// Value i of the head that begins at `base`, rotated.
float rotated(Floats x, uint base, uint position, uint i) {
  if (i >= rotary) return x.v[base + i];
  const uint pair = adjacent ? i / 2 : i % (rotary / 2);
  const uvec2 at = pair_at(pair);
  const vec2 turned = rotate(vec2(x.v[base + at.x], x.v[base + at.y]), position, pair);
  return i == at.x ? turned.x : turned.y;
}

// Writes a value to a cache of F32 or F16, if it is this invocation's to write. Gives back what reading it gives.
float store(Floats cache, uint at, float value, bool written) {
  if (cache_type == CACHE_F16) {
    const uint bits = float_to_half(value);
    if (written) Halves(cache).v[at] = uint16_t(bits);
    return half_to_float(bits);
  }
  if (written) cache.v[at] = value;
  return value;
}

// The same of a block of Q8_0, as encode_q8_0 of kernels/formats makes it: codes cannot tell what is not finite, the scale does.
void store_block(Halves cache, uint block, inout float values[32], bool written) {
  float largest = 0.0;
  bool finite = true;
  for (uint i = 0; i < 32; ++i) {
    largest = max(largest, abs(values[i]));
    finite = finite && (floatBitsToUint(values[i]) & 0x7f800000u) != 0x7f800000u;
  }
  const float scale = largest / 127.0, inverse = finite && scale > 1e-37 ? 1.0 / scale : 0.0;
  const uint scale_bits = finite ? float_to_half(scale) : 0x7e00u;
  if (written) cache.v[17 * block] = uint16_t(scale_bits);
  for (uint i = 0; i < 16; ++i) {
    const vec2 pair = finite ? vec2(values[2 * i], values[2 * i + 1]) * inverse : vec2(0.0);
    const ivec2 codes = ivec2(sign(pair) * floor(abs(pair) + 0.5));
    if (written) cache.v[17 * block + 1 + i] = uint16_t((codes.x & 255) | (codes.y & 255) << 8);
    values[2 * i] = half_to_float(scale_bits) * float(codes.x), values[2 * i + 1] = half_to_float(scale_bits) * float(codes.y);
  }
}
