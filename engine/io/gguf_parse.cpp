#include "engine/io/gguf_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "engine/io/checked.h"
#include "engine/io/names.h"

namespace lava::io {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF values are read in place");

constexpr uint64_t max_count = uint64_t{1} << 30;  // bytes of a string, elements of an array
constexpr uint64_t max_values = 65'536, max_tensors = 262'144;
constexpr uint64_t least_value_bytes = 8 + 1 + 4 + 1, least_tensor_bytes = 8 + 1 + 4 + 8 + 4 + 8;
constexpr uint64_t max_alignment = uint64_t{1} << 20;

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }

  Result<std::span<const std::byte>> take(uint64_t count, std::string_view what) {
    if (count > left())
      return fail(Error::Kind::invalid, source_ + " ends early",
                  fmt::format("{} needs {} bytes at {}, the file has {}", what, count, at_, bytes_.size()), "Download the file again");
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }

  template <class T>
  Result<T> number(std::string_view what) {
    LAVA_TRY(const auto part, take(sizeof(T), what));
    T value;
    std::memcpy(&value, part.data(), sizeof(T));
    return value;
  }

  Result<std::string_view> text(std::string_view what) {
    LAVA_TRY(const auto length, number<uint64_t>(what));
    if (length > max_count) return damaged(fmt::format("{} claims a length of {}", what, length));
    LAVA_TRY(const auto part, take(length, what));
    return std::string_view(reinterpret_cast<const char*>(part.data()), part.size());
  }

  tl::unexpected<Error> damaged(std::string cause) const {
    return fail(Error::Kind::invalid, source_ + " is damaged", std::move(cause), "Download the file again");
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& source_;
  size_t at_ = 0;
};

struct Header {
  uint32_t version;
  uint64_t tensors, values;
};

Result<Header> read_header(Reader& in, const std::string& source) {
  const auto magic = in.take(4, "the file mark");
  if (!magic || std::memcmp(magic->data(), "GGUF", 4) != 0)
    return fail(Error::Kind::invalid, source + " is not a GGUF model", "it does not start with GGUF", "Choose a GGUF file, or the folder of a Hugging Face model");
  LAVA_TRY(const auto version, in.number<uint32_t>("the version"));
  if ((version & 0xFFFF) == 0)
    return fail(Error::Kind::unsupported, source + " was written for big-endian machines", {}, "Get the little-endian form of the model");
  if (version != 2 && version != 3)
    return fail(Error::Kind::unsupported, source + " has an unknown GGUF version", fmt::format("version {}, read are 2 and 3", version),
                version == 1 ? "Convert the model again with a current converter" : "Update Lavascope");
  LAVA_TRY(const auto tensors, in.number<uint64_t>("the number of tensors"));
  LAVA_TRY(const auto values, in.number<uint64_t>("the number of settings"));
  if (tensors > max_tensors || tensors > in.left() / least_tensor_bytes) return in.damaged(fmt::format("it claims {} tensors", tensors));
  if (values > max_values || values > in.left() / least_value_bytes) return in.damaged(fmt::format("it claims {} settings", values));
  return Header{version, tensors, values};
}

Result<GgufType> read_type(Reader& in, std::string_view key) {
  LAVA_TRY(const auto id, in.number<uint32_t>("the type of a setting"));
  if (id >= gguf_type_count) return in.damaged(fmt::format("the setting {} has the unknown type {}", printable(key), id));
  return static_cast<GgufType>(id);
}

// All elements as they stand in the file; texts are walked to find where they end.
Result<GgufValue> read_array(Reader& in, std::span<const std::byte> file, std::string_view key) {
  LAVA_TRY(const GgufType element, read_type(in, key));
  LAVA_TRY(const auto count, in.number<uint64_t>("the length of an array"));
  if (element == GgufType::array) return in.damaged(fmt::format("the setting {} is an array of arrays", printable(key)));
  const uint64_t least = element == GgufType::string ? 8 : gguf_type_bytes(element);
  if (count > max_count || count > in.left() / least)
    return in.damaged(fmt::format("the setting {} claims {} elements", printable(key), count));
  const size_t begin = in.at();
  if (element == GgufType::string) {
    for (uint64_t i = 0; i < count; ++i) LAVA_CHECK_OK(in.text("a text of an array"));
  } else {
    LAVA_CHECK_OK(in.take(count * least, "an array"));
  }
  return GgufValue{GgufType::array, element, count, file.subspan(begin, in.at() - begin)};
}

