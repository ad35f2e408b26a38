#include "kernels/devices.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "kernels/cpu/isa.h"

#ifdef __unix__
#include <dlfcn.h>
#endif

namespace lava {
namespace {

namespace fs = std::filesystem;

struct Backend {
  const char *id, *name;
};
constexpr Backend backends[] = {{"cuda", "CUDA"}, {"vulkan", "Vulkan"}};  // in the order of auto

const Backend* find_backend(std::string_view id) {
  for (const Backend& backend : backends)
    if (id == backend.id) return &backend;
  return nullptr;
}

fs::path file_of(const Backend& backend) { return std::string("lavascope-") + backend.id + ".so"; }

// Its path, or nothing where it is not installed.
fs::path find_module(const Backend& backend) {
  std::error_code ignored;
  for (const fs::path& folder : module_folders())
    if (fs::is_regular_file(folder / file_of(backend), ignored)) return folder / file_of(backend);
  return {};
}

tl::unexpected<Error> unusable(const Backend& backend, std::string cause) {
  return fail(Error::Kind::unsupported, std::string("The ") + backend.name + " part of the program cannot be used", std::move(cause), "Install the program again");
}

// A module stays loaded: its devices may live as long as the program.
Result<const DeviceModule*> load_module(const Backend& backend, const fs::path& path) {
#ifdef __unix__
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* reason = dlerror();
    return unusable(backend, reason ? reason : path.string());
  }
  const auto entry = reinterpret_cast<const DeviceModule* (*)()>(dlsym(library, module_entry));
  const DeviceModule* module = entry ? entry() : nullptr;
  if (!module) return unusable(backend, path.string() + " is no module");
  // Whatever stands behind the version may lie elsewhere in another one.
  if (module->abi != module_abi)
    return unusable(backend, path.string() + " belongs to another version of the program (" + std::to_string(module->abi) + ", expected " + std::to_string(module_abi) + ")");
  if (std::string_view(module->backend) != backend.id) return unusable(backend, path.string() + " brings " + module->backend);
  return module;
#else
  return unusable(backend, path.string() + ": this system loads no modules");
#endif
}

struct Listed {
  const DeviceModule* module = nullptr;  // nullptr: not installed
  fs::path path;
  std::vector<ModuleDevice> devices;
};

Result<Listed> list_module(const Backend& backend) {
  const fs::path path = find_module(backend);
  Listed listed;
  if (path.empty()) return listed;
  LAVA_TRY(listed.module, load_module(backend, path));
  LAVA_TRY(listed.devices, listed.module->list());
  listed.path = path;
  return listed;
}

constexpr const char* see_list = "Choose another device; \"lavascope-engine devices\" lists them";

// The best of the list: the first that is no processor in disguise; -1 where there is none.
int best_of(const std::vector<ModuleDevice>& devices) {
  for (size_t i = 0; i < devices.size(); ++i)
    if (!devices[i].software) return static_cast<int>(i);
  return -1;
}

Result<std::unique_ptr<Device>> open_chosen(const Backend& backend, int index) {
  LAVA_TRY(const Listed listed, list_module(backend));
  if (!listed.module) {
    std::string places;
    for (const fs::path& folder : module_folders()) places.append(places.empty() ? "" : ", ").append(folder.string());
    return fail(Error::Kind::not_found, std::string("The ") + backend.name + " part of the program is not installed",
                file_of(backend).string() + " is not in " + (places.empty() ? "any folder" : places), see_list);
  }
  if (listed.devices.empty())
    return fail(Error::Kind::not_found, std::string("There is no ") + backend.name + " device", "the system has none, or its driver is not installed", see_list);
  const int count = static_cast<int>(listed.devices.size());
  if (index >= count)
    return fail(Error::Kind::not_found, std::string("There is no such ") + backend.name + " device",
                "number " + std::to_string(index) + " was asked for, there are " + std::to_string(count) + ", counted from 0", see_list);
  const int best = best_of(listed.devices);
  return listed.module->open(index >= 0 ? index : best >= 0 ? best : 0);
}

// The first device of a module that opens; nothing where there is none. What went wrong on the way is told in `note`.
std::unique_ptr<Device> open_best(std::string& note) {
  const auto tell = [&](const Error& error) { note.append(note.empty() ? "" : " ").append(error.message()); };
  for (const Backend& backend : backends) {
    const auto listed = list_module(backend);
    if (!listed) {
      tell(listed.error());
      continue;
    }
    const int best = best_of(listed->devices);
    if (best < 0) continue;
    auto device = listed->module->open(best);
    if (device) return std::move(*device);
    tell(device.error());
  }
  return nullptr;
}

fs::path program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : program.parent_path();
}

tl::unexpected<Error> no_choice(std::string_view text) {
  return fail(Error::Kind::invalid, "This is no device", std::string(text.substr(0, 60)), "Choose auto, cpu, cuda, vulkan, or one by its number: cuda:0, vulkan:1");
}

}  // namespace

std::vector<fs::path> module_folders() {
  const char* chosen = std::getenv("LAVASCOPE_MODULES");
  if (chosen && *chosen) return {fs::path(chosen)};
  const fs::path program = program_folder();
  if (program.empty()) return {};
  return {(program / "../lib/lavascope").lexically_normal(), program};
}

Result<DeviceChoice> parse_device(std::string_view text) {
  const size_t colon = text.find(':');
  DeviceChoice choice{std::string(text.substr(0, colon)), -1};
  const bool module = find_backend(choice.backend) != nullptr;
  if (!module && choice.backend != "auto" && choice.backend != "cpu") return no_choice(text);
  if (colon == std::string_view::npos) return choice;
  const std::string_view number = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), choice.index);
  if (!module || number.empty() || error != std::errc() || end != number.data() + number.size() || choice.index < 0) return no_choice(text);
  return choice;
}

std::string device_text(const DeviceChoice& choice) {
  std::string text = choice.backend;
  if (choice.index >= 0) text.append(":").append(std::to_string(choice.index));
  return text;
}

Result<OpenedDevice> open_device(const DeviceChoice& choice, const CpuOptions& cpu) {
  OpenedDevice opened;
  LAVA_TRY(opened.cpu, make_cpu_device(cpu));
  if (choice.backend == "auto") {
    opened.module = open_best(opened.note);
    if (!opened.module && !opened.note.empty()) opened.note += " The processor computes instead.";
  } else if (const Backend* backend = find_backend(choice.backend)) {
    LAVA_TRY(opened.module, open_chosen(*backend, choice.index));
  } else {
    LAVA_CHECK(choice.backend == "cpu");
  }
  return opened;
}

DeviceList list_devices() {
  DeviceList list;
  for (const Backend& backend : backends) {
    auto listed = list_module(backend);
    if (!listed) {
      list.problems.push_back(std::move(listed.error()));
      continue;
    }
    for (size_t i = 0; i < listed->devices.size(); ++i) list.devices.push_back({device_text({backend.id, static_cast<int>(i)}), std::move(listed->devices[i]), listed->path});
  }
  list.devices.push_back({"cpu", {cpu_name()}});
  return list;
}

std::vector<ListedDevice> auto_order(std::span<const ListedDevice> listed) {
  std::vector<ListedDevice> order;
  for (const Backend& backend : backends) {
    const auto best = std::find_if(listed.begin(), listed.end(), [&](const ListedDevice& one) { return one.choice.starts_with(backend.id) && !one.device.software; });
    if (best != listed.end()) order.push_back(*best);
  }
  if (!listed.empty()) order.push_back(listed.back());
  return order;
}

}  // namespace lava
