// CRC-32C (Castagnoli): finds bytes that a disk or memory changed. By the processor's own instruction where it has one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace lava::io {

// `before`: the checksum of what comes ahead of `bytes`.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before = 0);
// The same without that instruction.
uint32_t crc32c_portable(std::span<const std::byte> bytes, uint32_t before = 0);

}  // namespace lava::io
