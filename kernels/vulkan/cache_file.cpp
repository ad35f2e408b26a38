#include "kernels/vulkan/cache_file.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace lava::vulkan {
namespace {

struct Header {
  char magic[8] = {'L', 'A', 'V', 'A', 'V', 'K', '0', '1'};
  uint64_t size = 0, checksum = 0;
};

uint64_t checksum_of(std::string_view data) {  // FNV-1a
  uint64_t sum = 0xcbf29ce484222325u;
  for (const char c : data) sum = (sum ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return sum;
}

}  // namespace

std::string cache_file_path(const Abilities& device) {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  std::string folder = cache && *cache == '/' ? cache : home && *home ? std::string(home) + "/.cache" : "";
  if (folder.empty()) return {};
  std::string name;
  char digits[9];
  for (const uint8_t byte : device.device_uuid) {
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    name += digits;
  }
  std::snprintf(digits, sizeof(digits), "%08x", device.driver_version);
  return folder + "/lavascope/vulkan/" + name + "-" + digits + ".bin";
}

std::string read_cache_file(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Header header;
  if (all.size() <= sizeof(header)) return {};
  const Header expected;
  std::memcpy(&header, all.data(), sizeof(header));
  std::string data = all.substr(sizeof(header));
  const bool whole = std::memcmp(header.magic, expected.magic, sizeof(header.magic)) == 0 && header.size == data.size() && header.checksum == checksum_of(data);
  return whole ? data : std::string();
}

void write_cache_file(const std::string& path, std::string_view data) {
  if (path.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const std::string fresh = path + "." + std::to_string(getpid());
  Header header;
  header.size = data.size(), header.checksum = checksum_of(data);
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(&header), sizeof(header)).write(data.data(), static_cast<std::streamsize>(data.size()));
  file.close();
  if (file) std::filesystem::rename(fresh, path, ignored);
  if (!file || ignored) std::filesystem::remove(fresh, ignored);
}

}  // namespace lava::vulkan
