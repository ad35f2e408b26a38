// Products by cuBLASLt: tests/cuda/library stands for it and computes what descriptors say.
#include "tests/cuda/library/library_fixture.h"

#include <cmath>
#include <cstring>

#include "kernels/compare.h"
#include "kernels/formats/formats.h"
#include "kernels/ops.h"
#include "kernels/selftest/selftest.h"

namespace lava {
namespace {

using CublasLt = LibraryFixture;

struct Product {
  DType format = DType::bf16;
  int64_t rows = 20, in = 40, out = 24;
  bool accumulate = false, bias = true;
  Activation activation = Activation::none;
  float x_scale = 1;
  int64_t x_offset = 0, weight_offset = 0;  // in values, from where memory is well aligned
  bool gated = false;
};

// A product in memory of its own, given to a device as often as wanted.
class Given {
 public:
  Given(Device& device, const Product& p) : memory_(std::move(*device.allocate(size_t{4} << 20))), arena_(memory_->data(), memory_->size()), run_{device, arena_}, p_(p) {
    std::memset(memory_->data(), 0, memory_->size());
    x_ = Tensor(DType::f32, {p.rows, p.in}, static_cast<std::byte*>(arena_.allocate(4 * static_cast<size_t>(p.rows * (p.in + 8) + p.x_offset))) + 4 * p.x_offset);
    x_.stride[0] = p.in + 8;
    fill(x_, p.x_scale);
    for (LinearTarget& t : targets_) t = target();
  }
  void give() {
    if (p_.gated) return ops::linear_glu(run_, targets_[0], targets_[1], x_);
    ops::linear(run_, std::span(targets_).first(1), x_);
  }
  void fill(Tensor& t, float scale) {
    for (int64_t r = 0; r < t.extent[0]; ++r) {
      const float factor = scale == 1 ? 1 : std::pow(scale, static_cast<float>(r % 5) - 2);  // of rows
      for (int64_t i = 0; i < t.extent[1]; ++i) t.f32()[r * t.stride[0] + i] = factor * random();
    }
  }
  Tensor& x() { return x_; }
  Tensor& out(int i = 0) { return targets_[i].out; }

 private:
  float random() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<int32_t>(state_ >> 32)) * 0x1p-31f;
  }
  LinearTarget target() {
    LinearTarget t;
    t.weight.format = p_.format, t.weight.precision = Precision::bf16, t.weight.out = static_cast<int32_t>(p_.out), t.weight.in = static_cast<int32_t>(p_.in);
    auto* weight = static_cast<uint16_t*>(arena_.allocate(2 * static_cast<size_t>(p_.out * p_.in + p_.weight_offset))) + p_.weight_offset;
    for (int64_t i = 0; i < p_.out * p_.in; ++i) weight[i] = p_.format == DType::f16 ? float_to_half(random()) : float_to_bf16(random());
    t.weight.data = reinterpret_cast<std::byte*>(weight);
    if (p_.bias) {
      t.bias = arena_.f32({p_.out});
      for (int64_t i = 0; i < p_.out; ++i) t.bias.f32()[i] = random();
    }
    t.out = Tensor(DType::f32, {p_.rows, p_.out}, static_cast<std::byte*>(arena_.allocate(4 * static_cast<size_t>(p_.rows * (p_.out + 3)))));
    t.out.stride[0] = p_.out + 3;
    fill(t.out, 1);
    t.accumulate = p_.accumulate, t.activation = p_.activation;
    return t;
  }

  std::unique_ptr<Buffer> memory_;
  Arena arena_;
  Run run_;
  Product p_;
  Tensor x_;
  LinearTarget targets_[2];
  uint64_t state_ = 7;
};

// The largest error of a row, relative to the row: small rows count as much as large ones.
double worst_row(Tensor actual, const Tensor& expected) {
  double worst = 0;
  for (int64_t r = 0; r < actual.extent[0]; ++r) {
    double difference = 0, size = 0;
    for (int64_t i = 0; i < actual.extent[1]; ++i) {
      const double a = actual.f32()[r * actual.stride[0] + i], e = expected.as<float>()[r * expected.stride[0] + i];
      difference += (a - e) * (a - e), size += e * e;
    }
    if (!(difference <= worst * size)) worst = difference / size;
  }
  return worst;
}

double error_of(Device& device, const Product& p) {
  static const auto reference = std::move(*make_cpu_device({.threads = 1, .isa = "reference", .pin = false}));
  Given expected(*reference, p), actual(device, p);
  expected.give(), actual.give();
  EXPECT_TRUE(device.finish());
  const double second = p.gated ? worst_row(actual.out(1), expected.out(1)) : 0;
  return std::max(worst_row(actual.out(), expected.out()), second);
}

constexpr double bf16_limit = 1e-5, half_limit = 2e-7;  // a tenth of a per cent per product of BF16, a fiftieth of that in F16

TEST_F(CublasLt, EveryCaseOfLinearEqualsItsReference) {
  const auto device = open();
  EXPECT_NE(device->info().isa.find("cuBLASLt 13.2.5"), std::string::npos) << device->info().isa;
  for (const SelftestRow& row : selftest(*device, "linear")) EXPECT_TRUE(row.ok) << row.op << ": " << row.name << ": " << row.nmse << " > " << row.limit;
  EXPECT_TRUE(device->finish());
  EXPECT_GE(fake->products, 20);
}

