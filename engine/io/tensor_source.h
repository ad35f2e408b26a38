// A set of named, read-only tensors in mapped files, whatever the container (GGUF, safetensors, shards of either).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/dtype.h"

namespace lava::io {

// Checked when the file was opened: bytes.size() is exactly what dtype and shape say, and lies inside the file.
struct TensorEntry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;        // row-major, slowest first ([out, in] for a weight), also for GGUF
  std::span<const std::byte> bytes;  // valid as long as the source lives

  int64_t elements() const {
    int64_t n = 1;
    for (const int64_t extent : shape) n *= extent;
    return n;
  }
};

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual const TensorEntry* find(std::string_view name) const = 0;  // nullptr when absent
  virtual std::span<const TensorEntry> tensors() const = 0;
  virtual std::string describe() const = 0;  // for messages: file or folder name
  // Why find(name) found nothing though the file has such a tensor (a number format that is not read); empty otherwise.
  virtual std::string why_absent(std::string_view) const { return {}; }
};

}  // namespace lava::io
