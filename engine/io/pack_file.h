// Files of packed matrices: what a model's matrices look like after packing, so that opening it again need not pack them again.
//
// Little endian. From the beginning:
//   "LAVAPACK", u32 version of the format, u32 packed_layout_version, u64 bytes of the file, u64 bytes of the table, u64 matrices,
//   content[32] of the source, checksum[32]: SHA-256 of all before it and of the table
//   table, per matrix: u64 first row, u64 rows, u64 in, u64 offset, u64 bytes, u32 CRC-32C of these bytes, number format of the source[8],
//     number format[8], layout[16] (names padded with zeros), u64 bytes of the tensor's name, the name
//   matrices in the order of the table, the first at a multiple of 2 MiB, the others of 64 bytes
// Names rather than numbers stand for formats and layouts: those of the program may be sorted anew.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/matrix.h"
#include "kernels/result.h"

namespace lava::io {

using Digest = std::array<uint8_t, 32>;

struct PackedEntry {
  std::string name;  // of the tensor
  int64_t first_row = 0, rows = 0, in = 0;
  DType source_format = DType::f32, format = DType::f32;
  MatrixLayout layout = MatrixLayout::interleaved16;
  uint64_t offset = 0, bytes = 0;  // in the file
  uint32_t checksum = 0;           // crc32c() of the matrix
};

struct PackHeader {
  Digest content{};  // of the file or files that were packed
  std::vector<PackedEntry> entries;
  uint64_t file_bytes = 0;
};

// Gives every entry its place, and the file its size.
void lay_out(PackHeader& header);
// All bytes before the first matrix.
std::string pack_header_bytes(const PackHeader& header);
// Everything but the matrices' own bytes is checked (for those: pack_check.h): afterwards each entry lies inside the file, apart from all others, and has the size
// of its matrix.
Result<PackHeader> parse_pack(std::span<const std::byte> file, const std::string& source);

}  // namespace lava::io
