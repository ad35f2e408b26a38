#include "kernels/probe/device_rates.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "kernels/call_list.h"
#include "kernels/cpu/memory.h"
#include "kernels/formats/formats.h"
#include "kernels/ops.h"

namespace lava {
namespace {

constexpr size_t least_bytes = size_t{1} << 20, most_copied = size_t{256} << 20, most_uploaded = size_t{64} << 20;
constexpr int64_t least_side = 64, most_side = 4096, pattern_rows = 16;
constexpr int slices = 8;  // a run that takes this part of the time is long enough

using Clock = std::chrono::steady_clock;

// Until the device is done with what `give` gives it.
Result<double> timed(Device& device, const std::function<void()>& give) {
  const auto start = Clock::now();
  give();
  LAVA_CHECK_OK(device.finish());
  return std::max(std::chrono::duration<double>(Clock::now() - start).count(), 1e-9);
}

// `amount` per second of `give`, the best of many batches: long enough that waiting for the device does not count.
Result<double> best_rate(Device& device, double amount, double seconds, const std::function<void()>& give) {
  double best = 0, spent = 0;
  for (int64_t count = 1; spent < seconds;) {
    const auto batch = [&] {
      for (int64_t i = 0; i < count; ++i) give();
    };
    LAVA_TRY(const double taken, timed(device, batch));
    best = std::max(best, amount * static_cast<double>(count) / taken), spent += taken;
    if (taken < seconds / slices) count *= 2;
  }
  return best;
}

// Values of which no part is like the next: memory that holds zeros may be faster, and products of them take less power.
class Noise {
 public:
  uint64_t next() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_;
  }
  float value() { return static_cast<float>(next() >> 40) * 0x1p-23f - 1; }  // -1 .. 1

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15u;
};

std::vector<std::byte> noise(size_t bytes) {
  std::vector<std::byte> values(bytes);
  Noise source;
  for (size_t i = 0; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
    const uint64_t bits = source.next();
    std::memcpy(values.data() + i, &bits, sizeof(bits));
  }
  return values;
}

// As many own buffers of one size, at most `most` bytes: half as large until the device has that much.
Result<std::vector<std::unique_ptr<Buffer>>> largest_buffers(Device& device, size_t count, size_t most) {
  for (size_t bytes = most;; bytes /= 2) {
    std::vector<std::unique_ptr<Buffer>> buffers;
    while (buffers.size() < count) {
      auto buffer = device.allocate(bytes, BufferUse::own);
      if (!buffer && (buffer.error().kind != Error::Kind::out_of_memory || bytes <= least_bytes)) return tl::unexpected<Error>(std::move(buffer).error());
      if (!buffer) break;
      buffers.push_back(std::move(*buffer));
    }
    if (buffers.size() == count) return buffers;
  }
}

// The smallest size whose run takes a slice of the time, or `most`. Runs it: what the first run costs is over afterwards.
Result<size_t> long_enough(Device& device, size_t most, double seconds, const std::function<void(size_t)>& give) {
  for (size_t bytes = std::min(least_bytes, most);; bytes = std::min(2 * bytes, most)) {
    LAVA_TRY(const double taken, timed(device, [&] { give(bytes); }));
    if (bytes == most || taken > seconds / slices) return bytes;
  }
}

// 16 random rows as they lie in a packed matrix; further ones look alike.
Result<std::unique_ptr<Buffer>> packed_rows(DType format, MatrixLayout layout, int64_t in) {
  std::vector<float> values(static_cast<size_t>(pattern_rows * in));
  Noise source;
  for (float& value : values) value = source.value();
  std::vector<std::byte> file(row_bytes(format, pattern_rows * in));
  for (int64_t row = 0; row < pattern_rows; ++row) quantize_row(format, values.data() + row * in, file.data() + row_bytes(format, row * in), in);
  LAVA_TRY(auto packed, allocate_host(packed_bytes(format, layout, pattern_rows, in)));
  pack_matrix(format, layout, pattern_rows, in, file.data(), packed->data());
  return packed;
}

void fill(Device& device, std::byte* target, size_t bytes, std::span<const std::byte> pattern) {
  for (size_t at = 0; at < bytes; at += pattern.size()) device.upload(target + at, pattern.first(std::min(pattern.size(), bytes - at)));
}

// `side` rows times a matrix of `side` by `side`.
class Product {
 public:
  static Result<std::unique_ptr<Product>> make(Device& device, DType format, Precision precision, int64_t side) {
    std::unique_ptr<Product> product(new Product(device));
    Arena plan;
    product->lay_out(plan, format, precision, side);
    LAVA_TRY(product->memory_, device.allocate(plan.high_water(), BufferUse::own));
    Arena arena(product->memory_->data(), plan.high_water());
    product->capture_.calls = {};
    const Matrix weight = product->lay_out(arena, format, precision, side);
    LAVA_TRY(const auto rows, packed_rows(format, weight.layout, side));
    const size_t bytes = packed_bytes(format, weight.layout, side, side);
    fill(device, product->memory_->data(), bytes, {rows->data(), packed_bytes(format, weight.layout, pattern_rows, side)});
    LAVA_TRY(const auto x, packed_rows(DType::f32, MatrixLayout::rows, side));
    fill(device, product->x_.data, product->x_.bytes(), {x->data(), packed_bytes(DType::f32, MatrixLayout::rows, pattern_rows, side)});
    return product;
  }
  void give() const {
    for (size_t i = 0; i < capture_.calls.size(); ++i) device_.execute(capture_.calls[i]);
  }

