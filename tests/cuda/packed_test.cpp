// Many rows against packed weights: by our own tiles, and by the library a panel at a time. What both promise is that weights and activations are
// rounded to BF16 once and nothing else is: the products expected here are made so, in double.
#include <cmath>
#include <cstring>
#include <tuple>
#include <vector>

#include "kernels/activation/scalar.h"
#include "kernels/cuda/plan.h"
#include "kernels/formats/formats.h"
#include "kernels/linear/pack.h"
#include "kernels/ops.h"
#include "kernels/selftest/cases.h"
#include "tests/cuda/library/library_fixture.h"

namespace lava {
namespace {

constexpr DType formats[] = {DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q8_0, DType::q4_k, DType::q5_k, DType::q6_k};

// Sums in float32, cut as tensor cores cut them, stay well below the first; a min is added in float32, so a weight in some thousands is rounded the other way.
constexpr double sum_limit = 1e-10, min_limit = 1e-8;
double limit_of(DType format) { return packed_format(format).has_min ? min_limit : sum_limit; }

struct Given {
  DType format;
  int64_t rows, out, in;
  int targets = 1;
  bool bias = true, accumulate = false;
  Activation activation = Activation::none;
  bool gated = false;
  int64_t gap = 3;  // between rows of a result
};
std::string name_of(const Given& g) { return std::string(dtype_info(g.format).name) + ' ' + std::to_string(g.rows) + " x " + std::to_string(g.in) + " -> " + std::to_string(g.out); }

class Product {
 public:
  Product(Device& device, const Given& g) : device_(device), given_(g), memory_(std::move(*device.allocate(memory_bytes(g)))), arena_(memory_->data(), memory_->size()), run_{device, arena_} {
    std::memset(memory_->data(), 0, memory_->size());
    selftest_detail::Builder b(run_, static_cast<uint64_t>(1000 * g.rows + g.out) + static_cast<uint64_t>(g.format));
    x_ = b.random({g.rows, g.in});
    for (int t = 0; t < g.targets; ++t) targets_.push_back(target(b, t));
    before_.assign(memory_->data(), memory_->data() + memory_->size());
    expected_ = expected_results();
  }

  // The worst error of a target.
  double error(bool recorded = false) {
    std::memcpy(memory_->data(), before_.data(), before_.size());
    const auto recording = recorded ? device_.record([&] { give(); }) : nullptr;
    recording ? recording->replay() : give();
    EXPECT_TRUE(device_.finish());
    double worst = 0;
    for (size_t t = 0; t < targets_.size(); ++t) worst = std::max(worst, error_of(targets_[t].out, expected_[t]));
    return worst;
  }
  // With what lies between the rows, which nobody may write.
  std::vector<float> values() {
    std::vector<float> all;
    for (LinearTarget& t : targets_)
      for (int64_t r = 0; r < given_.rows; ++r) all.insert(all.end(), t.out.row(r), t.out.row(r) + t.out.extent[1] + given_.gap);
    return all;
  }

 private:
  static size_t memory_bytes(const Given& g) {
    const int64_t targets = g.targets * (g.out * (g.in + 16) * 2 + 4 * g.rows * (g.out + 16));
    return static_cast<size_t>(targets + 16 * g.rows * (g.in + 64)) + (size_t{1} << 20);
  }
  LinearTarget target(selftest_detail::Builder& b, int index) {
    LinearTarget t;
    const int64_t out = given_.gated ? given_.out : given_.out + 8 * index;
    t.weight = b.matrix(given_.format, MatrixLayout::interleaved16, Precision::fast, out, given_.in);
    if (given_.bias) t.bias = b.random({out});
    t.out = b.random({given_.rows, out + given_.gap});
    t.out.extent[1] = out;
    t.accumulate = given_.accumulate && index % 2 == 0, t.activation = t.accumulate || index == 1 ? Activation::none : given_.activation;
    return t;
  }
  void give() {
    if (given_.gated) return ops::linear_glu(run_, targets_[0], targets_[1], x_);
    ops::linear(run_, targets_, x_);
  }

