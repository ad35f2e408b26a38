// The front of a GGUF file (version 3) that is to be written: settings, then the table of tensors. Their bytes follow in the same order,
// each tensor padded to the alignment.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/gguf_types.h"

namespace lava::io {

class GgufHeader {
 public:
  static constexpr uint64_t alignment = 32;

  struct Tensor {
    std::string name;
    DType dtype = DType::f32;
    std::vector<int64_t> shape;  // row-major, slowest first
    uint64_t bytes = 0, offset = 0;  // offset: behind the header
  };

  void set(std::string_view key, uint32_t value);
  void set(std::string_view key, float value);
  void set(std::string_view key, bool value);
  void set(std::string_view key, std::string_view value);
  void set(std::string_view key, const char* value) { set(key, std::string_view(value)); }
  void set(std::string_view key, std::span<const std::string> values);
  void set(std::string_view key, std::span<const float> values);
  void set(std::string_view key, std::span<const int32_t> values);

  // The last extent must be a multiple of the format's block.
  void add(std::string name, DType dtype, std::vector<int64_t> shape);

  std::span<const Tensor> tensors() const { return tensors_; }
  std::string bytes() const;  // padded to where the first tensor begins
  static uint64_t padded(uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }
  uint64_t data_bytes() const { return data_bytes_; }  // of all tensors with their padding

 private:
  void begin_value(std::string_view key, GgufType type);
  void begin_array(std::string_view key, GgufType element, uint64_t count);

  std::string values_;
  uint64_t value_count_ = 0, data_bytes_ = 0;
  std::vector<Tensor> tensors_;
};

}  // namespace lava::io
