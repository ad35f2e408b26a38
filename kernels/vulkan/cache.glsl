// Values of a cache of keys or values (is_cache in kernels/attention/cache.h), by their index in values. `cache_type` is a DType.
const uint CACHE_F32 = 0, CACHE_F16 = 1, CACHE_Q8_0 = 10;

// Q8_0: blocks of 17 halves, a scale and 32 codes.
float cache_value(Floats cache, uint at) {
  if (cache_type == CACHE_F32) return cache.v[at];
  Halves halves = Halves(cache);
  if (cache_type == CACHE_F16) return half_to_float(uint(halves.v[at]));
  const uint block = at / 32 * 17, code = uint(halves.v[block + 1 + at % 32 / 2]) >> (8 * (at & 1u));
  return half_to_float(uint(halves.v[block])) * float(int(code << 24) >> 24);
}