Result<GgufValue> read_value(Reader& in, std::span<const std::byte> file, std::string_view key) {
  LAVA_TRY(const GgufType type, read_type(in, key));
  if (type == GgufType::array) return read_array(in, file, key);
  if (type == GgufType::string) {
    LAVA_TRY(const auto text, in.text("a text"));
    return GgufValue{type, type, 1, std::as_bytes(std::span(text))};
  }
  LAVA_TRY(const auto bytes, in.take(gguf_type_bytes(type), "a setting"));
  return GgufValue{type, type, 1, bytes};
}

Result<void> read_values(Reader& in, std::span<const std::byte> file, uint64_t count, GgufParts& parts) {
  std::unordered_set<std::string_view> seen;
  parts.values.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    LAVA_TRY(const auto key, in.text("the name of a setting"));
    if (key.empty()) return in.damaged("a setting has no name");
    if (!seen.insert(key).second) return in.damaged(fmt::format("the setting {} stands twice", printable(key)));
    LAVA_TRY(const auto value, read_value(in, file, key));
    parts.values.emplace_back(std::string(key), value);
  }
  return {};
}

Result<uint32_t> read_alignment(const GgufParts& parts, const Reader& in) {
  for (const auto& [key, value] : parts.values) {
    if (key != "general.alignment") continue;
    const auto number = gguf_integer(value);
    if (!number || *number <= 0 || static_cast<uint64_t>(*number) > max_alignment || !std::has_single_bit(static_cast<uint64_t>(*number)))
      return in.damaged("general.alignment is not a power of two up to 2^20");
    return static_cast<uint32_t>(*number);
  }
  return 32u;
}

struct Placed {
  uint64_t offset, bytes;
};

// Name, type, shape and size of a table entry; its bytes are found later.
Result<Placed> read_tensor(Reader& in, const std::string& source, TensorEntry& out) {
  LAVA_TRY(const auto name, in.text("the name of a tensor"));
  if (name.empty() || name.size() >= 64) return in.damaged(fmt::format("the tensor name \"{}\" is empty or too long", printable(name)));
  out.name = name;
  const std::string shown = printable(name);
  LAVA_TRY(const auto rank, in.number<uint32_t>("the rank of a tensor"));
  if (rank < 1 || rank > 4) return in.damaged(fmt::format("the tensor {} has {} dimensions", shown, rank));
  out.shape.resize(rank);
  uint64_t elements = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    LAVA_TRY(const auto extent, in.number<int64_t>("the shape of a tensor"));
    const auto product = extent > 0 ? checked_mul(elements, static_cast<uint64_t>(extent)) : std::nullopt;
    if (!product || *product > static_cast<uint64_t>(INT64_MAX))
      return in.damaged(fmt::format("the tensor {} has an impossible shape", shown));
    elements = *product;
    out.shape[rank - 1 - i] = extent;  // the file lists the fastest dimension first
  }
  LAVA_TRY(const auto id, in.number<uint32_t>("the type of a tensor"));
  const auto dtype = dtype_of_ggml(id);
  if (!dtype)
    return fail(Error::Kind::unsupported,
                fmt::format("{} holds weights in the format {}, which Lavascope does not read", source, ggml_type_name(id)),
                "tensor " + shown, "Get the model in Q4_0, Q4_K_M, Q5_K_M, Q6_K, Q8_0, F16 or BF16");
  out.dtype = *dtype;
  const DTypeInfo info = dtype_info(*dtype);
  const auto row = static_cast<uint64_t>(out.shape.back());
  if (row % static_cast<uint64_t>(info.block) != 0)
    return in.damaged(fmt::format("rows of the tensor {} have {} values, {} needs multiples of {}", shown, row, info.name, info.block));
  const auto bytes = checked_mul(elements / static_cast<uint64_t>(info.block), static_cast<uint64_t>(info.bytes));
  if (!bytes) return in.damaged(fmt::format("the tensor {} has an impossible shape", shown));
  LAVA_TRY(const auto offset, in.number<uint64_t>("the place of a tensor"));
  return Placed{offset, *bytes};
}

