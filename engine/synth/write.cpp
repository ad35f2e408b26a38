#include "engine/synth/write.h"

#include <algorithm>

#include "engine/io/new_file.h"
#include "engine/synth/random_values.h"

namespace lava::synth {
namespace {

constexpr uint64_t chunk_bytes = uint64_t{4} << 20;

Result<Plan> plan_of(const Order& order) {
  if (const auto* text = std::get_if<TextShape>(&order.shape)) return plan_text(*text, order.format, order.title);
  return plan_vision(std::get<VisionShape>(order.shape), order.format, order.title);
}

class Writer {
 public:
  Writer(io::NewFile& file, uint64_t total, const Progress& progress) : file_(file), total_(total), progress_(progress) {}

  Result<void> put(std::span<const std::byte> bytes) {
    LAVA_CHECK_OK(file_.write(bytes));
    done_ += bytes.size();
    if (progress_) progress_(done_, total_);
    return {};
  }

  Result<void> tensor(const io::GgufHeader::Tensor& tensor, const Plan::Values& values, uint64_t seed) {
    RandomValues random(tensor.dtype, values.deviation, values.mean, seed_of(seed, tensor.name));
    const auto block = static_cast<uint64_t>(dtype_info(tensor.dtype).bytes);
    const uint64_t step = chunk_bytes / block * block, padded = io::GgufHeader::padded(tensor.bytes);
    for (uint64_t at = 0; at < tensor.bytes; at += step) {
      const uint64_t count = std::min(step, tensor.bytes - at);
      const bool last = at + count == tensor.bytes;
      buffer_.resize(last ? count + padded - tensor.bytes : count);
      random.fill(std::span(buffer_).first(count));
      std::fill(buffer_.begin() + static_cast<ptrdiff_t>(count), buffer_.end(), std::byte{0});
      LAVA_CHECK_OK(put(buffer_));
    }
    return {};
  }

 private:
  io::NewFile& file_;
  const uint64_t total_;
  uint64_t done_ = 0;
  const Progress& progress_;
  std::vector<std::byte> buffer_;
};

}  // namespace

Order order_of(const Shape& shape, const FileFormat& format, uint64_t seed) {
  Order order;
  if (shape.text) {
    order.shape = *shape.text;
  } else {
    order.shape = *shape.vision;
  }
  order.title = shape.title, order.format = format, order.seed = seed;
  return order;
}

Result<Written> write_model(const Order& order, const std::filesystem::path& path, const Progress& progress) {
  LAVA_TRY(const Plan plan, plan_of(order));
  const std::string front = plan.header.bytes();
  const uint64_t total = front.size() + plan.header.data_bytes();
  LAVA_TRY(io::NewFile file, io::NewFile::create(path, total));
  Writer writer(file, total, progress);
  LAVA_CHECK_OK(writer.put(std::as_bytes(std::span(front))));
  const auto tensors = plan.header.tensors();
  for (size_t i = 0; i < tensors.size(); ++i) LAVA_CHECK_OK(writer.tensor(tensors[i], plan.values[i], order.seed));
  LAVA_CHECK_OK(file.finish());
  return Written{total, tensors.size()};
}

}  // namespace lava::synth
