// What it costs to have a model: the time until it can answer, the memory that it and its answers take.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "engine/cli/bench_model.h"
#include "engine/cli/bench_transfers.h"
#include "engine/cli/common.h"
#include "engine/core/mmproj.h"
#include "engine/core/user_folders.h"
#include "engine/io/mapped_file.h"
#include "kernels/probe/device_rates.h"

namespace lava::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Share of the files that lies in the page cache of the system.
Result<double> cached_share(const std::vector<fs::path>& files) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t all = 0, there = 0;
  for (const fs::path& path : files) {
    LAVA_TRY(const io::MappedFile file, io::MappedFile::open(path));
    std::vector<unsigned char> pages((file.size() + page - 1) / page);
    if (::mincore(const_cast<std::byte*>(file.bytes().data()), file.size(), pages.data()) != 0)
      return fail(Error::Kind::unsupported, "This system does not tell what its page cache holds");
    all += pages.size();
    for (const unsigned char one : pages) there += one & 1;
  }
  return all == 0 ? 0 : static_cast<double>(there) / static_cast<double>(all);
}

// Asks the system to forget the files; it does where nothing else has them mapped.
void drop_from_cache(const std::vector<fs::path>& files) {
  for (const fs::path& path : files) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    ::fsync(file);  // only what is on the disk can be forgotten
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

Result<void> warm_up(const std::vector<fs::path>& files) {
  std::vector<char> block(size_t{1} << 20);
  for (const fs::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    while (file.read(block.data(), static_cast<std::streamsize>(block.size()))) continue;
    if (file.bad()) return fail(Error::Kind::io, "The file cannot be read", path.string());
  }
  return {};
}

Result<uint64_t> bytes_of(const std::vector<fs::path>& files) {
  uint64_t bytes = 0;
  for (const fs::path& path : files) {
    std::error_code error;
    bytes += fs::file_size(path, error);
    if (error) return fail(Error::Kind::io, "The file cannot be read", path.string() + ": " + error.message());
  }
  return bytes;
}

// One token of an answer to one word: the weights have all been used once then.
Result<void> answer_shortly(Assistant& assistant, int tokens) {
  Request request;
  request.raw_prompt = "a";
  request.max_tokens = tokens;
  LAVA_CHECK_OK(assistant.answer(request));
  return {};
}

struct Opened {
  double load = 0, first_token = 0;
  size_t pack_bytes = 0;
  std::string notice;
  double sent = 0, sending = 0, upload_rate = 0;  // to a device with memory of its own: bytes, seconds, and bytes/s at best
  int threads = 1;
};
// Beyond the clock it waits for packs, so that the next opening finds them.
Result<Opened> open_once(const Settings& settings, const AssistantOptions& options) {
  Opened opened;
  OpenedDevice device;
  std::unique_ptr<UploadMeter> meter;
  std::unique_ptr<Assistant> assistant;
  const auto load = [&]() -> Result<void> {
    LAVA_TRY(device, cli::open_chosen_device(settings.device, settings.cpu));
    if (device.module) meter = std::make_unique<UploadMeter>(*device.module);
    LAVA_TRY(assistant, Assistant::load(meter ? Devices{*meter, *device.cpu} : device.devices(), options));
    if (meter) meter->stop();
    return {};
  };
  Result<void> done;
  opened.first_token = seconds_of([&] {
    opened.load = seconds_of([&] { done = load(); });
    if (done) done = answer_shortly(*assistant, 1);
  });
  if (!done) return tl::unexpected<Error>(done.error());
  assistant->wait_for_packs();
  opened.pack_bytes = assistant->report().pack_bytes, opened.notice = assistant->notice();
  opened.threads = device.cpu->info().threads;
  if (!meter || meter->bytes() == 0) return opened;
  opened.sent = meter->bytes(), opened.sending = meter->seconds();
  LAVA_TRY(opened.upload_rate, upload_rate(*device.module, 0.1));
  return opened;
}

// How fast the weights of the warm openings went to the device, beside the slower of two: uploads alone, and reading the files from the page cache.
Result<json> transfers(const std::vector<Opened>& opened, const std::vector<fs::path>& files) {
  std::vector<double> rates, uploads;
  for (const Opened& one : opened) {
    if (one.sending > 0) rates.push_back(one.sent / one.sending), uploads.push_back(one.upload_rate);
  }
  if (rates.empty()) return nullptr;
  LAVA_TRY(const double read, read_rate(files, opened.back().threads));
  const double rate = median_of(std::move(rates)), upload = median_of(std::move(uploads));
  const bool reading = read < upload;
  const json roof{{"of", reading ? "file read" : "upload"}, {"gb_per_s", 1e-9 * std::min(read, upload)},
                  {"unit", reading ? fmt::format("page cache, {} threads", opened.back().threads) : "uploads alone"}};
  return json{{"device_bytes", opened.back().sent}, {"upload_gb_per_s", 1e-9 * rate}, {"share_of_roof", rate / std::min(read, upload)}, {"roof", roof},
              {"roofs", {{"upload_gb_per_s", 1e-9 * upload}, {"file_read_gb_per_s", 1e-9 * read}}}};
}

void print_transfers(const json& sent) {
  if (sent.is_null()) return;
  const json& roof = sent["roof"];
  fmt::print("weights went to the device at {:.2f} GB/s, {:.0f} % of the roof ({}, {:.2f} GB/s, {})\n", sent["upload_gb_per_s"].get<double>(), 100 * sent["share_of_roof"].get<double>(),
             roof["of"].get<std::string>(), roof["gb_per_s"].get<double>(), roof["unit"].get<std::string>());
}

// All of them: which belongs to the model, its opening finds out.
std::vector<fs::path> packs_on_disk() {
  std::vector<fs::path> packs;
  std::error_code error;
  for (fs::directory_iterator entry(weight_pack_folder(), error); !error && entry != fs::directory_iterator(); entry.increment(error))
    if (entry->path().extension() == ".pack") packs.push_back(entry->path());
  return packs;
}

// A line of /proc/self/status in bytes; 0 where there is none.
uint64_t status_bytes(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    uint64_t kilobytes = 0;
    if (word == key && status >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

// From now on the system counts the most resident memory anew.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

double mb(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace

Result<void> open(const Settings& settings) {
  LAVA_TRY(const Model model, Model::get(settings, Model::Half::both));
  const AssistantOptions options = options_of(settings, model);
  LAVA_TRY(const auto files, weight_files(options));
  LAVA_TRY(const uint64_t bytes, bytes_of(files));
  drop_from_cache(files);
  drop_from_cache(packs_on_disk());
  LAVA_TRY(const double left, cached_share(files));
  LAVA_TRY(const Opened cold, open_once(settings, options));
  LAVA_CHECK_OK(warm_up(files));
  std::vector<double> load, first;
  std::vector<Opened> all;
  for (int round = 0; round < settings.repeat; ++round) {
    LAVA_TRY(const Opened warm, open_once(settings, options));
    load.push_back(warm.load), first.push_back(warm.first_token), all.push_back(warm);
  }
  const Opened& last = all.back();
  LAVA_TRY(const json sent, transfers(all, files));
  const bool was_cold = left < 0.05;
  const double seconds = median_of(first);
  if (settings.json) {
    json line{{"what", "open"}, {"state", "warm"}, {"seconds", seconds}, {"all_seconds", first}, {"load_seconds", median_of(load)}, {"file_bytes", bytes}};
    line["gb_per_s"] = 1e-9 * static_cast<double>(bytes) / seconds;
    line["cold_seconds"] = was_cold ? json(cold.first_token) : json(nullptr);
    line["cold_load_seconds"] = was_cold ? json(cold.load) : json(nullptr);
    line["cached_share_before_cold"] = left;
    line["pack_bytes"] = last.pack_bytes, line["cold_pack_bytes"] = cold.pack_bytes;
    if (!last.notice.empty()) line["notice"] = last.notice;
    if (!sent.is_null()) line.update(sent);
    fmt::print("{}\n", line.dump());
    return {};
  }
  fmt::print("open, {:.0f} MB: warm (files in the page cache) {:.3f} s to the first token, {:.3f} s of them loading; ", mb(bytes), seconds, median_of(load));
  if (was_cold) fmt::print("cold (files not in the page cache) {:.3f} s, {:.3f} s of them loading\n", cold.first_token, cold.load);
  else fmt::print("cold was not measured: the system kept {:.0f} % of the files in its page cache\n", 100 * left);
  const auto packed = [](size_t bytes) { return bytes > 0 ? fmt::format("{:.0f} MB were", mb(bytes)) : std::string("nothing was"); };
  fmt::print("packed weights: {} mapped from the disk when warm, {} when cold\n", packed(last.pack_bytes), packed(cold.pack_bytes));
  print_transfers(sent);
  if (!last.notice.empty()) fmt::print("{}\n", last.notice);
  return {};
}

Result<void> memory(const Settings& settings) {
  if (status_bytes("VmHWM:") == 0) return fail(Error::Kind::unsupported, "This system does not tell how much memory a program takes");
  LAVA_TRY(const Model model, Model::get(settings, Model::Half::both));
  const AssistantOptions options = options_of(settings, model);
  LAVA_TRY(const auto files, weight_files(options));
  LAVA_TRY(const uint64_t file_bytes, bytes_of(files));
  forget_peak();
  const uint64_t before = status_bytes("VmRSS:");
  LAVA_TRY(const OpenedDevice device, cli::open_chosen_device(settings.device, settings.cpu));
  LAVA_TRY(auto assistant, Assistant::load(device.devices(), options));
  const uint64_t opened = status_bytes("VmHWM:");
  if (assistant->report().vision.empty() && !settings.image.empty()) return fail(Error::Kind::invalid, "This model does not see", model.path(), "Leave the picture out");
  if (!assistant->report().vision.empty()) {
    LAVA_TRY(const media::Picture picture, picture_of(settings));
    LAVA_TRY(const auto png, media::encode_png(picture));
    Request request;
    request.raw_prompt = "<image>\na";
    request.raw_pictures.push_back(std::make_shared<const std::string>(reinterpret_cast<const char*>(png.data()), png.size()));
    request.max_tokens = settings.n > 0 ? settings.n : 16;
    LAVA_CHECK_OK(assistant->answer(request));
  } else {
    LAVA_CHECK_OK(answer_shortly(*assistant, settings.n > 0 ? settings.n : 16));
  }
  assistant->wait_for_packs();  // what writes them counts too
  const uint64_t peak = status_bytes("VmHWM:"), mapped = status_bytes("RssFile:");
  const double ratio = static_cast<double>(peak) / static_cast<double>(file_bytes);
  const ModelReport& report = assistant->report();
  if (settings.json) {
    fmt::print("{}\n", json({{"what", "memory"}, {"peak_bytes", peak}, {"file_bytes", file_bytes}, {"ratio", ratio}, {"opened_peak_bytes", opened}, {"before_bytes", before},
                             {"mapped_bytes", mapped}, {"weight_bytes", report.weight_bytes}, {"kv_bytes", report.kv_bytes}, {"kv_format", report.kv_format}, {"arena_bytes", report.arena_bytes},
                             {"pack_bytes", report.pack_bytes}, {"context", report.context}}).dump());
    return {};
  }
  fmt::print("memory, {:.0f} MB of files: at most {:.0f} MB resident ({:.2f} times the files), {:.0f} MB after opening, {:.0f} MB before it; "
             "{:.0f} MB of weights, {:.0f} MB of key-value cache ({}) for {} tokens when full, "
             "{:.0f} MB of packed weights mapped from the disk\n",
             mb(file_bytes), mb(peak), ratio, mb(opened), mb(before), mb(report.weight_bytes), mb(report.kv_bytes), report.kv_format, report.context, mb(report.pack_bytes));
  if (const std::string notice = assistant->notice(); !notice.empty()) fmt::print("{}\n", notice);
  return {};
}

}  // namespace lava::bench
