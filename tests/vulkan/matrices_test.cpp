// Products by matrices of subgroups: which shape a device gets, in which tile, and what comes out of numbers that float16 does not hold.
#include "kernels/vulkan/matrices.h"

#include <cmath>
#include <numbers>

#include "kernels/formats/formats.h"
#include "tests/vulkan/vulkan_fixture.h"

namespace lava::test {
namespace {

using vulkan::Limits;
using vulkan::matrix_tile;
using vulkan::MatrixShape;
using vulkan::MatrixTile;
using vulkan::played_shapes;
using vulkan::Tiles;
using vulkan::usable_shapes;

constexpr auto f16 = VK_COMPONENT_TYPE_FLOAT16_KHR;
constexpr auto f32 = VK_COMPONENT_TYPE_FLOAT32_KHR;
constexpr auto s8 = VK_COMPONENT_TYPE_SINT8_KHR;

VkCooperativeMatrixPropertiesKHR offer(MatrixShape s, VkComponentTypeKHR ab = f16, VkComponentTypeKHR c = f32, VkComponentTypeKHR result = f32,
                                       VkScopeKHR scope = VK_SCOPE_SUBGROUP_KHR) {
  return {VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR, nullptr, s.m, s.n, s.k, ab, ab, c, result, VK_FALSE, scope};
}

// On a device whose driver translates all that fits.
MatrixTile tile_for(const Limits& limits, std::span<const MatrixShape> shapes) {
  return vulkan::choose_matrix_tile(limits, shapes, [](const MatrixTile&) { return true; });
}

TEST(Matrices, OfAnOfferTheUsableShapesAreTaken) {
  EXPECT_TRUE(usable_shapes({}).empty());
  const std::vector mixed{offer({16, 16, 16}, f16, f16, f16), offer({16, 16, 16}, f16, f32, f16), offer({16, 16, 32}, s8),
                          offer({16, 16, 16}, f16, f32, f32, VK_SCOPE_WORKGROUP_KHR), offer({16, 24, 16}), offer({64, 64, 64}), offer({0, 16, 16})};
  EXPECT_TRUE(usable_shapes(mixed).empty());
  VkCooperativeMatrixPropertiesKHR halves = offer({16, 16, 16});
  halves.BType = s8;
  EXPECT_TRUE(usable_shapes({&halves, 1}).empty());
}

TEST(Matrices, SixteenCubedComesFirstThenTheLargest) {
  const std::vector offered{offer({8, 8, 8}), offer({16, 8, 16}), offer({16, 16, 32}), offer({16, 16, 16}), offer({16, 8, 16}), offer({8, 8, 16})};
  const std::vector<MatrixShape> expected{{16, 16, 16}, {16, 16, 32}, {16, 8, 16}, {8, 8, 16}, {8, 8, 8}};
  EXPECT_EQ(usable_shapes(offered), expected);
  EXPECT_EQ(usable_shapes({&offered[0], 1}), (std::vector<MatrixShape>{{8, 8, 8}}));
}

// Whether gemm_matrix.comp can divide the tile.
void expect_divides(const MatrixTile& tile) {
  EXPECT_EQ(tile.threads % tile.subgroup, 0u);
  EXPECT_EQ(tile.subgroups() % tile.across, 0u);
  EXPECT_EQ(tile.rows % tile.least_rows(), 0u);
  EXPECT_EQ(tile.outputs % tile.least_outputs(), 0u);
  EXPECT_EQ(32 % tile.shape.k, 0u);
}

TEST(Matrices, TilesFitAndDivide) {
  const std::vector<MatrixShape> shapes{{16, 16, 16}, {16, 8, 16}, {8, 16, 16}, {8, 8, 16}, {8, 8, 8}, {16, 8, 8}, {16, 16, 8}, {32, 8, 16}, {4, 4, 4}, {32, 32, 32}};
  int found = 0;
  for (const uint32_t invocations : {128, 256, 1024})
    for (const uint32_t kib : {16, 32, 48, 64, 228})
      for (const uint32_t subgroup : {4, 8, 16, 32, 64, 128})
        for (const MatrixShape& shape : shapes) {
          SCOPED_TRACE(testing::Message() << invocations << ',' << kib << ',' << subgroup << ": " << shape.m << 'x' << shape.n << 'x' << shape.k);
          const Limits limits{invocations, kib << 10, subgroup};
          Tiles tiles;
          tiles.matrix = tile_for(limits, {&shape, 1});
          if (tiles.matrix.threads == 0) continue;
          ++found;
          EXPECT_LE(tiles.matrix.threads, invocations);
          EXPECT_LE(tiles.matrix.shared_bytes(), limits.shared_bytes);
          expect_divides(tiles.matrix);
          for (const int64_t rows : {32, 33, 64, 65, 128, 129, 512, 5000})
            for (const int64_t outputs : {1, 64, 65, 896, 4096, 150000}) {
              const MatrixTile tile = matrix_tile(tiles, rows, outputs);
              expect_divides(tile);
              EXPECT_TRUE(rows > tile.rows / 2 || tile.rows == tile.least_rows()) << rows;
              EXPECT_LE(tile.shared_bytes(), limits.shared_bytes);
            }
        }
  EXPECT_GT(found, 400);
}

TEST(Matrices, CommonCardsGetTallTiles) {
  const MatrixShape sixteen{16, 16, 16}, eight{8, 16, 16};
  for (const uint32_t subgroup : {32, 64}) {
    const MatrixTile tile = tile_for({1024, 48 << 10, subgroup}, {&sixteen, 1});
    EXPECT_EQ(tile.rows, 128u) << subgroup;
    EXPECT_EQ(tile.outputs, 128u) << subgroup;
  }
  EXPECT_EQ(tile_for({1024, 64 << 10, 16}, {&eight, 1}).rows, 128u);
  EXPECT_GT(tile_for({}, {&sixteen, 1}).threads, 0u);  // the least that Vulkan promises
}

TEST(Matrices, AShapeThatDoesNotFitLeavesItToTheNext) {
  const std::vector<MatrixShape> shapes{{32, 32, 16}, {8, 8, 8}};
  const MatrixTile tile = tile_for({128, 16 << 10, 8}, shapes);
  EXPECT_EQ(tile.shape, shapes[1]);
  EXPECT_EQ(tile_for({128, 16 << 10, 8}, std::span(shapes).first(1)).threads, 0u);
  EXPECT_EQ(tile_for({128, 16 << 10, 24}, shapes).threads, 0u);  // no power of two
  EXPECT_EQ(tile_for({}, {}).threads, 0u);
}

TEST(Matrices, WhatTheDriverDoesNotTranslateIsPassedOver) {
  const std::vector<MatrixShape> shapes{{16, 16, 16}, {8, 8, 8}};
  const Limits limits{1024, 48 << 10, 32};
  const auto chosen = [&](const auto& translates) { return vulkan::choose_matrix_tile(limits, shapes, translates); };
  EXPECT_EQ(chosen([&](const MatrixTile& tile) { return tile.shape == shapes[1]; }).shape, shapes[1]);
  const MatrixTile smaller = chosen([](const MatrixTile& tile) { return tile.outputs < 128; });  // too much for the driver as a large tile
  EXPECT_EQ(smaller.shape, shapes[0]);
  EXPECT_EQ(smaller.outputs, 64u);
  EXPECT_EQ(chosen([](const MatrixTile&) { return false; }).threads, 0u);
}

TEST(Matrices, ShapesMayBePlayed) {
  const std::vector<MatrixShape> device{{8, 8, 8}}, played{{16, 8, 32}};
  EXPECT_EQ(*played_shapes(device, ""), device);
  EXPECT_EQ(*played_shapes(device, "1"), device);
  EXPECT_TRUE(played_shapes(device, "0")->empty());
  EXPECT_EQ(*played_shapes(device, "16,8,32"), played);
  EXPECT_TRUE(played_shapes({}, "16,8,32")->empty());  // a device without stays without
  for (const char* wish : {"16", "16,16", "16,16,16,", "12,16,16", "2,16,16", "64,16,16", "16x16x16", "-1,16,16", "no"}) {
    const auto refused = played_shapes(device, wish);
    ASSERT_FALSE(refused) << wish;
    EXPECT_FALSE(refused.error().remedy.empty());
  }
}

// On a device that multiplies matrices: products against sums in double precision.
class VulkanMatrices : public Vulkan {
 protected:
  static constexpr size_t memory_bytes = size_t{8} << 20;

