#include "kernels/copy_together.h"

#include <gtest/gtest.h>

#include <vector>

namespace lava {
namespace {

// Every byte once, at edges of shares too, and nothing beside it.
TEST(CopyTogether, CopiesAllAndNoMore) {
  for (const size_t bytes : {size_t{0}, size_t{1}, (size_t{4} << 20) - 1, (size_t{4} << 20) + 1, (size_t{9} << 20) + 77}) {
    std::vector<std::byte> source(bytes), target(bytes + 64, std::byte{0xa5});
    for (size_t i = 0; i < bytes; ++i) source[i] = static_cast<std::byte>(i * 2654435761u >> 13);
    copy_together(target.data(), source);
    EXPECT_TRUE(std::equal(source.begin(), source.end(), target.begin())) << bytes;
    for (size_t i = bytes; i < target.size(); ++i) ASSERT_EQ(target[i], std::byte{0xa5}) << bytes;
  }
}

}  // namespace
}  // namespace lava