// Every tensor lies inside the file, aligned, and on bytes of its own.
Result<void> place_tensors(const Reader& in, const std::string& source, std::span<const std::byte> file, const std::vector<Placed>& places,
                           GgufParts& parts) {
  const uint64_t start = (in.at() + parts.alignment - 1) / parts.alignment * parts.alignment;
  for (size_t i = 0; i < places.size(); ++i) {
    const auto [offset, bytes] = places[i];
    const std::string shown = printable(parts.tensors[i].name);
    if (offset % parts.alignment != 0) return in.damaged(fmt::format("the tensor {} is not aligned", shown));
    const auto begin = checked_add(start, offset);
    const auto end = begin ? checked_add(*begin, bytes) : std::nullopt;
    if (!end || *end > file.size())
      return fail(Error::Kind::invalid, source + " ends early",
                  fmt::format("the tensor {} needs {} bytes at {} of the data, the file has {} bytes", shown, bytes, offset, file.size()),
                  "Download the file again");
    parts.tensors[i].bytes = file.subspan(*begin, bytes);
  }
  std::vector<size_t> order(places.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return places[a].offset < places[b].offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    const Placed& before = places[order[i - 1]];
    if (before.offset + before.bytes > places[order[i]].offset)
      return in.damaged(fmt::format("the tensors {} and {} overlap", printable(parts.tensors[order[i - 1]].name),
                                    printable(parts.tensors[order[i]].name)));
  }
  return {};
}

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

std::optional<int64_t> integer_from(GgufType type, const std::byte* from) {
  switch (type) {
    case GgufType::u8:
      return load<uint8_t>(from);
    case GgufType::i8:
      return load<int8_t>(from);
    case GgufType::u16:
      return load<uint16_t>(from);
    case GgufType::i16:
      return load<int16_t>(from);
    case GgufType::u32:
      return load<uint32_t>(from);
    case GgufType::i32:
      return load<int32_t>(from);
    case GgufType::i64:
      return load<int64_t>(from);
    case GgufType::u64: {
      const auto value = load<uint64_t>(from);
      return value <= static_cast<uint64_t>(INT64_MAX) ? std::optional(static_cast<int64_t>(value)) : std::nullopt;
    }
    case GgufType::boolean:
      return load<uint8_t>(from) != 0 ? 1 : 0;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<GgufParts> parse_gguf(std::span<const std::byte> bytes, const std::string& source) {
  Reader in(bytes, source);
  GgufParts parts;
  LAVA_TRY(const Header header, read_header(in, source));
  parts.version = header.version;
  LAVA_CHECK_OK(read_values(in, bytes, header.values, parts));
  LAVA_TRY(parts.alignment, read_alignment(parts, in));
  if (header.tensors > in.left() / least_tensor_bytes) return in.damaged(fmt::format("it claims {} tensors", header.tensors));
  std::vector<Placed> places(header.tensors);
  parts.tensors.resize(header.tensors);
  std::unordered_set<std::string_view> seen;
  for (uint64_t i = 0; i < header.tensors; ++i) {
    LAVA_TRY(places[i], read_tensor(in, source, parts.tensors[i]));
    if (!seen.insert(parts.tensors[i].name).second)
      return in.damaged(fmt::format("the tensor {} stands twice", printable(parts.tensors[i].name)));
  }
  LAVA_CHECK_OK(place_tensors(in, source, bytes, places, parts));
  return parts;
}

std::optional<int64_t> gguf_integer(const GgufValue& value) {
  return is_gguf_integer(value.type) ? integer_from(value.type, value.bytes.data()) : std::nullopt;
}

int64_t gguf_integer_at(const GgufValue& array, uint64_t i, bool& fits) {
  const auto value = integer_from(array.element, array.bytes.data() + i * gguf_type_bytes(array.element));
  fits = value.has_value();
  return value.value_or(0);
}

double gguf_real_at(const GgufValue& array, uint64_t i) {
  const std::byte* from = array.bytes.data() + i * gguf_type_bytes(array.element);
  if (array.element == GgufType::f32) return load<float>(from);
  if (array.element == GgufType::f64) return load<double>(from);
  if (array.element == GgufType::u64) return static_cast<double>(load<uint64_t>(from));
  return static_cast<double>(integer_from(array.element, from).value_or(0));
}

}  // namespace lava::io
