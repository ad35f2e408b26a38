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
  EXPECT_EQ(linear_path(fast, 9), LinearPath::gemm_packed);
  EXPECT_EQ(linear_path(matrix(DType::q6_k, MatrixLayout::interleaved16, Precision::bf16), 600), LinearPath::gemm_packed);
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

TEST(LinearPath, PanelsAreForManyRowsOfPackedWeights) {
  const Matrix fast = matrix(DType::q4_k, MatrixLayout::interleaved16, Precision::fast);
  EXPECT_FALSE(takes_panels(fast, least_panel_rows - 1));
  EXPECT_TRUE(takes_panels(fast, least_panel_rows));
  EXPECT_FALSE(takes_panels(matrix(DType::q4_k, MatrixLayout::interleaved16, Precision::exact), 600));
  EXPECT_FALSE(takes_panels(matrix(DType::q4_k, MatrixLayout::rows, Precision::fast), 600));
  EXPECT_FALSE(takes_panels(matrix(DType::bf16, MatrixLayout::rows, Precision::fast), 600));
}

TEST(Panels, FitAndAreEven) {
  for (const int64_t in : {32, 256, 2048, 4096, 4352, 5120, 11008, 28672}) {
    for (const int64_t out : {1, 24, 128, 4096, 11008, 32000, 152064}) {
      const PanelShape p = panel_shape(out, in);
      EXPECT_LE(static_cast<size_t>(2 * p.outputs * p.values), panel_bytes) << out << ' ' << in;
      EXPECT_TRUE(p.values == in || p.values % 256 == 0) << in;
      EXPECT_EQ(p.outputs % 128, 0);
      EXPECT_LE(p.values, 4096);
      EXPECT_GE(p.outputs, std::min<int64_t>(out, 2048)) << out << ' ' << in;  // enough to fill a device
    }
  }
  EXPECT_EQ(panel_shape(4096, 11008).outputs, 4096);  // cut along the values
  EXPECT_EQ(panel_shape(4096, 11008).values, 3840);
  EXPECT_EQ(panel_shape(11008, 4096).outputs, 3712);  // three of about one size
}

TEST(PackedTiles, AreDealtOnce) {
  for (const int64_t tiles : {1, 2, 5, 31, 132, 1000}) {
    for (const int64_t chunks : {1, 2, 7, 32, 172}) {
      for (const int64_t device_blocks : {1, 16, 132, 264}) {
        const Shares s = packed_shares(tiles, chunks, device_blocks, 1 << 16, 24 << 20);
        EXPECT_EQ(s.begin(0), 0);
        EXPECT_EQ(s.begin(s.blocks), tiles * chunks);
        EXPECT_LE(s.blocks, device_blocks);
        for (int b = 0; b < s.blocks; ++b) {
          const int share = s.begin(b + 1) - s.begin(b);
          EXPECT_GE(share, s.total / s.blocks);
          EXPECT_LE(share, s.total / s.blocks + 1);
          EXPECT_GT(share, 0);
        }
      }
    }
  }
  EXPECT_EQ(packed_shares(32, 32, 132, 1 << 15, 24 << 20).blocks, 132);  // a matrix of 4096 x 4096 and 64 rows
  EXPECT_EQ(packed_shares(1, 5, 132, 1 << 15, 24 << 20).blocks, 1);      // less than two shares worth having
  EXPECT_EQ(packed_shares(160, 64, 264, 1 << 16, 24 << 20).blocks, 192); // room for the sums of so many
}

TEST(PackedTiles, HoldTheirRowsAndStages) {
  for (int64_t rows = 9; rows <= 128; ++rows) {
    EXPECT_GE(packed_tile_rows(rows), rows);
    EXPECT_LT(packed_tile_rows(rows), 2 * rows);
  }
  EXPECT_EQ(packed_tile_rows(577), 128);
  EXPECT_EQ(packed_stages(20608, 1, size_t{227} << 10), 6);
  EXPECT_EQ(packed_stages(20608, 1, size_t{99} << 10), 4);
  EXPECT_EQ(packed_stages(33792, 1, size_t{99} << 10), 3);  // Q8_0 by 64 rows: to the byte
  EXPECT_EQ(packed_stages(25600, 2, size_t{99} << 10), 3);  // one block instead of two
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
