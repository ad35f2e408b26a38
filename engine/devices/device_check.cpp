#include "engine/devices/device_check.h"

#include <fmt/format.h>
#include <signal.h>

#include "engine/io/child_process.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"

namespace lava {
namespace {

using nlohmann::json;

constexpr size_t most_words = 300;

bool is_crash(int signal) { return signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT || signal == SIGILL || signal == SIGFPE || signal == SIGSYS || signal == SIGTRAP; }

// What a program told last on its error output.
std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of("\n");
  if (end == std::string::npos) return {};
  const size_t before = text.find_last_of('\n', end), begin = before == std::string::npos ? 0 : before + 1;
  return io::printable(text.substr(begin, end - begin + 1), most_words);
}

// Of one that came to no answer.
Asked without_answer(const io::ChildEnd& end, const std::string& whose, const std::string& when, std::chrono::milliseconds limit) {
  switch (end.how) {
    case io::ChildEnd::How::timed_out:
      return {Asked::Outcome::failed, fmt::format("{} did not answer for {} seconds {}.", whose, (limit.count() + 999) / 1000, when)};
    case io::ChildEnd::How::killed:
      if (is_crash(end.code)) return {Asked::Outcome::failed, fmt::format("{} crashed {} (signal {}).", whose, when, end.code)};
      return {Asked::Outcome::undecided, fmt::format("{} was stopped {} (signal {}).", whose, when, end.code)};
    case io::ChildEnd::How::exited:
      break;
    case io::ChildEnd::How::not_started:
      return {Asked::Outcome::undecided, fmt::format("{} could not be asked {}: no program could be started.", whose, when)};
  }
  const std::string words = last_line(end.errors);
  return {Asked::Outcome::undecided, words.empty() ? fmt::format("{} gave no answer {}.", whose, when) : words};
}

// What `lavascope-engine devices --json` writes.
Result<void> read_list(const std::string& text, AskedDevices& asked) {
  LAVA_TRY(const json report, io::parse_json(text, "the list of devices"));
  const json *devices = io::member(report, "devices"), *problems = io::member(report, "problems");
  if (!devices || !devices->is_array() || !problems || !problems->is_array()) return fail(Error::Kind::invalid, "The list of devices cannot be read");
  for (const json& one : *devices) {
    ListedDevice listed;
    LAVA_TRY(listed.choice, io::string_in(one, "choice"));
    LAVA_TRY(listed.device.name, io::string_in(one, "name"));
    LAVA_TRY(listed.device.software, io::bool_in(one, "software"));
    LAVA_TRY(listed.device.driver, io::string_in(one, "driver"));
    LAVA_TRY(listed.module, io::string_in(one, "module"));
    asked.devices.push_back(std::move(listed));
  }
  for (const json& one : *problems)
    if (one.is_string()) asked.problems.push_back(one.get<std::string>());
  return {};
}

std::string name_of(const ListedDevice& device) { return fmt::format("{} ({})", io::printable(device.device.name), device.choice); }

// The first operation that went wrong; nothing where none did, or where the text is no such report.
std::string wrong_operation(const std::string& text) {
  const auto report = io::parse_json(text, "the check");
  const json* cases = report ? io::member(*report, "cases") : nullptr;
  if (!cases || !cases->is_array()) return {};
  for (const json& one : *cases) {
    const auto ok = io::bool_in(one, "ok");
    const auto op = io::string_in(one, "op"), name = io::string_in(one, "case");
    if (ok && !*ok && op && name) return fmt::format("{} [{}]", io::printable(*op), io::printable(*name, most_words));
  }
  return {};
}

}  // namespace

AskedDevices ask_for_devices(const ChildRules& rules) {
  AskedDevices asked;
  const io::ChildEnd end = io::run_child(rules.program, {"devices", "--json"}, rules.list_limit);
  if (end.how == io::ChildEnd::How::exited && end.code == 0 && read_list(end.out, asked)) {
    asked.outcome = Asked::Outcome::answered;
    return asked;
  }
  static_cast<Asked&>(asked) = without_answer(end, "A graphics driver", "when it was asked for its devices", rules.list_limit);
  asked.devices.clear();
  return asked;
}

Asked check_device(const ChildRules& rules, const ListedDevice& device) {
  const io::ChildEnd end = io::run_child(rules.program, {"selftest", "--device", device.choice, "--quick", "--json"}, rules.check_limit);
  if (end.how != io::ChildEnd::How::exited || end.code > 1) return without_answer(end, name_of(device), "while it was checked", rules.check_limit);
  if (end.code == 0) return {Asked::Outcome::answered, {}};
  const std::string wrong = wrong_operation(end.out);
  if (wrong.empty()) return without_answer(end, name_of(device), "while it was checked", rules.check_limit);
  return {Asked::Outcome::failed, fmt::format("{} computes wrong: {} did not pass its check.", name_of(device), wrong)};
}

}  // namespace lava