 private:
  explicit Product(Device& device) : device_(device), capture_(device.info()) {}
  // The matrix comes first.
  Matrix lay_out(Arena& arena, DType format, Precision precision, int64_t side) {
    Run run{capture_, arena};
    Matrix weight{format, preferred_layout(format, precision, capture_.info().host_memory), precision, static_cast<int32_t>(side), static_cast<int32_t>(side)};
    weight.data = static_cast<std::byte*>(arena.allocate(packed_bytes(format, weight.layout, side, side)));
    x_ = arena.f32({side, side});
    ops::linear(run, std::array{LinearTarget{weight, {}, arena.f32({side, side})}}, x_);
    return weight;
  }

  Device& device_;
  CaptureDevice capture_;
  std::unique_ptr<Buffer> memory_;
  Tensor x_;
};

double operations_of(int64_t side) { return 2.0 * std::pow(static_cast<double>(side), 3); }

std::string unit_of(const char* name, const ProductRate& rate) { return "its own product of " + std::to_string(rate.side) + " rows, " + name; }

}  // namespace

Result<double> copy_rate(Device& device, double seconds) {
  LAVA_TRY(const auto buffers, largest_buffers(device, 2, most_copied));
  std::byte *source = buffers[0]->data(), *target = buffers[1]->data();
  const size_t first = std::min(least_bytes, buffers[0]->size());
  const std::vector<std::byte> pattern = noise(first);
  device.upload(source, pattern);
  size_t filled = first;
  const auto copy = [&](size_t bytes) { device.copy(target, source, bytes); };
  LAVA_TRY(const size_t bytes, long_enough(device, buffers[0]->size(), seconds, [&](size_t wanted) {
             for (; filled < wanted; filled = std::min(2 * filled, wanted)) device.copy(source + filled, source, std::min(filled, wanted - filled));
             copy(wanted);
           }));
  return best_rate(device, 2.0 * static_cast<double>(bytes), seconds, [&] { copy(bytes); });
}

Result<double> upload_rate(Device& device, double seconds) {
  LAVA_TRY(const auto buffers, largest_buffers(device, 1, most_uploaded));
  const std::vector<std::byte> values = noise(buffers[0]->size());
  const auto upload = [&](size_t bytes) { device.upload(buffers[0]->data(), std::span(values).first(bytes)); };
  LAVA_TRY(const size_t bytes, long_enough(device, values.size(), seconds, upload));
  return best_rate(device, static_cast<double>(bytes), seconds, [&] { upload(bytes); });
}

Result<ProductRate> product_rate(Device& device, DType format, Precision precision, double seconds) {
  ProductRate rate;
  std::unique_ptr<Product> product;
  for (int64_t side = least_side; side <= most_side; side *= 2) {
    auto larger = Product::make(device, format, precision, side);
    if (!larger && larger.error().kind == Error::Kind::out_of_memory && product) break;
    if (!larger) return tl::unexpected<Error>(std::move(larger).error());
    product = std::move(*larger), rate.side = side;
    LAVA_CHECK_OK(timed(device, [&] { product->give(); }));  // the first one may compile
    LAVA_TRY(const double taken, timed(device, [&] { product->give(); }));
    if (taken > seconds / slices) break;
  }
  LAVA_TRY(rate.operations, best_rate(device, operations_of(rate.side), seconds, [&] { product->give(); }));
  return rate;
}

Result<Roofs> device_roofs(Device& device, double seconds) {
  Roofs roofs;
  roofs.level = device.info().isa;
  LAVA_TRY(roofs.read, copy_rate(device, seconds));
  roofs.read_of = "memory read and written", roofs.read_unit = "copies on the device";
  LAVA_TRY(roofs.upload, upload_rate(device, seconds));
  LAVA_TRY(const ProductRate f32, product_rate(device, DType::f32, Precision::exact, seconds));
  LAVA_TRY(const ProductRate bf16, product_rate(device, DType::bf16, Precision::bf16, seconds));
  LAVA_TRY(const ProductRate int8, product_rate(device, DType::q8_0, Precision::fast, seconds));
  roofs.f32 = f32.operations, roofs.f32_unit = unit_of("float32", f32);
  roofs.bf16 = bf16.operations, roofs.bf16_unit = unit_of("BF16", bf16);
  roofs.int8 = int8.operations, roofs.int8_unit = unit_of("Q8_0 in fast arithmetic", int8);
  return roofs;
}

}  // namespace lava