  static double rounded(float value) { return bf16_to_float(float_to_bf16(value)); }
  std::vector<double> expected_result(const LinearTarget& t) const {
    const int64_t in = given_.in, out = t.weight.out;
    std::vector<double> x(static_cast<size_t>(given_.rows * in)), results(static_cast<size_t>(given_.rows * out));
    std::vector<float> row(static_cast<size_t>(in));
    for (size_t i = 0; i < x.size(); ++i) x[i] = rounded(x_.f32()[i]);
    for (int64_t o = 0; o < out; ++o) {
      widen_row(t.weight, o, row.data());
      for (float& w : row) w = static_cast<float>(rounded(w));
      for (int64_t r = 0; r < given_.rows; ++r) {
        double sum = t.bias.empty() ? 0 : t.bias.f32()[o];
        for (int64_t k = 0; k < in; ++k) sum += x[static_cast<size_t>(r * in + k)] * row[static_cast<size_t>(k)];
        results[static_cast<size_t>(r * out + o)] = reference::apply(t.activation, sum) + (t.accumulate ? t.out.row(r)[o] : 0.0f);
      }
    }
    return results;
  }
  std::vector<std::vector<double>> expected_results() const {
    std::vector<std::vector<double>> results;
    for (const LinearTarget& t : targets_) results.push_back(expected_result(t));
    if (given_.gated)
      for (size_t i = 0; i < results[0].size(); ++i) results[0][i] *= results[1][i];
    return results;
  }
  static double error_of(Tensor actual, const std::vector<double>& expected) {
    double difference = 0, size = 0;
    for (int64_t r = 0; r < actual.extent[0]; ++r)
      for (int64_t o = 0; o < actual.extent[1]; ++o) {
        const double e = expected[static_cast<size_t>(r * actual.extent[1] + o)], d = actual.row(r)[o] - e;
        difference += d * d, size += e * e;
      }
    return difference <= size ? difference / size : 1;  // 1 also of NaN
  }
  Device& device_;
  Given given_;
  std::unique_ptr<Buffer> memory_;
  Arena arena_;
  Run run_;
  Tensor x_;
  std::vector<LinearTarget> targets_;
  std::vector<std::byte> before_;
  std::vector<std::vector<double>> expected_;
};

double most_of(const Given& g) { return (g.gated ? 3 : 1) * limit_of(g.format); }
// Given eagerly and recorded, which must come to the same bits.
void expect_right(Device& device, const Given& g) {
  Product product(device, g);
  EXPECT_LT(product.error(), most_of(g)) << name_of(g);
  const std::vector<float> eager = product.values();
  EXPECT_LT(product.error(true), most_of(g)) << name_of(g);
  EXPECT_EQ(eager, product.values()) << name_of(g);
}

class PackedFormats : public testing::TestWithParam<DType> {
 protected:
  PackedFormats() : device(std::move(*cuda::make_cuda_device(0))) {}
  bool k_quant() const { return packed_format(GetParam()).units > 1; }
  std::unique_ptr<Device> device;
};
INSTANTIATE_TEST_SUITE_P(Formats, PackedFormats, testing::ValuesIn(formats), [](const auto& info) { return std::string(dtype_info(info.param).name); });

TEST_P(PackedFormats, RaggedRowsOutputsAndValues) {
  for (const int64_t rows : {9, 16, 17, 31, 64, 65, 100}) {
    for (const int64_t out : {24, 137}) expect_right(*device, {GetParam(), rows, out, k_quant() ? 768 : 544});
    for (const int64_t in : {32, 96, 160, 256})
      if (!k_quant() || in % 256 == 0) expect_right(*device, {GetParam(), rows, 41, in});
  }
  expect_right(*device, {GetParam(), 31, 200, k_quant() ? 1280 : 1312});
  for (const int64_t out : {40, 137}) expect_right(*device, {GetParam(), 577, out, k_quant() ? 256 : 96});
}

TEST_P(PackedFormats, TargetsAndWhatFollowsTheSums) {
  for (const int64_t rows : {9, 17, 33, 70}) {
    expect_right(*device, {GetParam(), rows, 122, 256, 3, true, false, Activation::gelu});
    expect_right(*device, {GetParam(), rows, 122, 256, 3, false, true, Activation::silu, false, 4});
    expect_right(*device, {GetParam(), rows, 130, 256, 2, rows < 20, false, Activation::silu, true});
  }
}

// Wide enough that tiles are whole, shared by two, and shared by many.
TEST(PackedTiles, AreSharedByBlocks) {
  const auto device = std::move(*cuda::make_cuda_device(0));
  for (const Given& g : {Given{DType::q4_0, 9, 1100, 512}, Given{DType::q4_0, 33, 2100, 96}, Given{DType::q6_k, 70, 300, 2048}, Given{DType::q5_1, 20, 16, 4096}}) expect_right(*device, g);
}

using PackedPanels = LibraryFixture;

TEST_F(PackedPanels, EqualWhatTheyPromise) {
  const auto device = open();
  for (const DType format : formats) {
    const int64_t in = packed_format(format).units > 1 ? 256 : 160;
    expect_right(*device, {format, 577, 40, in});
    expect_right(*device, {format, 256, 137, in, 3, true, false, Activation::gelu});
    expect_right(*device, {format, 300, 33, in, 3, true, true, Activation::silu});
    expect_right(*device, {format, 257, 72, in, 2, format != DType::q4_0, false, Activation::silu, true});
  }
  EXPECT_EQ(fake->products, 2 * 8 * (1 + 3 + 3 + 2));  // given twice each
  expect_right(*device, {DType::q4_0, 255, 40, 64});
  EXPECT_EQ(fake->products, 2 * 8 * (1 + 3 + 3 + 2));
}

TEST_F(PackedPanels, AreCutWhereWeightsAreLarge) {
  const auto device = open();
  expect_right(*device, {DType::q4_k, 256, 40, 4352});
  EXPECT_EQ(fake->products, 2 * 2);
  expect_right(*device, {DType::q5_0, 256, 24, 4384, 1, true, true});
  expect_right(*device, {DType::q4_0, 256, 24, 4384, 2, true, false, Activation::silu, true});
  EXPECT_EQ(fake->products, 2 * (2 + 2 + 4));
  expect_right(*device, {DType::q4_0, 256, 66000, 32, 1, true, false, Activation::relu});
  EXPECT_EQ(fake->products, 2 * (2 + 2 + 4 + 2));
}

// From any panel on the library may refuse: what is left is computed here, and what is done stays.
TEST_F(PackedPanels, OwnKernelsServeWhatIsRefused) {
  const Given plain{DType::q8_0, 256, 24, 4128, 1, true, true}, gated{DType::q4_k, 256, 24, 4352, 2, true, false, Activation::silu, true};
  for (const auto& [given, most, recorded] : {std::tuple{plain, 0, false}, {plain, 1, true}, {gated, 1, false}, {gated, 3, true}}) {
    *fake = {}, fake->most_products = most;
    EXPECT_LT(Product(*open(), given).error(recorded), most_of(given)) << most;
    EXPECT_EQ(fake->products, most);
  }
}

TEST_F(PackedPanels, NeedTheLibraryAndRoom) {
  setenv("LAVASCOPE_CUBLASLT", "off", 1);
  expect_right(*open(), {DType::q4_0, 256, 40, 64});
  setenv("LAVASCOPE_CUBLASLT", LAVA_FAKE_CUBLASLT, 1);
  bool without = false;
  for (int call = 0; call < 14 && !without; ++call) {  // one of these allocations is the panel's
    emulator::fail_at(call, cudaErrorMemoryAllocation, false);
    const auto device = cuda::make_cuda_device(0);
    emulator::fail_at(-1, cudaSuccess, false);
    if (!device || (*device)->info().isa.find("cuBLASLt") == std::string::npos) continue;
    expect_right(**device, {DType::q4_0, 256, 40, 64});
    without = fake->products == 0;
  }
  EXPECT_TRUE(without);
}

}  // namespace
}  // namespace lava
