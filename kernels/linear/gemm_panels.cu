// Very many rows against interleaved16 weights by cuBLASLt (kernels/cuda/blas.h), which alone has Hopper's wgmma: the weights are widened to BF16, a panel
// at a time (plan.h), into memory that stays in the L2 cache while the library multiplies it. Panels that lie behind each other along the values add to the
// same results. What the library does not do, activation and gate, follows while those are still there.
#include "kernels/cuda/blas.h"
#include "kernels/linear/expand_packed.cuh"
#include "kernels/linear/gemv_packed.cuh"
#include "kernels/linear/linear_cuda.cuh"

namespace lava::cuda {
namespace {

constexpr int threads = 256, warps = threads / warp_size, warp_units = 4;

struct Slice {
  int64_t output, outputs, value, values;
};

struct PanelArgs {
  const std::byte* weight;
  int64_t group_bytes, outputs;
  int units;    // of 32 values
  uint2* panel;  // BF16 [outputs, 32 units]
};

// blockIdx.y: group of 16 outputs. A warp takes warp_units units, reads each in one run and writes 64 bytes of each output.
template <DType format>
__global__ __launch_bounds__(threads) void widen_kernel(PanelArgs a) {
  constexpr PackedFormat f = packed_format(format);
  const int warp = static_cast<int>(threadIdx.x) / warp_size, lane = static_cast<int>(threadIdx.x) % warp_size, g = lane / 4, t = lane % 4;
  const int64_t output = int64_t{16} * blockIdx.y + 2 * g, row = int64_t{8} * a.units;  // of four values
  const std::byte* group = a.weight + blockIdx.y * a.group_bytes;
  const int first = (static_cast<int>(blockIdx.x) * warps + warp) * warp_units;
#pragma unroll
  for (int i = 0; i < warp_units; ++i) {
    const int unit = first + i;
    if (unit >= a.units) return;
    const std::byte* block = group + static_cast<int64_t>(unit / f.units) * f.bytes();
    UnitFragments v;
    expand_unit<format>(block, block + f.header + unit % f.units * f.unit_bytes(), g, t, v);
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      if (output + j >= a.outputs) continue;
      uint2* to = a.panel + (output + j) * row + 8 * unit + t;
      to[0] = {v[0][j], v[0][2 + j]}, to[4] = {v[1][j], v[1][2 + j]};
    }
  }
}

// out = act(out + bias), times a gate if there is one (its `data` is null otherwise). blockIdx.x: row.
__global__ __launch_bounds__(threads) void finish_kernel(Output output, const float* gate, int64_t gate_stride) {
  const int64_t row = blockIdx.x;
  for (int64_t o = threadIdx.x; o < output.width; o += threads) {
    const float value = output.finished(output.data[row * output.stride + o], o);
    output.data[row * output.stride + o] = gate ? value * gate[row * gate_stride + o] : value;
  }
}

void widen(const PackedPart& part, DType format, int64_t values, Stream& stream) {
  const PanelArgs a{part.weight, part.group_bytes, part.output.width, static_cast<int>(values / 32), reinterpret_cast<uint2*>(stream.panel())};
  const dim3 grid(static_cast<unsigned>(ceil_div(a.units, warps * warp_units)), static_cast<unsigned>(ceil_div(a.outputs, 16)));
  with_packed_format(format, [&]<DType f>() { launch(stream, widen_kernel<f>, grid, threads, 0, a); });
}

PackedPart part_of(const LinearTarget& target, const Slice& s) {
  const PackedFormat f = packed_format(target.weight.format);
  PackedPart part{target.weight.data + s.output / 16 * group_bytes_of(target.weight) + s.value / f.values() * f.bytes(), group_bytes_of(target.weight), output_of(target)};
  part.output.data += s.output, part.output.width = s.outputs;
  if (part.output.bias) part.output.bias += s.output;
  return part;
}

class Panels {
 public:
  Panels(const Activations& x, std::byte* scratch, Stream& stream) : x_(x), scratch_(scratch), stream_(stream), rounded_(round_rows(x, DType::bf16, scratch, stream)) {}

  // One target, or a gated pair: then the gate's slice comes before the one that it is multiplied into.
  void multiply(std::span<const LinearTarget> targets) {
    const Matrix& weight = targets[0].weight;
    const PanelShape shape = panel_shape(weight.out, weight.in);
    for (int64_t output = 0; output < weight.out; output += shape.outputs) {
      const Slice s{output, std::min(shape.outputs, weight.out - output), 0, shape.values};
      if (targets.size() == 1) {
        slice(targets[0], s, {});
        continue;
      }
      slice(targets[1], s, {});
      slice(targets[0], s, part_of(targets[1], s).output);
    }
  }

 private:
  // Outputs of a target, panel after panel of values.
  void slice(const LinearTarget& target, const Slice& s, const Output& gate) {
    const bool finishes = gate.data || target.activation != Activation::none;
    for (int64_t value = 0; value < x_.in; value += s.values) {
      const Slice panel{s.output, s.outputs, value, std::min(s.values, x_.in - value)};
      PackedPart part = part_of(target, panel);
      part.output.activation = Activation::none, part.output.accumulate = target.accumulate || value > 0;
      if (finishes || value > 0) part.output.bias = nullptr;
      product(target.weight.format, part, panel);
    }
    if (finishes) launch(stream_, finish_kernel, dim3(static_cast<unsigned>(x_.rows)), threads, 0, part_of(target, s).output, gate.data, gate.stride);
  }

  void product(DType format, const PackedPart& part, const Slice& s) {
    if (library_) {
      widen(part, format, s.values, stream_);
      const Output& out = part.output;
      const BlasProduct p{false, stream_.panel(), values_from(s.value), out.data, out.bias, x_.rows, out.width, s.values, rounded_.stride, out.stride, out.accumulate};
      if (stream_.blas()->multiply(p, stream_)) return;
      library_ = false, rounded_ = round_lines(x_, scratch_, stream_);  // refused: what is left is ours
    }
    RoundedRows from = rounded_;
    from.data += s.value / 2;
    multiply_packed(format, std::span(&part, 1), from, x_.rows, s.values, stream_);
  }
  const std::byte* values_from(int64_t value) const { return reinterpret_cast<const std::byte*>(rounded_.data + value / 2); }

  Activations x_;
  std::byte* scratch_;
  Stream& stream_;
  RoundedRows rounded_;
  bool library_ = true;
};

}  // namespace

void gemm_panels(const TargetRun& run, const Activations& x, std::byte* scratch, Stream& stream) {
  Panels panels(x, scratch, stream);
  const std::span targets(run.target, static_cast<size_t>(run.count));
  if (run.gated) return panels.multiply(targets);
  for (size_t t = 0; t < targets.size(); ++t) panels.multiply(targets.subspan(t, 1));
}

}  // namespace lava::cuda
