// What the shaders of linear share.
bool given(Floats p) { return uvec2(p) != uvec2(0); }
uint unit_count() { return (in_ + 31) / 32; }

// The part of a unit that thread t of 64 and more widens: neighbours read neighbouring bytes, of 16 interleaved rows or along one row.
struct Part {
  uint row, j;
};
Part part_of(uint t) { return interleaved ? Part(t % 16 + 16 * (t / 64), t / 16 % 4) : Part(t / 4, t % 4); }

// The last row that may be read: interleaved matrices are padded to 16.
uint last_row(uint outputs) { return (interleaved ? (outputs + 15) / 16 * 16 : outputs) - 1; }

// What a row of x is multiplied by beside the gain: 1 / sqrt(mean(x^2) + eps).
float norm_factor(float squares, float eps) { return 1.0 / sqrt(squares / float(in_) + eps); }
