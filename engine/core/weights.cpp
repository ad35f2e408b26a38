#include "engine/core/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <thread>

#include "engine/io/names.h"
#include "kernels/formats/formats.h"
#include "kernels/linear/pack.h"

namespace lava {
namespace {

constexpr size_t alignment = 64;
constexpr size_t packed_slice = size_t{16} << 20;   // of the file, so that no large tensor is in memory twice
constexpr size_t least_share = size_t{256} << 10;  // of a slice for one thread: packing it takes ten times as long as starting a thread
constexpr size_t least_chunk = size_t{2} << 20, most_chunk = size_t{32} << 20;  // tensors below a quarter of these share buffers

std::string shape_text(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

tl::unexpected<Error> wrong_shape(const io::TensorSource& source, const io::TensorEntry& entry, std::span<const int64_t> wanted) {
  return fail(Error::Kind::invalid, "A weight does not fit the model's configuration",
              fmt::format("{} in {} has the shape {}, expected {}", io::printable(entry.name), source.describe(), shape_text(entry.shape),
                          shape_text(wanted)),
              "Check that all files belong to the same model, and download them again");
}

Result<const io::TensorEntry*> find(const io::TensorSource& source, std::string_view name) {
  if (const io::TensorEntry* entry = source.find(name)) return entry;
  const std::string reason = source.why_absent(name);
  if (!reason.empty()) return fail(Error::Kind::unsupported, "A weight has a number format that is not supported", reason);
  return fail(Error::Kind::invalid, "A weight is missing", fmt::format("{} has no tensor {}", source.describe(), name),
              "Check that the download is complete and that the file is a supported model");
}

bool fits_matrix(const io::TensorEntry& entry, int64_t out, int64_t in) {
  if (entry.shape.size() < 2 || entry.shape[0] != out) return false;
  int64_t rest = 1;
  for (size_t i = 1; i < entry.shape.size(); ++i) rest *= entry.shape[i];
  return rest == in;
}

Result<void> check_format(const io::TensorSource& source, const io::TensorEntry& entry, int64_t in) {
  const DTypeInfo info = dtype_info(entry.dtype);
  if (!is_weight_format(entry.dtype))
    return fail(Error::Kind::unsupported, "A weight has a number format that is not supported",
                fmt::format("{} in {} is {}", io::printable(entry.name), source.describe(), info.name));
  if (in % info.block != 0)
    return fail(
        Error::Kind::invalid, "A weight does not fit its number format",
        fmt::format("rows of {} in {} have {} values, not a multiple of {}", io::printable(entry.name), source.describe(), in, info.block));
  return {};
}

Result<const io::TensorEntry*> find_matrix(const io::TensorSource& source, std::string_view name, int64_t rows, int64_t in) {
  LAVA_CHECK(rows > 0 && in > 0);
  LAVA_TRY(const io::TensorEntry* entry, find(source, name));
  const int64_t wanted[] = {rows, in};
  if (!fits_matrix(*entry, rows, in)) return wrong_shape(source, *entry, wanted);
  LAVA_CHECK_OK(check_format(source, *entry, in));
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  if (rows > most || in > most)
    return fail(Error::Kind::too_large, "A weight is too large", fmt::format("{} has the shape {}", name, shape_text(wanted)));
  return entry;
}

bool usable_in_place(const Device& device, DType format, MatrixLayout layout, const std::byte* address) {
  const size_t align = is_quantized(format) ? 2 : static_cast<size_t>(dtype_info(format).bytes);
  return layout == MatrixLayout::rows && device.info().host_memory && reinterpret_cast<uintptr_t>(address) % align == 0;
}

// Rows of `shape` in its own format.
std::vector<std::byte> convert(DType from, const std::byte* values, const Matrix& shape) {
  std::vector<float> row(static_cast<size_t>(shape.in));
  const size_t source = row_bytes(from, shape.in), target = row_bytes(shape.format, shape.in);
  std::vector<std::byte> rows(target * static_cast<size_t>(shape.out));
  for (size_t o = 0; o < static_cast<size_t>(shape.out); ++o) {
    dequantize_row(from, values + o * source, row.data(), shape.in);
    quantize_row(shape.format, row.data(), rows.data() + o * target, shape.in);
  }
  return rows;
}

const io::MappedFile* file_around(std::span<const io::MappedFile> files, const std::byte* address) {
  const std::less_equal<const std::byte*> before;
  for (const io::MappedFile& file : files)
    if (before(file.bytes().data(), address) && before(address + 1, file.bytes().data() + file.size())) return &file;
  return nullptr;
}

// Rows [begin, end), shared among threads in groups of 16.
void pack_together(int threads, const Matrix& shape, int64_t begin, int64_t end, const std::byte* values, std::byte* target) {
  const auto pack = [&](int64_t first, int64_t last) { pack_rows(shape.format, shape.layout, shape.out, shape.in, first, last, values, target); };
  const int64_t groups = (end - begin + 15) / 16;
  const auto worth = static_cast<int64_t>(row_bytes(shape.format, (end - begin) * shape.in) / least_share);
  const int64_t shares = std::clamp<int64_t>(worth, 1, std::min<int64_t>(threads, groups));
  const auto edge = [&](int64_t share) { return std::min(end, begin + groups * share / shares * 16); };
  std::vector<std::jthread> helpers;
  for (int64_t share = 1; share < shares; ++share) helpers.emplace_back(pack, edge(share), edge(share + 1));
  pack(edge(0), edge(1));
}

}  // namespace

Result<std::byte*> Weights::reserve(size_t bytes) {
  const size_t need = (bytes + alignment - 1) / alignment * alignment;
  bytes_ += need;
  if (need <= chunk_left_) {
    std::byte* address = chunk_;
    chunk_ += need;
    chunk_left_ -= need;
    return address;
  }
  const size_t chunk = std::clamp(bytes_ / least_chunk * least_chunk, least_chunk, most_chunk);
  const bool shared = need < chunk / 4;
  LAVA_TRY(auto buffer, device_.allocate(shared ? chunk : need, BufferUse::own));
  std::byte* address = buffer->data();
  buffers_.push_back(std::move(buffer));
  allocated_ += shared ? chunk : need;
  if (shared) {
    chunk_ = address + need;
    chunk_left_ = chunk - need;
  }
  return address;
}

Result<Matrix> Weights::matrix(const io::TensorSource& source, std::string_view name, int64_t out, int64_t in, Precision precision) {
  return matrix_rows(source, name, out, in, 0, out, precision);
}

Result<Matrix> Weights::table(const io::TensorSource& source, std::string_view name, int64_t rows, int64_t in) {
  LAVA_TRY(const io::TensorEntry* entry, find_matrix(source, name, rows, in));
  return place(source, *entry, {entry->dtype, MatrixLayout::rows, Precision::exact, static_cast<int32_t>(rows), static_cast<int32_t>(in)}, 0);
}

Result<Matrix> Weights::matrix_rows(const io::TensorSource& source, std::string_view name, int64_t rows, int64_t in, int64_t begin,
                                    int64_t count, Precision precision) {
  LAVA_CHECK(begin >= 0 && count > 0 && begin + count <= rows);
  LAVA_TRY(const io::TensorEntry* entry, find_matrix(source, name, rows, in));
  DType format = entry->dtype;
  if (is_quantized(quantized_) && !is_quantized(format) && precision == Precision::fast) {
    if (in % dtype_info(quantized_).block == 0) {
      format = quantized_;
    } else {
      precision = Precision::bf16;
    }
  }
  MatrixLayout layout = preferred_layout(format, precision, device_.info().host_memory);
  // What is read as it lies costs nothing to open: rearranged only where the next opening finds that in a pack.
  const PackedSource* from = known(source);
  if (!is_quantized(format) && (!from || from->files.empty() || format != entry->dtype)) layout = MatrixLayout::rows;
  return place(source, *entry, {format, layout, precision, static_cast<int32_t>(count), static_cast<int32_t>(in)}, begin);
}

void Weights::add_source(const io::TensorSource& source, std::span<const io::MappedFile> files, std::optional<WeightPack> pack) {
  sources_.push_back({&source, files, std::move(pack)});
}

PackedSource* Weights::known(const io::TensorSource& source) {
  const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const PackedSource& one) { return one.source == &source; });
  return found == sources_.end() ? nullptr : &*found;
}

