// Weight formats against blocks widened and encoded by the gguf package (tests/goldens/make_format_cases.py).
#include "kernels/formats/formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace lava {
namespace {

struct Case {
  std::vector<std::byte> encoded;
  std::vector<float> values;
};

std::map<std::string, Case> read_cases() {
  std::ifstream file(LAVA_SOURCE_DIR "/tests/fixtures/formats/cases.bin", std::ios::binary);
  std::map<std::string, Case> cases;
  char name[17] = {};
  uint32_t size[2];
  while (file.read(name, 16) && file.read(reinterpret_cast<char*>(size), 8)) {
    Case& c = cases[name];
    c.values.resize(size[0]);
    c.encoded.resize(size[1]);
    file.read(reinterpret_cast<char*>(c.encoded.data()), size[1]);
    file.read(reinterpret_cast<char*>(c.values.data()), static_cast<std::streamsize>(4) * size[0]);
  }
  return cases;
}

std::vector<DType> weight_formats() {
  std::vector<DType> formats;
  for (int i = 0; i < dtype_count; ++i) {
    if (is_weight_format(static_cast<DType>(i))) formats.push_back(static_cast<DType>(i));
  }
  return formats;
}

TEST(Formats, WideningMatchesGgufBitForBit) {
  const auto cases = read_cases();
  for (const DType format : weight_formats()) {
    if (format == DType::f32) continue;
    const auto found = cases.find("decode " + std::string(dtype_info(format).name));
    ASSERT_NE(found, cases.end()) << dtype_info(format).name;
    const Case& c = found->second;
    ASSERT_EQ(c.encoded.size(), row_bytes(format, static_cast<int64_t>(c.values.size())));
    std::vector<float> wide(c.values.size());
    dequantize_row(format, c.encoded.data(), wide.data(), static_cast<int64_t>(wide.size()));
    for (size_t i = 0; i < wide.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(wide[i]), std::bit_cast<uint32_t>(c.values[i]))
          << dtype_info(format).name << " value " << i << ": " << wide[i] << " " << c.values[i];
    }
  }
}

TEST(Formats, EncodingMatchesGgufByteForByte) {
  const auto cases = read_cases();
  for (const DType format : {DType::f16, DType::bf16, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q8_0}) {
    const auto found = cases.find("encode " + std::string(dtype_info(format).name));
    ASSERT_NE(found, cases.end()) << dtype_info(format).name;
    const Case& c = found->second;
    std::vector<std::byte> encoded(row_bytes(format, static_cast<int64_t>(c.values.size())));
    ASSERT_EQ(encoded.size(), c.encoded.size());
    quantize_row(format, c.values.data(), encoded.data(), static_cast<int64_t>(c.values.size()));
    for (size_t i = 0; i < encoded.size(); ++i) {
      ASSERT_EQ(encoded[i], c.encoded[i]) << dtype_info(format).name << " byte " << i;
    }
  }
}

// Relative squared error of encode + widen on normal values: the known quality of each format, with a third to spare.
TEST(Formats, RoundTripKeepsTheQualityOfTheFormat) {
  const std::map<DType, double> limit = {{DType::f32, 0},       {DType::f16, 1e-7},    {DType::bf16, 5e-6},   {DType::q4_0, 9e-3},
                                         {DType::q4_1, 6.5e-3}, {DType::q5_0, 2.2e-3}, {DType::q5_1, 1.6e-3}, {DType::q8_0, 4e-5},
                                         {DType::q4_k, 6e-3},   {DType::q5_k, 1.4e-3}, {DType::q6_k, 5e-4}};
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> x(256 * 64), back(x.size());
  for (float& v : x) v = normal(random);
  for (const DType format : weight_formats()) {
    std::vector<std::byte> row(row_bytes(format, static_cast<int64_t>(x.size())));
    quantize_row(format, x.data(), row.data(), static_cast<int64_t>(x.size()));
    dequantize_row(format, row.data(), back.data(), static_cast<int64_t>(x.size()));
    double error = 0, power = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      error += std::pow(back[i] - x[i], 2.0);
      power += std::pow(x[i], 2.0);
    }
    EXPECT_LE(error / power, limit.at(format)) << dtype_info(format).name;
    RecordProperty(std::string(dtype_info(format).name), std::to_string(error / power));
  }
}

TEST(Formats, ZerosAndConstantsSurvive) {
  for (const DType format : weight_formats()) {
    for (const float value : {0.0f, 0.75f, -3.0f}) {
      std::vector<float> x(256, value), back(256, 99.0f);
      std::vector<std::byte> row(row_bytes(format, 256));
      quantize_row(format, x.data(), row.data(), 256);
      dequantize_row(format, row.data(), back.data(), 256);
      for (const float v : back) EXPECT_NEAR(v, value, 0.07f * std::fabs(value)) << dtype_info(format).name;
    }
  }
}

}  // namespace
}  // namespace lava