  void SetUp() override {
    Vulkan::SetUp();
    if (IsSkipped()) return;
    if (device_->info().isa.find("matrices") == std::string::npos) GTEST_SKIP() << "the first device multiplies no matrices by subgroups";
    memory_ = allocate(memory_bytes, BufferUse::shared);
    arena_.emplace(memory_->data(), memory_bytes);
  }

  Tensor values(int64_t rows, int64_t width) {
    const Tensor t = arena_->f32({rows, width});
    for (int64_t i = 0; i < t.elements(); ++i) t.f32()[i] = static_cast<float>(std::sin(static_cast<double>(++count_) * std::numbers::sqrt2));
    return t;
  }
  // `rows` encoded in a format, as the op takes it; `rows` becomes what was encoded.
  Matrix encoded(DType format, const Tensor& rows, Precision precision) {
    const int64_t out = rows.rows(), in = rows.width();
    const MatrixLayout layout = is_quantized(format) ? MatrixLayout::interleaved16 : MatrixLayout::rows;
    std::vector<std::byte> file(packed_bytes(format, MatrixLayout::rows, out, in));
    const size_t row_bytes = file.size() / static_cast<size_t>(out);
    for (int64_t r = 0; r < out; ++r) {
      std::byte* const row = file.data() + static_cast<size_t>(r) * row_bytes;
      quantize_row(format, rows.row(r), row, in);
      dequantize_row(format, row, rows.row(r), in);
    }
    Matrix m{format, layout, precision, static_cast<int32_t>(out), static_cast<int32_t>(in)};
    auto* packed = static_cast<std::byte*>(arena_->allocate(packed_bytes(format, layout, out, in)));
    pack_matrix(format, layout, out, in, file.data(), packed);
    m.data = packed;
    return m;
  }
  // The worst error of a result as a part of the sum of its terms' magnitudes.
  double worst_error(const Tensor& x, const Tensor& w, const Matrix& matrix) {
    LinearTarget target;
    target.weight = matrix, target.out = arena_->f32({x.rows(), w.rows()});
    lava::Run run{*device_, *arena_};
    ops::linear(run, {&target, 1}, x);
    expect_finished();
    double worst = 0;
    for (int64_t r = 0; r < x.rows(); ++r) {
      for (int64_t o = 0; o < w.rows(); ++o) {
        double sum = 0, size = 0;
        for (int64_t i = 0; i < x.width(); ++i) {
          const double term = double{x.row(r)[i]} * double{w.row(o)[i]};
          sum += term, size += std::abs(term);
        }
        const double error = std::abs(double{target.out.row(r)[o]} - sum);
        if (!(error <= size)) return std::numeric_limits<double>::infinity();  // also for what is not a number
        if (size > 0) worst = std::max(worst, error / size);
      }
    }
    return worst;
  }
  static void scale(const Tensor& t, int64_t row, float factor) {
    for (int64_t i = 0; i < t.width(); ++i) t.row(row)[i] *= factor;
  }

