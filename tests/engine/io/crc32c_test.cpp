#include "engine/io/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace lava::io {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The check value of the catalogue of checksums, and those of RFC 3720, B.4.
TEST(Crc32c, HasTheKnownValues) {
  for (const auto& [text, sum] : {std::pair{std::string(), 0u}, {"123456789", 0xe3069283u}, {std::string(32, '\0'), 0x8a9136aau}, {std::string(32, '\xff'), 0x62a8ab43u}}) {
    EXPECT_EQ(crc32c(bytes_of(text)), sum) << text;
    EXPECT_EQ(crc32c_portable(bytes_of(text)), sum) << text;
  }
}

TEST(Crc32c, OfPiecesIsThatOfTheWholeAtEveryLengthAndPlace) {
  std::mt19937 random(3);
  std::vector<std::byte> bytes(200);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t end = begin; end < bytes.size(); ++end) {
      const auto part = std::span<const std::byte>(bytes).subspan(begin, end - begin);
      const size_t cut = part.empty() ? 0 : random() % part.size();
      const uint32_t whole = crc32c_portable(part);
      EXPECT_EQ(crc32c(part), whole) << begin << ' ' << end;
      EXPECT_EQ(crc32c(part.subspan(cut), crc32c(part.first(cut))), whole) << begin << ' ' << end;
    }
  }
}

}  // namespace
}  // namespace lava::io
