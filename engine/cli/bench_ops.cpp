// Every op by itself.
#include <fmt/format.h>

#include <algorithm>

#include "engine/cli/bench.h"
#include "engine/cli/bench_op_timing.h"
#include "engine/cli/common.h"
#include "engine/io/names.h"

namespace lava::bench {
namespace {

using nlohmann::json;

struct Row {
  const OpCase* what;
  OpTiming timing;
};

// A device that the processor plays makes less than one.
std::string gop(double operations) { return fmt::format("{:.{}f}", 1e-9 * operations, operations < 1e10 ? 2 : 0); }

std::string heading(const DeviceInfo& device, const Roofs& roofs) {
  const std::string memory = device.host_memory ? fmt::format("memory {:.1f}, second-level caches {:.0f} GB/s,", 1e-9 * roofs.read, 1e-9 * roofs.cache)
                                                : fmt::format("its copies read and write {:.1f} GB/s; its products", 1e-9 * roofs.read);
  const std::string threads = device.host_memory ? fmt::format(", {} threads", device.threads) : "";
  return fmt::format("{}, {}{}; roofs: {} int8 {}, bf16 {}, float32 {} GOP/s", device.name, device.isa, threads, memory, gop(roofs.int8), gop(roofs.bf16), gop(roofs.f32));
}

void print_rows(const Settings& settings, const DeviceInfo& device, const std::vector<Row>& rows, const Roofs& roofs) {
  json list = json::array();
  if (!settings.json)
    fmt::print("{}\n{:<16} {:<44} {:>10} {:>8} {:>9} {:>7}\n", heading(device, roofs), "op", "shape", "us", "GB/s", "GOP/s", "roof");
  for (const Row& row : rows) {
    const char* op = op_info(row.what->op).name;
    const OpTiming& t = row.timing;
    const double gb = 1e-9 * t.work.bytes / t.seconds, done = 1e-9 * t.work.operations() / t.seconds;
    const Bound bound = row.what->from_memory ? Bound::either : Bound::cached;
    const json share = share_of_roof(bound, t.work, roofs, t.seconds);
    if (settings.json) {
      list.push_back({{"op", op}, {"shape", row.what->shape}, {"seconds", t.seconds}, {"gb_per_s", gb}, {"gop_per_s", done}, {"share_of_roof", share},
                      {"roof", roof_of(bound, t.work, roofs)}, {"from_memory", row.what->from_memory}, {"ops", t.ops}, {"copies", t.copies}});
    } else {
      const std::string percent = share.is_null() ? "" : fmt::format("{:.0f} %", 100 * share.get<double>());
      fmt::print("{:<16} {:<44} {:>10.1f} {:>8.1f} {:>9.1f} {:>7}\n", op, row.what->shape, 1e6 * t.seconds, gb, done, percent);
    }
  }
  if (settings.json)
    fmt::print("{}\n", json({{"what", "ops"}, {"device", device.name}, {"backend", device.backend}, {"threads", device.threads}, {"isa", device.isa}, {"ops", list},
                             {"roofs", all_of(roofs)}}).dump());
}

}  // namespace

Result<void> ops(const Settings& settings) {
  std::vector<OpCase> cases = op_cases();
  for (int i = 0; i < op_count; ++i)
    LAVA_CHECK(std::any_of(cases.begin(), cases.end(), [i](const OpCase& one) { return static_cast<int>(one.op) == i; }));  // a new op needs a shape here
  if (!settings.op.empty()) std::erase_if(cases, [&](const OpCase& one) { return settings.op != op_info(one.op).name; });
  if (cases.empty()) return fail(Error::Kind::invalid, "There is no op of the name " + io::printable(settings.op), {}, "lavascope-engine selftest lists them");
  LAVA_TRY(const OpenedDevice opened, cli::open_chosen_device(settings.device, settings.cpu));
  Device& device = opened.devices().main;
  LAVA_TRY(Roofline roofline, Roofline::begin(device));
  std::vector<Row> rows;
  for (const OpCase& one : cases) {
    LAVA_TRY(const OpTiming timing, time_op(device, one, settings.budget));
    rows.push_back({&one, timing});
  }
  LAVA_TRY(const Roofs roofs, roofline.end());
  print_rows(settings, device.info(), rows, roofs);
  return {};
}

}  // namespace lava::bench
