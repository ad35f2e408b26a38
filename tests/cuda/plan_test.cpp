#include "kernels/cuda/plan.h"

#include <gtest/gtest.h>

#include "kernels/cuda/staging_ring.h"

namespace lava::cuda {
namespace {

Matrix matrix(DType format, MatrixLayout layout, Precision precision) {
  Matrix m;
  m.format = format, m.layout = layout, m.precision = precision;
  return m;
}

TEST(LinearPath, FollowsPrecisionLayoutAndRows) {
  const Matrix fast = matrix(DType::q4_0, MatrixLayout::interleaved16, Precision::fast), exact = matrix(DType::q4_0, MatrixLayout::interleaved16, Precision::exact);
  EXPECT_EQ(linear_path(fast, 1), LinearPath::gemv_fast);
  EXPECT_EQ(linear_path(fast, 8), LinearPath::gemv_fast);
  EXPECT_EQ(linear_path(fast, 9), LinearPath::gemm_bf16);
  EXPECT_EQ(linear_path(exact, 8), LinearPath::gemv_exact);
  EXPECT_EQ(linear_path(exact, 9), LinearPath::gemm_f32);
  EXPECT_EQ(linear_path(matrix(DType::q4_0, MatrixLayout::rows, Precision::fast), 1), LinearPath::gemm_f32);
  EXPECT_EQ(linear_path(matrix(DType::f16, MatrixLayout::rows, Precision::fast), 9), LinearPath::gemm_f32);
  EXPECT_EQ(linear_path(matrix(DType::f16, MatrixLayout::rows, Precision::bf16), 9), LinearPath::gemm_bf16);
  EXPECT_EQ(linear_path(matrix(DType::bf16, MatrixLayout::rows, Precision::fast), 9), LinearPath::gemm_bf16);
  EXPECT_EQ(linear_path(matrix(DType::bf16, MatrixLayout::rows, Precision::fast), 8), LinearPath::gemv_rows);
}

// gemv_fast reads what scratch was sized for: wherever it serves, x must have been prepared.
TEST(LinearPath, FastNeedsWhatScratchHolds) {
  for (int f = 0; f < dtype_count; ++f) {
    for (const MatrixLayout layout : {MatrixLayout::rows, MatrixLayout::interleaved16}) {
      for (const Precision precision : {Precision::exact, Precision::bf16, Precision::fast}) {
        for (const int64_t rows : {1, 4, 8, 9, 600}) {
          const Matrix m = matrix(static_cast<DType>(f), layout, precision);
          EXPECT_TRUE(linear_path(m, rows) != LinearPath::gemv_fast || takes_prepared(m));
        }
      }
    }
  }
}

TEST(Tiles, HoldTheirRows) {
  for (int64_t rows = 1; rows <= most_gemv_rows; ++rows) {
    EXPECT_GE(gemv_tile(rows), rows);
    EXPECT_LT(gemv_tile(rows), 2 * rows + (rows == 1));
  }
  EXPECT_EQ(gemm_tile(64, 4096, 132), 64);
  EXPECT_EQ(gemm_tile(600, 4096, 132), 128);
  EXPECT_EQ(gemm_tile(600, 256, 132), 64);  // tall tiles would leave most of the device without work
}

TEST(AttentionParts, FillTheDeviceWithinBounds) {
  EXPECT_EQ(attention_parts(32, 1, 132, 1, 1 << 20), 1);
  EXPECT_EQ(attention_parts(32, 64, 132, 1, 1 << 20), 1);
  EXPECT_EQ(attention_parts(32, 65, 132, 1, 1 << 20), 2);
  EXPECT_EQ(attention_parts(32, 100000, 132, 1, 1 << 20), 17);
  EXPECT_EQ(attention_parts(1, 100000, 132, 1, 1 << 20), most_attention_parts);
  EXPECT_EQ(attention_parts(1, 100000, 132, 1 << 18, 1 << 20), 4);  // room for four
  EXPECT_EQ(attention_parts(1, 100000, 132, 1 << 21, 1 << 20), 1);
  EXPECT_EQ(attention_parts(100000, 100000, 132, 1, 1 << 20), 1);
}

// As attention_part_kernel divides: every key in one part, whatever the number that a recording was made for.
TEST(AttentionParts, CoverEveryKeyOnce) {
  for (const int64_t seen : {1, 63, 64, 65, 640, 4097}) {
    for (int parts = 1; parts <= most_attention_parts; ++parts) {
      const int64_t each = ceil_div(ceil_div(seen, attention_tile), parts) * attention_tile;
      int64_t covered = 0;
      for (int part = 0; part < parts; ++part) covered += std::max<int64_t>(std::min(each * part + each, seen) - each * part, 0);
      EXPECT_EQ(covered, seen) << parts;
      EXPECT_GT(std::min(each, seen), 0);
    }
  }
}

TEST(StagingRing, TakesSlotsInTurnAndWaitsForUsedOnes) {
  StagingRing ring(10, 3);
  size_t left = 45, at = 0;
  for (int i = 0; left > 0; ++i) {
    const StagingRing::Piece piece = ring.next(left);
    EXPECT_EQ(piece.slot, static_cast<size_t>(i % 3));
    EXPECT_EQ(piece.offset, piece.slot * 10);
    EXPECT_EQ(piece.wait, i >= 3);
    EXPECT_LE(piece.offset + piece.bytes, ring.bytes());
    at += piece.bytes, left -= piece.bytes;
  }
  EXPECT_EQ(at, 45u);
  EXPECT_TRUE(ring.next(1).wait);  // the next upload goes on where the last one stopped
}

}  // namespace
}  // namespace lava::cuda
