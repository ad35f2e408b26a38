#include "engine/io/pack_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include "engine/media/sha256.h"
#include "kernels/formats/formats.h"
#include "kernels/linear/pack.h"

namespace lava::io {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read and written in place");

constexpr std::string_view magic = "LAVAPACK";
constexpr uint32_t format_version = 2;
constexpr uint64_t data_alignment = uint64_t{2} << 20;  // a big page: the system maps the matrices in such
constexpr uint64_t entry_alignment = 64;                // a cache line, as kernels expect
constexpr size_t format_name = 8, layout_name = 16;
constexpr size_t checksum_at = 8 + 4 + 4 + 3 * 8 + 32, header_bytes = checksum_at + 32;
constexpr size_t least_entry_bytes = 5 * 8 + 4 + 2 * format_name + layout_name + 8;
constexpr uint64_t most_table_bytes = uint64_t{64} << 20, most_name_bytes = 4096;
constexpr int64_t most_extent = std::numeric_limits<int32_t>::max();

uint64_t aligned(uint64_t at, uint64_t step) { return (at + step - 1) / step * step; }

std::string_view name_of(MatrixLayout layout) { return layout == MatrixLayout::interleaved16 ? "interleaved16" : "rows"; }

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_name(std::string& out, std::string_view name, size_t width) {
  out += name.substr(0, width);
  out.append(width - std::min(width, name.size()), '\0');
}

std::string table_bytes(const PackHeader& header) {
  std::string table;
  for (const PackedEntry& entry : header.entries) {
    for (const int64_t number : {entry.first_row, entry.rows, entry.in}) put(table, number);
    for (const uint64_t number : {entry.offset, entry.bytes}) put(table, number);
    put(table, entry.checksum);
    put_name(table, dtype_info(entry.source_format).name, format_name);
    put_name(table, dtype_info(entry.format).name, format_name);
    put_name(table, name_of(entry.layout), layout_name);
    put(table, uint64_t{entry.name.size()});
    table += entry.name;
  }
  return table;
}

Digest checksum(std::span<const std::byte> front, std::span<const std::byte> table) {
  media::Sha256 hash;
  hash.add(front);
  hash.add(table);
  return hash.finish();
}

// Takes numbers and texts off the front; nothing once the bytes have run out.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  std::optional<T> number() {
    T value;
    const auto part = take(sizeof value);
    if (!part) return std::nullopt;
    std::memcpy(&value, part->data(), sizeof value);
    return value;
  }
  std::optional<std::string_view> text(uint64_t bytes) {
    const auto part = take(bytes);
    if (!part) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(part->data()), part->size());
  }
  bool done() const { return bytes_.empty(); }

 private:
  std::optional<std::span<const std::byte>> take(uint64_t count) {
    if (count > bytes_.size()) return std::nullopt;
    const auto part = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return part;
  }
  std::span<const std::byte> bytes_;
};

std::string_view without_zeros(std::string_view padded) { return padded.substr(0, padded.find('\0')); }

std::optional<DType> format_called(std::string_view name) {
  for (int i = 0; i < dtype_count; ++i)
    if (const auto format = static_cast<DType>(i); dtype_info(format).name == name && is_weight_format(format)) return format;
  return std::nullopt;
}

std::optional<MatrixLayout> layout_called(std::string_view name) {
  for (const MatrixLayout layout : {MatrixLayout::rows, MatrixLayout::interleaved16})
    if (name_of(layout) == name) return layout;
  return std::nullopt;
}

std::optional<PackedEntry> read_entry(Cursor& table) {
  PackedEntry entry;
  for (int64_t* number : {&entry.first_row, &entry.rows, &entry.in}) {
    const auto read = table.number<int64_t>();
    if (!read) return std::nullopt;
    *number = *read;
  }
  for (uint64_t* number : {&entry.offset, &entry.bytes}) {
    const auto read = table.number<uint64_t>();
    if (!read) return std::nullopt;
    *number = *read;
  }
  const auto checksum = table.number<uint32_t>();
  const auto source = table.text(format_name), format = table.text(format_name), layout = table.text(layout_name);
  const auto length = table.number<uint64_t>();
  if (!layout || !length || *length > most_name_bytes) return std::nullopt;
  const auto name = table.text(*length);
  const auto known_source = format_called(without_zeros(*source)), known = format_called(without_zeros(*format));
  const auto known_layout = layout_called(without_zeros(*layout));
  if (!name || !known_source || !known || !known_layout) return std::nullopt;
  entry.source_format = *known_source, entry.format = *known, entry.layout = *known_layout, entry.name = *name, entry.checksum = *checksum;
  return entry;
}