// Slice by slice: all threads on one part of the file, while the system reads the next and takes the one before back.
Result<void> Weights::pack(const PackedSource* from, const Matrix& shape, const std::byte* values, std::byte* target) {
  const size_t row = row_bytes(shape.format, shape.in);
  const int64_t step = std::max<int64_t>(16, static_cast<int64_t>(packed_slice / row) / 16 * 16);
  const auto slice = [&](int64_t begin) {
    return std::span(values + row * static_cast<size_t>(begin), row * static_cast<size_t>(std::clamp<int64_t>(shape.out - begin, 0, step)));
  };
  const io::MappedFile* file = from ? file_around(from->files, values) : nullptr;
  for (int64_t begin = 0; begin < shape.out; begin += step) {
    const int64_t end = std::min<int64_t>(shape.out, begin + step);
    if (file && end < shape.out) file->will_read(slice(end));
    if (device_.info().host_memory) {
      pack_together(device_.info().threads, shape, begin, end, values, target);
    } else {
      Matrix part = shape;
      part.out = static_cast<int32_t>(end - begin);
      LAVA_CHECK_OK(send(part, slice(begin).data(), target + packed_bytes(shape.format, shape.layout, begin, shape.in)));
    }
    if (file) file->release(slice(begin));
  }
  return {};
}

