#include "engine/partition/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/io/names.h"

namespace lava {
namespace {

tl::unexpected<Error> wrong(std::string cause) {
  return fail(Error::Kind::invalid, "The picture settings of the model cannot be used", std::move(cause));
}

// Every number of a text, in order.
Result<std::vector<int64_t>> numbers_of(std::string_view text) {
  std::vector<int64_t> numbers;
  bool inside = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !inside) numbers.push_back(0);
    if (digit) numbers.back() = numbers.back() * 10 + (c - '0');
    if (digit && numbers.back() > 1'000'000) return wrong("a tile size is too large");
    if (numbers.size() > 2 * most_resolutions) return wrong("there are too many tile sizes");
    inside = digit;
  }
  return numbers;
}

}  // namespace

Result<void> set_colours(PartitionConfig& config, std::span<const double> mean, std::span<const double> std) {
  if (mean.size() != 3 || std.size() != 3)
    return wrong(fmt::format("mean and deviation have {} and {} numbers, not 3", mean.size(), std.size()));
  for (size_t i = 0; i < 3; ++i) {
    if (!(mean[i] >= -4 && mean[i] <= 4) || !(std[i] >= 1e-4 && std[i] <= 1e4))
      return wrong(fmt::format("mean {} or deviation {} is impossible", mean[i], std[i]));
    config.mean[i] = static_cast<float>(mean[i]);
    config.std[i] = static_cast<float>(std[i]);
    config.padding[i] = static_cast<uint8_t>(std::clamp(static_cast<int>(mean[i] * 255), 0, 255));
  }
  return {};
}

Result<void> set_resolutions(PartitionConfig& config, const std::vector<std::pair<int64_t, int64_t>>& pairs, bool height_first) {
  if (pairs.empty() || pairs.size() > most_resolutions)
    return wrong(fmt::format("there are {} tile sizes, allowed are 1 to {}", pairs.size(), most_resolutions));
  config.resolutions.clear();
  for (const auto& [first, second] : pairs) {
    const int64_t width = height_first ? second : first, height = height_first ? first : second;
    if (width < 1 || height < 1 || width > 1'000'000 || height > 1'000'000 || width % config.side != 0 || height % config.side != 0)
      return wrong(fmt::format("the tile size {} x {} is not made of views of {} pixels", width, height, config.side));
    if (width / config.side * (height / config.side) > most_tiles)
      return wrong(fmt::format("the tile size {} x {} has more than {} tiles", width, height, most_tiles));
    config.resolutions.push_back({static_cast<int>(width), static_cast<int>(height)});
  }
  return {};
}

Result<std::vector<std::pair<int64_t, int64_t>>> parse_resolutions(std::string_view text, int side) {
  LAVA_TRY(const auto numbers, numbers_of(text));
  if (numbers.empty() || numbers.size() % 2 != 0) return wrong("the tile sizes are no pairs: " + io::printable(text));
  std::vector<std::pair<int64_t, int64_t>> pairs;
  if (text.find('x') == std::string_view::npos) {
    for (size_t i = 0; i < numbers.size(); i += 2) pairs.emplace_back(numbers[i], numbers[i + 1]);
    return pairs;
  }
  const int64_t last_first = numbers[numbers.size() - 2], last_second = numbers.back();
  if (last_first > most_tiles || last_second > most_tiles) return wrong("there are too many tiles: " + io::printable(text));
  for (int64_t i = numbers[0]; i <= last_first; ++i)
    for (int64_t j = numbers[1]; j <= last_second; ++j) pairs.emplace_back(i * side, j * side);
  return pairs;
}

Result<int> parse_max_tiles(std::string_view aspect) {
  constexpr std::string_view start = "anyres_max_";
  LAVA_TRY(const auto numbers, numbers_of(aspect));
  if (!aspect.starts_with(start) || numbers.size() != 1 || numbers[0] < 1 || numbers[0] > most_tiles)
    return wrong("the view mode is not known: " + io::printable(aspect));
  return static_cast<int>(numbers[0]);
}

PackMode pack_mode(std::string_view merge_type) {
  if (merge_type.find("unpad") != std::string_view::npos) return PackMode::spatial_unpad;
  return merge_type.starts_with("spatial") ? PackMode::spatial : PackMode::flat;
}

}  // namespace lava
