#include "engine/io/safetensors_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "engine/io/checked.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"

namespace lava::io {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors values are read in place");

constexpr uint64_t max_header = 100'000'000;  // of the reference implementation
constexpr size_t max_name = 1024, max_rank = 8, max_metadata = 1024;

struct Format {
  std::string_view name;
  uint64_t bits;
  std::optional<DType> dtype;
};

constexpr Format formats[] = {
    {"F32", 32, DType::f32}, {"F16", 16, DType::f16}, {"BF16", 16, DType::bf16}, {"I32", 32, DType::i32}, {"I8", 8, DType::i8},
    {"U8", 8, DType::u8},    {"BOOL", 8, {}},         {"F64", 64, {}},           {"I64", 64, {}},         {"U64", 64, {}},
    {"U32", 32, {}},         {"U16", 16, {}},         {"I16", 16, {}},           {"F8_E4M3", 8, {}},      {"F8_E5M2", 8, {}},
    {"F8_E8M0", 8, {}},      {"F8_E4M3FNUZ", 8, {}},  {"F8_E5M2FNUZ", 8, {}},    {"F4", 4, {}},           {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},      {"C64", 64, {}}};

tl::unexpected<Error> damaged(const std::string& source, std::string cause) {
  return fail(Error::Kind::invalid, source + " is damaged", std::move(cause), "Download the file again");
}

std::optional<uint64_t> unsigned_number(const json& value) {
  return value.is_number_unsigned() ? std::optional(value.get<uint64_t>()) : std::nullopt;
}

struct Described {
  const Format* format = nullptr;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

// dtype, shape and data_offsets of one entry, agreeing with one another.
Result<Described> read_entry(const std::string& name, const json& entry, const std::string& source) {
  const std::string shown = printable(name);
  const json* dtype = member(entry, "dtype");
  const json* shape = member(entry, "shape");
  const json* offsets = member(entry, "data_offsets");
  if (!dtype || !dtype->is_string() || !shape || !shape->is_array() || !offsets || !offsets->is_array() || offsets->size() != 2)
    return damaged(source, "the entry of the tensor " + shown + " is incomplete");
  Described out;
  const auto& id = dtype->get_ref<const std::string&>();
  const auto* format = std::find_if(std::begin(formats), std::end(formats), [&](const Format& f) { return f.name == id; });
  if (format == std::end(formats))
    return fail(Error::Kind::unsupported, source + " holds numbers in an unknown format",
                fmt::format("{} of the tensor {}", printable(id), shown));
  out.format = format;
  if (shape->size() > max_rank) return damaged(source, fmt::format("the tensor {} has {} dimensions", shown, shape->size()));
  std::optional<uint64_t> bits = format->bits;
  for (const json& value : *shape) {
    const auto extent = unsigned_number(value);
    if (!extent || *extent > static_cast<uint64_t>(INT64_MAX)) return damaged(source, "the tensor " + shown + " has an impossible shape");
    out.shape.push_back(static_cast<int64_t>(*extent));
    if (bits) bits = checked_mul(*bits, *extent);
  }
  const auto begin = unsigned_number((*offsets)[0]), end = unsigned_number((*offsets)[1]);
  if (!begin || !end || *begin > *end || !bits || *bits % 8 != 0 || *bits / 8 != *end - *begin)
    return damaged(source, "shape and size of the tensor " + shown + " do not agree");
  out.begin = *begin;
  out.end = *end;
  return out;
}

Result<void> read_metadata(const json& map, const std::string& source, SafetensorsParts& parts) {
  if (!map.is_object() || map.size() > max_metadata) return damaged(source, "its __metadata__ is not a list of texts");
  for (const auto& [key, value] : map.items()) {
    if (!value.is_string()) return damaged(source, "its __metadata__ is not a list of texts");
    parts.metadata.emplace(key, value.get<std::string>());
  }
  return {};
}

Result<std::string_view> read_header(std::span<const std::byte> bytes, const std::string& source) {
  uint64_t length = 0;
  if (bytes.size() < sizeof(length) + 2) return fail(Error::Kind::invalid, source + " is not a safetensors file", "it is too short");
  std::memcpy(&length, bytes.data(), sizeof(length));
  const auto* text = reinterpret_cast<const char*>(bytes.data()) + sizeof(length);
  if (*text != '{') return fail(Error::Kind::invalid, source + " is not a safetensors file", "it has no header");
  if (length > max_header) return damaged(source, fmt::format("it claims a header of {} bytes", length));
  if (length > bytes.size() - sizeof(length))
    return fail(Error::Kind::invalid, source + " ends early",
                fmt::format("the header needs {} bytes, the file has {}", length, bytes.size()), "Download the file again");
  return std::string_view(text, length);
}

struct Placed {
  std::string name;
  Described what;
};

// In the order of their bytes, without overlap, inside the data.
Result<void> place(std::vector<Placed>& placed, std::span<const std::byte> data, const std::string& source, SafetensorsParts& parts) {
  std::sort(placed.begin(), placed.end(),
            [](const Placed& a, const Placed& b) { return std::pair(a.what.begin, a.what.end) < std::pair(b.what.begin, b.what.end); });
  uint64_t used = 0;
  for (Placed& entry : placed) {
    const auto& [format, shape, begin, end] = entry.what;
    if (end > data.size())
      return fail(Error::Kind::invalid, source + " ends early",
                  fmt::format("the tensor {} needs bytes up to {} of the data, the file has {}", printable(entry.name), end, data.size()),
                  "Download the file again");
    if (begin < used) return damaged(source, "the tensor " + printable(entry.name) + " overlaps another");
    used = end;
    if (format->dtype)
      parts.tensors.push_back({std::move(entry.name), *format->dtype, shape, data.subspan(begin, end - begin)});
    else
      parts.unread.push_back({std::move(entry.name), std::string(format->name), shape, end - begin});
  }
  return {};
}

}  // namespace

Result<SafetensorsParts> parse_safetensors(std::span<const std::byte> bytes, const std::string& source) {
  LAVA_TRY(const auto header, read_header(bytes, source));
  const JsonLimits limits{.max_bytes = max_header, .max_depth = 4, .max_values = 4'000'000, .unique_keys = true};
  LAVA_TRY(const json entries, parse_json(header, "The header of " + source, limits));
  SafetensorsParts parts;
  std::vector<Placed> placed;
  placed.reserve(entries.size());
  for (const auto& [name, entry] : entries.items()) {
    if (name == "__metadata__") {
      LAVA_CHECK_OK(read_metadata(entry, source, parts));
      continue;
    }
    if (name.empty() || name.size() > max_name) return damaged(source, "the tensor name \"" + printable(name) + "\" is empty or too long");
    LAVA_TRY(Described what, read_entry(name, entry, source));
    placed.push_back({name, std::move(what)});
  }
  LAVA_CHECK_OK(place(placed, bytes.subspan(sizeof(uint64_t) + header.size()), source, parts));
  return parts;
}

}  // namespace lava::io
