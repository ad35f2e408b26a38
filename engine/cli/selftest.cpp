// `lavascope-engine selftest`: every op of a device against the scalar reference.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/common.h"
#include "kernels/selftest/selftest.h"

namespace lava {
namespace {

struct Options {
  DeviceChoice device{"cpu"};
  std::string isa, op;
  int threads = 0;
  bool json = false, verbose = false, quick = false;
};

struct Summary {  // of one op, or of one group of its cases
  std::string name;
  int cases = 0, failed = 0;
  double closest = 0;  // largest nmse / limit
  double nmse = 0, limit = 0;  // of that case
};

std::vector<Summary> summarise(const std::vector<SelftestRow>& rows, bool by_group) {
  std::vector<Summary> summaries;
  for (const SelftestRow& row : rows) {
    if (by_group && row.group.empty()) continue;
    const std::string name = by_group ? row.op + ": " + row.group : row.op;
    auto found = std::find_if(summaries.begin(), summaries.end(), [&](const Summary& s) { return s.name == name; });
    if (found == summaries.end()) found = summaries.insert(found, Summary{name});
    ++found->cases, found->failed += row.ok ? 0 : 1;
    const double share = row.limit > 0 ? row.nmse / row.limit : row.nmse;
    if (found->cases > 1 && share <= found->closest) continue;
    found->closest = share, found->nmse = row.nmse, found->limit = row.limit;
  }
  return summaries;
}

void print_summaries(const char* heading, const std::vector<Summary>& summaries) {
  size_t width = 16;
  for (const Summary& s : summaries) width = std::max(width, s.name.size());
  fmt::print("{:<{}} {:>6} {:>12} {:>12}  {}\n", heading, width, "cases", "worst nmse", "limit", "ok");
  for (const Summary& s : summaries)
    fmt::print("{:<{}} {:>6} {:>12.2e} {:>12.2e}  {}\n", s.name, width, s.cases, s.nmse, s.limit, s.failed ? fmt::format("{} FAILED", s.failed) : "yes");
}

void print_table(const DeviceInfo& info, const std::vector<SelftestRow>& rows, bool verbose) {
  fmt::print("{}, {}, {} threads\n", info.name, info.isa, info.threads);
  print_summaries("op", summarise(rows, false));
  if (const auto groups = summarise(rows, true); verbose && !groups.empty()) {
    fmt::print("\n");
    print_summaries("numbers", groups);
  }
  for (const SelftestRow& row : rows) {
    if (!row.ok) fmt::print("failed: {} [{}]: nmse {:.3e}, limit {:.3e}\n", row.op, row.name, row.nmse, row.limit);
  }
}

void print_json(const DeviceInfo& info, const std::vector<SelftestRow>& rows, bool ok) {
  nlohmann::json report{{"device", info.name}, {"backend", info.backend}, {"isa", info.isa}, {"threads", info.threads}, {"ok", ok}};
  report["cases"] = nlohmann::json::array();
  for (const SelftestRow& row : rows) {
    // JSON has no infinity: an unusable result has no number.
    const nlohmann::json nmse = row.nmse < 1e300 ? nlohmann::json(row.nmse) : nlohmann::json();
    report["cases"].push_back({{"op", row.op}, {"case", row.name}, {"group", row.group}, {"nmse", nmse}, {"limit", row.limit}, {"ok", row.ok}});
  }
  fmt::print("{}\n", report.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
}

int run(const Options& options) {
  CpuOptions cpu;
  cpu.threads = options.threads, cpu.isa = options.isa;
  const auto opened = open_device(options.device, cpu);
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.error().message());
    return 2;
  }
  Device& device = opened->devices().main;
  const std::vector<SelftestRow> rows = selftest(device, options.op, options.quick ? SelftestSize::quick : SelftestSize::full);
  if (rows.empty()) {
    fmt::print(stderr, "There is no op named '{}'.\n", options.op);
    return 2;
  }
  if (rows.front().op == "memory") {  // says nothing about how the device computes
    fmt::print(stderr, "{}\n", rows.front().name);
    return 2;
  }
  const bool ok = std::all_of(rows.begin(), rows.end(), [](const SelftestRow& row) { return row.ok; });
  options.json ? print_json(device.info(), rows, ok) : print_table(device.info(), rows, options.verbose);
  return ok ? 0 : 1;
}

}  // namespace

void add_selftest_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("selftest", "Check every operation of a device against the reference");
  auto options = std::make_shared<Options>();
  cli::add_device(*command, options->device);
  command->add_option("--isa", options->isa, "Instruction set: reference, baseline, avx2, avx512, avx512_bf16, neon");
  command->add_option("--threads", options->threads, "Number of threads; 0: one per core")->check(CLI::Range(0, 256));
  command->add_option("--op", options->op, "Only this operation");
  command->add_flag("--quick", options->quick, "Of every operation some cases of each kind");
  command->add_flag("--verbose", options->verbose, "Print also what each number format loses");
  command->add_flag("--json", options->json, "Print every case as JSON");
  command->callback([options] {
    if (const int code = run(*options); code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace lava