// No product overflows: extents are below 2^31, and no format takes more than 4 bytes a value.
bool is_sound(const PackedEntry& entry) {
  if (entry.first_row < 0 || entry.first_row > most_extent || entry.rows < 1 || entry.rows > most_extent || entry.in < 1 || entry.in > most_extent)
    return false;
  if (entry.in % dtype_info(entry.format).block != 0 || (entry.layout == MatrixLayout::interleaved16 && !can_interleave(entry.format))) return false;
  return entry.offset % entry_alignment == 0 && entry.bytes == packed_bytes(entry.format, entry.layout, entry.rows, entry.in);
}

tl::unexpected<Error> unusable(const std::string& source, std::string cause) {
  return fail(Error::Kind::invalid, source + " cannot be used", std::move(cause), "It is made anew by itself");
}

}  // namespace

void lay_out(PackHeader& header) {
  uint64_t at = aligned(header_bytes + table_bytes(header).size(), data_alignment);
  for (PackedEntry& entry : header.entries) {
    entry.bytes = packed_bytes(entry.format, entry.layout, entry.rows, entry.in);
    entry.offset = aligned(at, entry_alignment);
    at = entry.offset + entry.bytes;
  }
  header.file_bytes = at;
}

std::string pack_header_bytes(const PackHeader& header) {
  const std::string table = table_bytes(header);
  std::string out(magic);
  put(out, format_version);
  put(out, packed_layout_version);
  put(out, header.file_bytes);
  put(out, uint64_t{table.size()});
  put(out, uint64_t{header.entries.size()});
  out.append(reinterpret_cast<const char*>(header.content.data()), header.content.size());
  const Digest sum = checksum(std::as_bytes(std::span(out)), std::as_bytes(std::span(table)));
  out.append(reinterpret_cast<const char*>(sum.data()), sum.size());
  out += table;
  out.resize(aligned(out.size(), data_alignment));
  return out;
}

Result<PackHeader> parse_pack(std::span<const std::byte> file, const std::string& source) {
  if (file.size() < header_bytes) return unusable(source, "it ends early");
  Cursor front(file.first(header_bytes));
  if (front.text(magic.size()) != magic) return unusable(source, "it holds no packed weights");
  if (front.number<uint32_t>() != format_version || front.number<uint32_t>() != packed_layout_version) return unusable(source, "another version wrote it");
  PackHeader header;
  header.file_bytes = *front.number<uint64_t>();
  const uint64_t table_size = *front.number<uint64_t>(), count = *front.number<uint64_t>();
  const auto content = front.text(header.content.size()), sum = front.text(header.content.size());
  std::memcpy(header.content.data(), content->data(), content->size());
  if (header.file_bytes != file.size()) return unusable(source, "it does not have its size");
  if (table_size > most_table_bytes || table_size > file.size() - header_bytes || count > table_size / least_entry_bytes)
    return unusable(source, "its table does not fit into it");
  const auto table_part = file.subspan(header_bytes, table_size);
  const Digest expected = checksum(file.first(checksum_at), table_part);
  if (std::memcmp(expected.data(), sum->data(), expected.size()) != 0) return unusable(source, "its checksum is wrong");

  Cursor table(table_part);
  uint64_t free_from = aligned(header_bytes + table_size, data_alignment);
  header.entries.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    auto entry = read_entry(table);
    if (!entry || !is_sound(*entry)) return unusable(source, "its table is damaged");
    if (entry->offset < free_from || entry->offset > file.size() || entry->bytes > file.size() - entry->offset)
      return unusable(source, "a matrix lies outside its place");
    free_from = entry->offset + entry->bytes;
    header.entries.push_back(std::move(*entry));
  }
  if (!table.done()) return unusable(source, "its table is longer than what stands in it");
  return header;
}

}  // namespace lava::io
