#include "engine/devices/trusted_device.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "engine/core/user_folders.h"
#include "engine/devices/device_check.h"
#include "engine/io/folder_lock.h"
#include "engine/io/mapped_file.h"
#include "engine/media/sha256.h"

namespace lava {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto look_again = 50ms;
constexpr int most_check_seconds = 3600;

void add(std::string& note, const std::string& sentence) { note.append(note.empty() || sentence.empty() ? "" : " ").append(sentence); }

// Drivers change with a restart at the latest.
std::string subject_of_list() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  return "list of devices\n" + boot;
}

std::string subject_of(const ListedDevice& device) {
  const auto module = io::MappedFile::open(device.module);
  return device.choice + "\n" + device.device.name + "\n" + device.device.driver + "\n" + (module ? media::sha256_hex(module->bytes()) : device.module.string());
}

class Trust {
 public:
  explicit Trust(const TrustRules& rules) : rules_(rules), child_{rules.program, rules.list_limit, rules.check_limit} {}

  // What auto tries before the processor; why there may be less is added to the note.
  std::vector<ListedDevice> candidates(std::string& note) const {
    const std::string subject = subject_of_list();
    if (const auto known = find_verdict(rules_.verdicts, subject); known && !known->passed) {
      add(note, known->why);
      return {};
    }
    tell("Looking for graphics cards");
    AskedDevices asked = ask_for_devices(child_);
    if (asked.outcome == Asked::Outcome::failed) {
      asked.why += " It is not asked again before the computer was restarted.";
      keep(subject, {false, asked.why});
    }
    add(note, asked.why);
    for (const std::string& problem : asked.problems) add(note, problem);
    std::vector<ListedDevice> order = auto_order(asked.devices);
    if (!order.empty()) order.pop_back();
    return order;
  }

  // Nothing where it may be used, else why not.
  std::string objection(const ListedDevice& device) const {
    const std::string subject = subject_of(device);
    auto verdict = find_verdict(rules_.verdicts, subject);
    if (verdict) return verdict->why;
    tell("Checking the graphics card once");
    const auto lock = wait_for_lock();
    if (lock) verdict = find_verdict(rules_.verdicts, subject);  // another program may have checked it meanwhile
    if (verdict) return verdict->why;
    const Asked asked = check_device(child_, device);
    if (asked.outcome == Asked::Outcome::undecided) return asked.why;
    verdict = {asked.outcome == Asked::Outcome::answered, asked.why.empty() ? "" : asked.why + " It can still be chosen by name."};
    keep(subject, *verdict);
    return verdict->why;
  }

 private:
  void tell(const char* phrase) const {
    if (rules_.on_wait) rules_.on_wait(phrase);
  }
  // Where it cannot be kept it is found anew the next time.
  void keep(const std::string& subject, const Verdict& verdict) const {
    if (!rules_.verdicts.empty()) static_cast<void>(write_verdict(rules_.verdicts, subject, verdict));
  }
  // One program checks at a time. Without a folder for the lock, or when it takes too long, this one goes on by itself.
  Result<io::FolderLock> wait_for_lock() const {
    if (rules_.verdicts.empty()) return fail(Error::Kind::not_found, "There is no folder");
    const auto deadline = Clock::now() + rules_.check_limit + rules_.list_limit;
    while (true) {
      auto lock = io::lock_folder(rules_.verdicts);
      if (lock || lock.error().kind != Error::Kind::busy || Clock::now() >= deadline) return lock;
      std::this_thread::sleep_for(look_again);
    }
  }

  const TrustRules& rules_;
  const ChildRules child_;
};

}  // namespace

TrustRules own_trust_rules() {
  TrustRules rules;
  rules.program = "/proc/self/exe";
  rules.verdicts = device_verdict_folder();
  const char* wish = std::getenv("LAVASCOPE_DEVICE_CHECK_SECONDS");
  const std::string_view text = wish ? wish : "";
  int seconds = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec == std::errc() && seconds >= 1 && seconds <= most_check_seconds)
    rules.check_limit = std::chrono::seconds(seconds);
  return rules;
}

Result<OpenedDevice> open_trusted_device(const DeviceChoice& choice, const CpuOptions& cpu, const TrustRules& rules) {
  if (choice.backend != "auto") return open_device(choice, cpu);
  std::string note;
  const Trust trust(rules);
  for (const ListedDevice& device : rules.program.empty() ? std::vector<ListedDevice>() : trust.candidates(note)) {
    const std::string objection = trust.objection(device);
    add(note, objection);
    if (!objection.empty()) continue;
    LAVA_TRY(const DeviceChoice chosen, parse_device(device.choice));
    auto opened = open_device(chosen, cpu);
    if (opened) {
      opened->note = note;
      return opened;
    }
    add(note, opened.error().message());
  }
  LAVA_TRY(OpenedDevice opened, open_device({"cpu"}, cpu));
  if (!note.empty()) opened.note = note + " The processor computes instead.";
  return opened;
}

}  // namespace lava
