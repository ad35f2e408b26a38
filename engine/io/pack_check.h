// Whether the matrices of a pack are what was packed.
#pragma once
#include <functional>
#include <stop_token>

#include "engine/io/pack_file.h"

namespace lava::io {

// Bytes of the file from a multiple of 4096 on, as many as there are up to the size of the target, which lies at such a multiple too.
using ReadAt = std::function<Result<size_t>(uint64_t offset, std::span<std::byte> target)>;

// Reads all of them, on `threads` threads. Error::Kind::cancelled: it was stopped.
Result<void> check_matrices(const PackHeader& header, const ReadAt& read, int threads, const std::string& source, const std::stop_token& stop = {});

}  // namespace lava::io
