// Packs whose checksum is right and whose numbers are not.
#include "engine/io/pack_file.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/engine/io/files.h"

namespace lava::io {
namespace {

constexpr int64_t most = std::numeric_limits<int64_t>::max();

PackHeader two_matrices() {
  PackHeader header;
  header.content.fill(7);
  header.entries.push_back({"blk.0.attn_q.weight", 0, 40, 256, DType::q4_k, DType::q4_k, MatrixLayout::interleaved16, 0, 0, 0x12345678});
  header.entries.push_back({"blk.0.attn_qkv.weight", 64, 16, 64, DType::q8_0, DType::q8_0, MatrixLayout::interleaved16});
  lay_out(header);
  return header;
}

std::string file_of(const PackHeader& header) {
  std::string bytes = pack_header_bytes(header);
  bytes.resize(header.file_bytes < (uint64_t{16} << 20) ? header.file_bytes : bytes.size());
  return bytes;
}

Result<PackHeader> parse(std::string_view bytes) {
  // A copy of exactly this size: a byte read beyond it is found by the sanitizer.
  const std::vector<std::byte> exact(reinterpret_cast<const std::byte*>(bytes.data()), reinterpret_cast<const std::byte*>(bytes.data() + bytes.size()));
  auto header = parse_pack(exact, "pack");
  for (size_t i = 0; header && i < header->entries.size(); ++i) {
    const PackedEntry& entry = header->entries[i];
    test::walk(std::span<const std::byte>(exact).subspan(entry.offset, entry.bytes));
  }
  return header;
}

TEST(PackFile, IsReadAsItWasWritten) {
  const PackHeader header = two_matrices();
  EXPECT_EQ(header.entries[0].offset, uint64_t{2} << 20);
  EXPECT_EQ(header.entries[1].offset % 64, 0u);
  const auto read = parse(file_of(header));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->content, header.content);
  ASSERT_EQ(read->entries.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const PackedEntry &a = read->entries[i], &b = header.entries[i];
    EXPECT_EQ(std::tie(a.name, a.first_row, a.rows, a.in, a.source_format, a.format, a.layout, a.offset, a.bytes, a.checksum),
              std::tie(b.name, b.first_row, b.rows, b.in, b.source_format, b.format, b.layout, b.offset, b.bytes, b.checksum));
  }
}

TEST(PackFile, NumbersThatDoNotFitAreRefusedThoughTheChecksumIsRight) {
  using Change = std::function<void(PackHeader&)>;
  const std::pair<const char*, Change> changes[] = {
      {"before the data", [](PackHeader& h) { h.entries[0].offset = 0; }},
      {"in the table", [](PackHeader& h) { h.entries[0].offset = 128; }},
      {"not aligned", [](PackHeader& h) { h.entries[1].offset -= 32; }},
      {"overlapping", [](PackHeader& h) { h.entries[1].offset = h.entries[0].offset; }},
      {"backwards", [](PackHeader& h) { std::swap(h.entries[0], h.entries[1]); }},
      {"beyond the end", [](PackHeader& h) { h.entries[1].offset = h.file_bytes; }},
      {"half beyond the end", [](PackHeader& h) { h.entries[1].offset += 64; }},
      {"far beyond the end", [](PackHeader& h) { h.entries[1].offset = ~uint64_t{63}; }},
      {"too many bytes", [](PackHeader& h) { h.entries[1].bytes = ~uint64_t{0}; }},
      {"too few bytes", [](PackHeader& h) { h.entries[0].bytes -= 64; }},
      {"no rows", [](PackHeader& h) { h.entries[0].rows = 0; }},
      {"negative rows", [](PackHeader& h) { h.entries[0].rows = -40; }},
      {"endless rows", [](PackHeader& h) { h.entries[0].rows = most; }},
      {"negative first row", [](PackHeader& h) { h.entries[0].first_row = -1; }},
      {"endless first row", [](PackHeader& h) { h.entries[0].first_row = most; }},
      {"no values", [](PackHeader& h) { h.entries[0].in = 0; }},
      {"half a block", [](PackHeader& h) { h.entries[0].in = 128; }},
      {"endless values", [](PackHeader& h) { h.entries[0].in = most / 256 * 256; }},
      {"both large", [](PackHeader& h) { h.entries[0].rows = h.entries[0].in = int64_t{1} << 31; }},
      {"another format", [](PackHeader& h) { h.entries[0].format = DType::q6_k; }},
      {"no weight format", [](PackHeader& h) { h.entries[0].format = DType::i32; }},
      {"a layout that this format has not", [](PackHeader& h) { h.entries[0].format = DType::f16; }},
      {"a shorter file", [](PackHeader& h) { h.file_bytes -= 1; }},
      {"a longer file", [](PackHeader& h) { h.file_bytes = ~uint64_t{0}; }},
      {"an endless name", [](PackHeader& h) { h.entries[0].name.assign(5000, 'n'); }},
  };
  const uint64_t size = two_matrices().file_bytes;
  for (const auto& [what, change] : changes) {
    PackHeader header = two_matrices();
    change(header);
    std::string bytes = pack_header_bytes(header);
    bytes.resize(size);
    EXPECT_FALSE(parse(bytes)) << what;
  }
}

TEST(PackFile, EveryTruncationIsRefused) {
  const std::string whole = file_of(two_matrices());
  for (size_t size = 0; size < 600; ++size) EXPECT_FALSE(parse(whole.substr(0, size))) << size;
  for (const size_t size : {size_t{4096}, size_t{2} << 20, whole.size() - 64, whole.size() - 1}) EXPECT_FALSE(parse(whole.substr(0, size))) << size;
}

TEST(PackFile, EveryFlippedBitOfHeaderAndTableIsRefused) {
  std::string bytes = file_of(two_matrices());
  const size_t end = 104 + 2 * 84 + two_matrices().entries[0].name.size() + two_matrices().entries[1].name.size();
  for (size_t at = 0; at < end; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << bit);
      EXPECT_FALSE(parse_pack(std::as_bytes(std::span(bytes)), "pack")) << at << ' ' << bit;
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << bit);
    }
  }
  EXPECT_TRUE(parse_pack(std::as_bytes(std::span(bytes)), "pack"));
}

// Tables of any content under a right checksum: what is accepted lies inside the file.
TEST(PackFile, RandomTablesAreSafe) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    PackHeader header = two_matrices();
    for (int i = 0; i < 3; ++i) {
      PackedEntry& entry = header.entries[random() % 2];
      const uint64_t value = random() >> (random() % 64);
      switch (random() % 6) {
        case 0: entry.first_row = static_cast<int64_t>(value); break;
        case 1: entry.rows = static_cast<int64_t>(value); break;
        case 2: entry.in = static_cast<int64_t>(value); break;
        case 3: entry.offset = value; break;
        case 4: entry.bytes = value; break;
        default: entry.format = static_cast<DType>(value % dtype_count);
      }
    }
    std::string bytes = pack_header_bytes(header);
    bytes.resize(two_matrices().file_bytes);
    parse(bytes);
  }
}

}  // namespace
}  // namespace lava::io
