#include "engine/io/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/io/gguf_parse.h"
#include "engine/io/gguf_shards.h"
#include "engine/io/names.h"

namespace lava::io {
namespace {

constexpr uint64_t max_copied = uint64_t{1} << 24;  // elements of an array handed out at once

tl::unexpected<Error> wrong(std::string_view key, std::string cause, const std::string& where) {
  return fail(Error::Kind::invalid, fmt::format("The setting {} of {} cannot be used", printable(key), where), std::move(cause));
}

template <class T>
Result<T> absent_or(std::string_view key, std::optional<T> fallback, const std::string& where) {
  if (fallback) return *fallback;
  return fail(Error::Kind::invalid, fmt::format("The setting {} is missing in {}", printable(key), where));
}

}  // namespace

Result<std::unique_ptr<Gguf>> Gguf::open(const std::filesystem::path& path) {
  LAVA_TRY(const auto shards, gguf_shards(path));
  std::unique_ptr<Gguf> model(new Gguf);
  model->path_ = path;
  for (size_t i = 0; i < shards.size(); ++i) {
    LAVA_TRY(MappedFile file, MappedFile::open(shards[i]));
    LAVA_TRY(GgufParts parts, parse_gguf(file.bytes(), shards[i].string()));
    LAVA_CHECK_OK(check_shard(parts, i, shards));
    model->files_.push_back(std::move(file));
    if (i == 0) {
      model->version_ = parts.version;
      model->alignment_ = parts.alignment;
      model->values_ = std::move(parts.values);
    }
    std::move(parts.tensors.begin(), parts.tensors.end(), std::back_inserter(model->tensors_));
  }
  for (size_t i = 0; i < model->values_.size(); ++i) model->value_index_.emplace(model->values_[i].first, i);
  for (size_t i = 0; i < model->tensors_.size(); ++i) {
    const std::string& name = model->tensors_[i].name;
    if (!model->tensor_index_.emplace(name, i).second)
      return fail(Error::Kind::invalid, "The parts of " + path.string() + " do not belong together",
                  "the tensor " + printable(name) + " is in two of them");
  }
  const auto expected = shards.size() > 1 ? model->integer("split.tensors.count") : std::nullopt;
  if (expected && *expected != static_cast<int64_t>(model->tensors_.size()))
    return fail(Error::Kind::invalid, "The parts of " + path.string() + " do not belong together",
                fmt::format("they hold {} tensors, the first part promises {}", model->tensors_.size(), *expected),
                "Download all parts again");
  return model;
}

const TensorEntry* Gguf::find(std::string_view name) const {
  const auto found = tensor_index_.find(name);
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

std::string Gguf::describe() const { return path_.string(); }

const GgufValue* Gguf::value(std::string_view key) const {
  const auto found = value_index_.find(key);
  return found == value_index_.end() ? nullptr : &values_[found->second].second;
}

std::string Gguf::architecture() const { return std::string(string("general.architecture").value_or("")); }

std::optional<int64_t> Gguf::integer(std::string_view key) const {
  const GgufValue* found = value(key);
  return found ? gguf_integer(*found) : std::nullopt;
}

std::optional<double> Gguf::real(std::string_view key) const {
  const GgufValue* found = value(key);
  if (!found || (!is_gguf_integer(found->type) && found->type != GgufType::f32 && found->type != GgufType::f64)) return std::nullopt;
  return gguf_real_at({GgufType::array, found->type, 1, found->bytes}, 0);
}

std::optional<bool> Gguf::boolean(std::string_view key) const {
  const GgufValue* found = value(key);
  if (!found || found->type != GgufType::boolean) return std::nullopt;
  return found->bytes[0] != std::byte{0};
}

std::optional<std::string_view> Gguf::string(std::string_view key) const {
  const GgufValue* found = value(key);
  if (!found || found->type != GgufType::string) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(found->bytes.data()), found->bytes.size());
}

std::optional<std::vector<std::string_view>> Gguf::string_array(std::string_view key) const {
  const GgufValue* found = value(key);
  if (!found || found->type != GgufType::array || found->element != GgufType::string || found->count > max_copied) return std::nullopt;
  std::vector<std::string_view> texts;
  texts.reserve(found->count);
  const std::byte* at = found->bytes.data();
  for (uint64_t i = 0; i < found->count; ++i) {  // lengths were checked on opening
    uint64_t length = 0;
    std::memcpy(&length, at, sizeof(length));
    texts.emplace_back(reinterpret_cast<const char*>(at) + sizeof(length), length);
    at += sizeof(length) + length;
  }
  return texts;
}

std::optional<std::vector<float>> Gguf::float_array(std::string_view key) const {
  const GgufValue* found = value(key);
  if (!found || found->type != GgufType::array || found->element == GgufType::string || found->element == GgufType::boolean)
    return std::nullopt;
  if (found->count > max_copied) return std::nullopt;
  std::vector<float> numbers(found->count);
  for (uint64_t i = 0; i < found->count; ++i) numbers[i] = static_cast<float>(gguf_real_at(*found, i));
  return numbers;
}

std::optional<std::vector<int64_t>> Gguf::int_array(std::string_view key) const {
  const GgufValue* found = value(key);
  if (!found || found->type != GgufType::array || found->count > max_copied) return std::nullopt;
  if (!is_gguf_integer(found->element) && found->element != GgufType::boolean) return std::nullopt;
  std::vector<int64_t> numbers(found->count);
  for (uint64_t i = 0; i < found->count; ++i) {
    bool fits = false;
    numbers[i] = gguf_integer_at(*found, i, fits);
    if (!fits) return std::nullopt;
  }
  return numbers;
}

uint64_t Gguf::array_size(std::string_view key) const {
  const GgufValue* found = value(key);
  return found && found->type == GgufType::array ? found->count : 0;
}

Result<int64_t> Gguf::int_in(std::string_view key, int64_t min, int64_t max, std::optional<int64_t> fallback) const {
  if (!has(key)) return absent_or(key, fallback, describe());
  const auto number = integer(key);
  if (!number) return wrong(key, fmt::format("it is {}, not a whole number that fits", gguf_type_name(value(key)->type)), describe());
  if (*number < min || *number > max) return wrong(key, fmt::format("it is {}, allowed are {} to {}", *number, min, max), describe());
  return *number;
}

Result<double> Gguf::real_in(std::string_view key, double min, double max, std::optional<double> fallback) const {
  if (!has(key)) return absent_or(key, fallback, describe());
  const auto number = real(key);
  if (!number) return wrong(key, fmt::format("it is {}, not a number", gguf_type_name(value(key)->type)), describe());
  if (!(*number >= min && *number <= max)) return wrong(key, fmt::format("it is {}, allowed are {} to {}", *number, min, max), describe());
  return *number;
}

}  // namespace lava::io