// A slice to a device with memory of its own: packed here, and copied from there.
Result<void> Weights::send(const Matrix& shape, const std::byte* values, std::byte* target) {
  const size_t bytes = packed_bytes(shape.format, shape.layout, shape.out, shape.in);
  if (shape.layout != MatrixLayout::rows) {
    if (!staging_ || staging_->size() < bytes) {
      LAVA_TRY(staging_, device_.allocate(std::max(bytes, packed_slice), BufferUse::shared));
    }
    pack_together(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())), shape, 0, shape.out, values, staging_->data());
    values = staging_->data();
  }
  device_.upload(target, {values, bytes});
  return {};
}

// `shape` without its data, which is used in place, found in a pack, or copied from row `begin` of the entry on.
Result<Matrix> Weights::place(const io::TensorSource& source, const io::TensorEntry& entry, Matrix shape, int64_t begin) {
  const std::byte* values = entry.bytes.data() + row_bytes(entry.dtype, begin * shape.in);
  const bool converted = entry.dtype != shape.format;
  if (!converted && usable_in_place(device_, shape.format, shape.layout, values)) {
    bytes_ += row_bytes(shape.format, int64_t{shape.out} * shape.in);
    shape.data = values;
    return shape;
  }
  const size_t bytes = packed_bytes(shape.format, shape.layout, shape.out, shape.in);
  const bool host = device_.info().host_memory;
  PackedSource* from = known(source);
  const std::byte* packed = from && from->pack ? from->pack->find(entry.name, begin, entry.dtype, shape) : nullptr;
  if (packed && !from->pack->hold({packed, bytes})) packed = nullptr;
  if (packed && host) {
    bytes_ += bytes;
    shape.data = packed;
  } else {
    LAVA_TRY(std::byte * target, reserve(bytes));
    if (planning_) {
      // Its size is all that is wanted.
    } else if (packed) {
      device_.upload(target, {packed, bytes});
    } else if (converted) {
      LAVA_CHECK_OK(pack(nullptr, shape, convert(entry.dtype, values, shape).data(), target));
      if (const io::MappedFile* file = from ? file_around(from->files, values) : nullptr)
        file->release({values, row_bytes(entry.dtype, int64_t{shape.out} * shape.in)});
    } else {
      LAVA_CHECK_OK(pack(from, shape, values, target));
    }
    shape.data = target;
  }
  if (from && host && shape.layout != MatrixLayout::rows) {  // packs are written from host memory
    from->matrices.push_back({entry.name, begin, entry.dtype, shape});
    from->bytes += bytes;
  }
  return shape;
}

