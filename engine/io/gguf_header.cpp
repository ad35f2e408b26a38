#include "engine/io/gguf_header.h"

#include <bit>
#include <cstring>

#include "kernels/check.h"

namespace lava::io {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF values are written as they stand in memory");

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

void put_text(std::string& out, std::string_view text) {
  put(out, uint64_t{text.size()});
  out.append(text);
}

template <class T>
void put_all(std::string& out, std::span<const T> values) {
  for (const T value : values) put(out, value);
}

}  // namespace

void GgufHeader::begin_value(std::string_view key, GgufType type) {
  put_text(values_, key);
  put(values_, static_cast<uint32_t>(type));
  ++value_count_;
}

void GgufHeader::begin_array(std::string_view key, GgufType element, uint64_t count) {
  begin_value(key, GgufType::array);
  put(values_, static_cast<uint32_t>(element));
  put(values_, count);
}

void GgufHeader::set(std::string_view key, uint32_t value) { begin_value(key, GgufType::u32), put(values_, value); }
void GgufHeader::set(std::string_view key, float value) { begin_value(key, GgufType::f32), put(values_, value); }
void GgufHeader::set(std::string_view key, bool value) { begin_value(key, GgufType::boolean), put(values_, static_cast<uint8_t>(value)); }
void GgufHeader::set(std::string_view key, std::string_view value) { begin_value(key, GgufType::string), put_text(values_, value); }

void GgufHeader::set(std::string_view key, std::span<const std::string> values) {
  begin_array(key, GgufType::string, values.size());
  for (const std::string& value : values) put_text(values_, value);
}

void GgufHeader::set(std::string_view key, std::span<const float> values) { begin_array(key, GgufType::f32, values.size()), put_all(values_, values); }
void GgufHeader::set(std::string_view key, std::span<const int32_t> values) { begin_array(key, GgufType::i32, values.size()), put_all(values_, values); }

void GgufHeader::add(std::string name, DType dtype, std::vector<int64_t> shape) {
  LAVA_CHECK(!name.empty() && name.size() < 64 && !shape.empty() && shape.size() <= 4);
  int64_t elements = 1;
  for (const int64_t extent : shape) {
    LAVA_CHECK(extent > 0);
    elements *= extent;
  }
  LAVA_CHECK(shape.back() % dtype_info(dtype).block == 0);
  tensors_.push_back({std::move(name), dtype, std::move(shape), row_bytes(dtype, elements), data_bytes_});
  data_bytes_ += padded(tensors_.back().bytes);
}

std::string GgufHeader::bytes() const {
  std::string out;
  out.reserve(values_.size() + 128 * tensors_.size() + 64);
  put(out, uint32_t{0x46554747});  // "GGUF"
  put(out, uint32_t{3});
  put(out, uint64_t{tensors_.size()});
  put(out, value_count_);
  out.append(values_);
  for (const Tensor& tensor : tensors_) {
    put_text(out, tensor.name);
    put(out, static_cast<uint32_t>(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;) put(out, static_cast<uint64_t>(tensor.shape[i]));  // fastest first
    put(out, ggml_id_of(tensor.dtype));
    put(out, tensor.offset);
  }
  out.resize(padded(out.size()));
  return out;
}

}  // namespace lava::io