TEST_F(CublasLt, StridesEpiloguesAndAlignmentsAreThoseOfTheProduct) {
  const auto device = open();
  int products = 0;
  for (const DType format : {DType::bf16, DType::f16}) {
    const double limit = format == DType::f16 ? half_limit : bf16_limit;
    for (const Product& p : {Product{format}, Product{format, 16, 75, 33}, {format, 70, 24, 41}, {format, 20, 40, 24, true}, {format, 20, 40, 24, true, false},
                             {format, 20, 40, 24, false, true, Activation::gelu_tanh}, {format, 20, 40, 24, false, false, Activation::gelu},
                             {format, 20, 41, 24, false, true, Activation::none, 1, 3, 5}, {format, 21, 40, 24, false, true, Activation::silu, 1, 0, 0, true}}) {
      EXPECT_LT(error_of(*device, p), p.gated ? 3 * limit : limit) << dtype_info(format).name << ' ' << p.rows << ' ' << p.in << ' ' << p.out;
      products += p.gated ? 2 : 1;
      EXPECT_EQ(fake->products, products);
    }
  }
}

// Rows from 1e-16 to 1e16: F16 alone holds neither end. A row of zeros stays one.
TEST_F(CublasLt, RowsBeyondTheRangeOfF16) {
  const auto device = open();
  for (const bool accumulate : {false, true}) EXPECT_LT(error_of(*device, {DType::f16, 20, 400, 24, accumulate, false, Activation::none, 1e8f}), accumulate ? 1e-6 : half_limit);
  EXPECT_EQ(fake->products, 2);
  Given zeros(*device, {DType::f16, 20, 40, 24, false, false});
  std::memset(zeros.x().data, 0, 4 * static_cast<size_t>(20 * 48));
  zeros.give();
  ASSERT_TRUE(device->finish());
  for (int64_t i = 0; i < 24; ++i) EXPECT_EQ(zeros.out().f32()[i], 0.0f);
}

TEST_F(CublasLt, AnAlgorithmIsChosenOncePerShape) {
  const auto device = open();
  Given first(*device, {}), same(*device, {}), other(*device, {DType::bf16, 21});
  for (Given* product : {&first, &same, &first}) product->give();
  EXPECT_EQ(fake->heuristics, 1);
  other.give();
  EXPECT_EQ(fake->heuristics, 2);
  EXPECT_EQ(fake->products, 4);
  EXPECT_TRUE(device->finish());
}

TEST_F(CublasLt, RecordsAndReplays) {
  const auto device = open();
  for (const DType format : {DType::bf16, DType::f16}) {
    const Product p{format, 20, 40, 24, false, true, Activation::relu};
    Given recorded(*device, p), eager(*device, p);
    const auto recording = device->record([&] { recorded.give(); });
    for (int pass = 0; pass < 3; ++pass) {
      for (Given* g : {&recorded, &eager}) g->x().f32()[pass] += 1;
      recording->replay(), eager.give();
      ASSERT_TRUE(device->finish());
      EXPECT_EQ(worst_row(recorded.out(), eager.out()), 0) << pass;
    }
  }
}

TEST_F(CublasLt, OwnKernelsServeWhatItRefuses) {
  const auto device = open();
  fake->no_algorithm = true;
  EXPECT_LT(error_of(*device, {}), bf16_limit);
  fake->no_algorithm = false;
  EXPECT_LT(error_of(*device, {}), bf16_limit);  // and it is not asked again for that shape
  EXPECT_EQ(fake->heuristics, 0);
  fake->matmul = CUBLAS_STATUS_NOT_SUPPORTED;
  for (const bool accumulate : {false, true}) EXPECT_LT(error_of(*device, {DType::f16, 17, 40, 24, accumulate}), 1e-5);
  fake->matmul = CUBLAS_STATUS_SUCCESS;
  EXPECT_LT(error_of(*device, {DType::f16, 17, 40, 24}), 1e-5);
  EXPECT_EQ(fake->products, 0);
}

TEST_F(CublasLt, ABreakdownLosesTheDevice) {
  const auto device = open();
  fake->matmul = CUBLAS_STATUS_EXECUTION_FAILED;
  Given product(*device, {});
  product.give();
  const auto finished = device->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().kind, Error::Kind::device_lost);
  EXPECT_NE(finished.error().message().find("CUBLAS_STATUS_EXECUTION_FAILED, found at linear"), std::string::npos) << finished.error().message();
  fake->matmul = CUBLAS_STATUS_SUCCESS;
  product.give();  // nothing follows
  EXPECT_EQ(fake->products, 0);
}

TEST_F(CublasLt, WithoutItOwnKernelsServe) {
  fake->create = CUBLAS_STATUS_NOT_INITIALIZED;
  EXPECT_LT(error_of(*open(), {}), bf16_limit);
  for (const char* place : {"off", "/nowhere/libcublasLt.so.13", "libc.so.6"}) {
    setenv("LAVASCOPE_CUBLASLT", place, 1);
    const auto device = open();
    EXPECT_NE(device->info().isa.find("own matrix products"), std::string::npos) << place;
    EXPECT_LT(error_of(*device, {}), bf16_limit);
  }
  EXPECT_EQ(fake->products, 0);
}

// Every allocation in turn finds no room: opening says so, or goes on without the library.
TEST_F(CublasLt, NoRoomForItsWorkspace) {
  int opened_without = 0;
  for (int call = 0; call < 12; ++call) {
    emulator::fail_at(call, cudaErrorMemoryAllocation, false);
    const auto device = cuda::make_cuda_device(0);
    emulator::fail_at(-1, cudaSuccess, false);
    EXPECT_TRUE(device || device.error().kind == Error::Kind::out_of_memory);
    opened_without += device && (*device)->info().isa.find("own matrix products") != std::string::npos;
  }
  EXPECT_EQ(opened_without, 1);
}

}  // namespace
}  // namespace lava