Result<std::vector<float>> Weights::values(const io::TensorSource& source, std::string_view name, int64_t elements) {
  LAVA_TRY(const io::TensorEntry* entry, find(source, name));
  if (entry->elements() != elements) return wrong_shape(source, *entry, {&elements, 1});
  LAVA_CHECK_OK(check_format(source, *entry, entry->shape.empty() ? elements : entry->shape.back()));
  std::vector<float> values(static_cast<size_t>(elements));
  dequantize_row(entry->dtype, entry->bytes.data(), values.data(), elements);
  // A few bytes of each layer may have brought 2 MB pages into memory.
  const PackedSource* from = known(source);
  if (const io::MappedFile* file = from ? file_around(from->files, entry->bytes.data()) : nullptr) file->release(entry->bytes);
  return values;
}

Result<Tensor> Weights::dense(const io::TensorSource& source, std::string_view name, std::initializer_list<int64_t> shape) {
  LAVA_TRY(const io::TensorEntry* entry, find(source, name));
  int64_t elements = 1;
  for (const int64_t extent : shape) elements *= extent;
  if (entry->elements() != elements) return wrong_shape(source, *entry, {shape.begin(), shape.size()});
  if (planning_) return dense_from(std::vector<float>(static_cast<size_t>(elements)), shape);
  LAVA_TRY(const std::vector<float> values, this->values(source, name, elements));
  return dense_from(values, shape);
}

Result<Tensor> Weights::dense_from(std::span<const float> values, std::initializer_list<int64_t> shape) {
  LAVA_TRY(std::byte * memory, reserve(values.size_bytes()));
  const Tensor tensor(DType::f32, shape, memory);
  LAVA_CHECK(tensor.elements() == static_cast<int64_t>(values.size()));
  device_.upload(memory, std::as_bytes(values));
  return tensor;
}

Result<Tensor> Weights::zeros(std::initializer_list<int64_t> shape) {
  LAVA_CHECK(device_.info().host_memory);
  int64_t elements = 1;
  for (const int64_t extent : shape) elements *= extent;
  LAVA_TRY(std::byte * memory, reserve(static_cast<size_t>(elements) * sizeof(float)));
  std::memset(memory, 0, static_cast<size_t>(elements) * sizeof(float));
  return Tensor(DType::f32, shape, memory);
}

Result<Matrix> Weights::matrix_from(const float* values, int64_t out, int64_t in) {
  Matrix matrix;
  matrix.layout = preferred_layout(DType::f32, Precision::exact, device_.info().host_memory);
  matrix.out = static_cast<int32_t>(out);
  matrix.in = static_cast<int32_t>(in);
  LAVA_TRY(std::byte * target, reserve(packed_bytes(DType::f32, matrix.layout, out, in)));
  LAVA_CHECK_OK(pack(nullptr, matrix, reinterpret_cast<const std::byte*>(values), target));
  matrix.data = target;
  return matrix;
}

void Weights::read_row(const Matrix& matrix, int64_t row, float* target) const {
  if (device_.info().host_memory) return widen_row(matrix, row, target);
  // The rows that are packed together come over and are a matrix of their own.
  Matrix group = matrix;
  group.out = matrix.layout == MatrixLayout::rows ? 1 : 16;
  std::vector<std::byte> bytes(packed_bytes(matrix.format, matrix.layout, group.out, matrix.in));
  device_.download(bytes, matrix.data + static_cast<size_t>(row / group.out) * bytes.size());
  group.data = bytes.data();
  widen_row(group, row % group.out, target);
}

}  // namespace lava