  std::unique_ptr<Buffer> memory_;
  std::optional<Arena> arena_;
  int64_t count_ = 0;
};

constexpr double half_error = 1e-3;  // both sides rounded to 11 bits, or cut

TEST_F(VulkanMatrices, RaggedProductsAreRight) {
  struct Shape {
    DType format;
    int64_t rows, out, in;
  };
  for (const auto& [format, rows, out, in] : {Shape{DType::f32, 40, 33, 75}, {DType::bf16, 32, 1, 32}, {DType::f16, 33, 129, 96}, {DType::bf16, 130, 70, 224}, {DType::f32, 257, 300, 64}}) {
    const auto scope = arena_->scope();
    const Tensor x = values(rows, in), w = values(out, in);
    EXPECT_LT(worst_error(x, w, encoded(format, w, Precision::bf16)), half_error) << dtype_info(format).name << ' ' << rows << " x " << in << " -> " << out;
  }
}

// It is float16 that multiplies, and only where the precision allows it.
TEST_F(VulkanMatrices, ServeWhereValuesMayBeRounded) {
  const Tensor x = values(64, 256), w = values(48, 256);
  EXPECT_GT(worst_error(x, w, encoded(DType::f32, w, Precision::bf16)), 1e-6);
  EXPECT_LT(worst_error(x, w, encoded(DType::f32, w, Precision::exact)), 1e-6);
  EXPECT_LT(worst_error(x, w, encoded(DType::f32, w, Precision::fast)), 1e-6);
  EXPECT_GT(worst_error(x, w, encoded(DType::q4_0, w, Precision::fast)), 1e-6);
  EXPECT_LT(worst_error(x, w, encoded(DType::q4_0, w, Precision::exact)), 1e-6);
}

// Rows side by side in one tile, from beyond the range of float16 to below it, zeros among them.
TEST_F(VulkanMatrices, RowsOfAnySizeKeepTheirBits) {
  const Tensor x = values(40, 128), w = values(33, 128);
  const Matrix matrix = encoded(DType::bf16, w, Precision::fast);
  const float factors[] = {1e6f, 1e-6f, 1, 1e20f, 1e-20f, 0, 65504, 6e-5f, 1e-8f, 3e30f, 1e-30f};
  for (int64_t r = 0; r < x.rows(); ++r) scale(x, r, factors[r % std::ssize(factors)]);
  EXPECT_LT(worst_error(x, w, matrix), half_error);
}

TEST_F(VulkanMatrices, AHugeValueAmongSmallOnes) {
  const Tensor x = values(32, 256), w = values(16, 256);
  for (int64_t r = 0; r < 32; ++r) x.row(r)[(7 * r) % 256] = r % 2 != 0 ? 1e6f : -3e8f;
  EXPECT_LT(worst_error(x, w, encoded(DType::f16, w, Precision::bf16)), half_error);
}

TEST_F(VulkanMatrices, WeightsOfAnySizeKeepTheirBits) {
  const Tensor x = values(40, 256);
  const float factors[] = {1, 1e6f, 1e-6f, 1e30f, 1e-30f, 0};
  for (const DType format : {DType::f32, DType::bf16}) {
    const Tensor w = values(37, 256);
    for (int64_t r = 0; r < w.rows(); ++r) scale(w, r, factors[r % std::ssize(factors)]);
    EXPECT_LT(worst_error(x, w, encoded(format, w, Precision::bf16)), half_error) << dtype_info(format).name;
  }
}

// The scales of blocks are float16 themselves: from subnormal to as large as they get.
TEST_F(VulkanMatrices, ScalesOfAnySizeKeepTheirBits) {
  const Tensor x = values(40, 256);
  for (const DType format : {DType::f16, DType::q4_0, DType::q4_1, DType::q5_0, DType::q8_0, DType::q4_k, DType::q6_k}) {
    const auto scope = arena_->scope();
    const float largest = format == DType::f16 || format == DType::q4_1 ? 65000 : format == DType::q8_0 ? 4e6f : 4e5f;  // the minimum of Q4_1 is float16 too
    const float factors[] = {1, largest, 1e-3f, 1e-5f, 3e-7f};
    const Tensor w = values(37, 256);
    for (int64_t r = 0; r < w.rows(); ++r) scale(w, r, factors[r % std::ssize(factors)]);
    EXPECT_LT(worst_error(x, w, encoded(format, w, format == DType::f16 ? Precision::bf16 : Precision::fast)), half_error) << dtype_info(format).name;
  }
}

// Powers count with the gain, which comes before the product; 1 / rms brings large rows back.
TEST_F(VulkanMatrices, NormedRowsBeyondTheRange) {
  const Tensor x = values(40, 64), w = values(24, 64), gain = arena_->f32({64});
  for (int64_t i = 0; i < 64; ++i) gain.f32()[i] = i % 2 != 0 ? 3e4f : 1e-3f;
  for (int64_t r = 0; r < x.rows(); ++r) scale(x, r, r % 3 == 0 ? 1e6f : 1);
  LinearTarget target;
  target.weight = encoded(DType::bf16, w, Precision::fast), target.out = arena_->f32({40, 24});
  lava::Run run{*device_, *arena_};
  ops::linear(run, {&target, 1}, x, RmsNorm{gain, 1e-6f});
  expect_finished();
  for (int64_t r = 0; r < 40; ++r) {
    double squares = 0;
    for (int64_t i = 0; i < 64; ++i) squares += double{x.row(r)[i]} * double{x.row(r)[i]};
    for (int64_t o = 0; o < 24; ++o) {
      double sum = 0, size = 0;
      for (int64_t i = 0; i < 64; ++i) {
        const double term = double{x.row(r)[i]} * double{gain.f32()[i]} * double{w.row(o)[i]};
        sum += term, size += std::abs(term);
      }
      const double factor = 1 / std::sqrt(squares / 64 + 1e-6);
      ASSERT_NEAR(target.out.row(r)[o], sum * factor, half_error * size * factor) << r << ' ' << o;
    }
  }
}

// What is infinite, or no number, stays so and spoils its own row alone.
TEST_F(VulkanMatrices, InfinitiesStayInTheirRow) {
  const Tensor x = values(48, 64), w = values(16, 64), out = arena_->f32({48, 16});
  for (int64_t i = 0; i < w.elements(); ++i) w.f32()[i] = std::abs(w.f32()[i]) + 0.1f;
  x.row(3)[5] = std::numeric_limits<float>::infinity();
  x.row(40)[63] = std::numeric_limits<float>::quiet_NaN();
  LinearTarget target;
  target.weight = encoded(DType::bf16, w, Precision::fast), target.out = out;
  lava::Run run{*device_, *arena_};
  ops::linear(run, {&target, 1}, x);
  expect_finished();
  for (int64_t r = 0; r < 48; ++r)
    for (int64_t o = 0; o < 16; ++o) {
      const float value = out.row(r)[o];
      EXPECT_TRUE(r == 3 ? std::isinf(value) && value > 0 : r == 40 ? std::isnan(value) : std::isfinite(value)) << r << ' ' << o << ": " << value;
    }
}

}  // namespace
}  // namespace lava::test
