// Every op by itself.
#include <fmt/format.h>

#include <algorithm>

#include "engine/cli/bench.h"
#include "engine/cli/bench_op_cases.h"
#include "engine/io/names.h"

namespace lava::bench {
namespace {

using nlohmann::json;

constexpr size_t beyond_caches = size_t{160} << 20;
constexpr int most_copies = 64;

struct Row {
  const OpCase* what;
  double seconds = 0;  // of one call, median
  Work work;
};

size_t arena_bytes(const OpCase& one) {
  const auto device = make_plan_device();
  Arena arena;
  StepParams step;
  Run run{*device, arena, &step};
  OpBuilder builder(run);
  one.body(builder);
  return arena.high_water();
}

Result<Row> measure(Device& device, const OpCase& one, double budget) {
  const size_t bytes = arena_bytes(one) + Arena::alignment;
  const int copies = one.from_memory ? std::clamp(static_cast<int>(beyond_caches / bytes) + 1, 2, most_copies) : 1;
  LAVA_TRY(auto memory, device.allocate(bytes * static_cast<size_t>(copies)));
  CaptureDevice capture(device.info());
  StepParams step;
  for (int i = 0; i < copies; ++i) {
    Arena arena(memory->data() + static_cast<size_t>(i) * bytes / Arena::alignment * Arena::alignment, bytes);
    Run run{capture, arena, &step};
    OpBuilder builder(run);
    one.body(builder);
  }
  Row row{&one};
  for (size_t i = 0; i < capture.calls.size() / static_cast<size_t>(copies); ++i) row.work += work_of(capture.calls[i]);
  std::vector<double> times;
  double all = 0;
  for (int round = 0; round < 3 || all < budget; ++round) {
    const double seconds = seconds_of([&] {
      for (size_t i = 0; i < capture.calls.size(); ++i) device.execute(capture.calls[i]);
    });
    if (round > 0) times.push_back(seconds / copies);  // the first one warms up
    all += seconds;
  }
  row.seconds = median_of(std::move(times));
  return row;
}

void print_rows(const Settings& settings, const DeviceInfo& device, const std::vector<Row>& rows, const Roofs& roofs) {
  json list = json::array();
  if (!settings.json)
    fmt::print("{}, {}, {} threads; roofs: memory {:.1f}, second-level caches {:.0f} GB/s, int8 {:.0f}, bf16 {:.0f}, float32 {:.0f} GOP/s\n"
               "{:<16} {:<44} {:>10} {:>8} {:>9} {:>7}\n", device.name, device.isa, device.threads, 1e-9 * roofs.read, 1e-9 * roofs.cache, 1e-9 * roofs.int8, 1e-9 * roofs.bf16, 1e-9 * roofs.f32, "op", "shape", "us", "GB/s", "GOP/s", "roof");
  for (const Row& row : rows) {
    const char* op = op_info(row.what->op).name;
    const double gb = 1e-9 * row.work.bytes / row.seconds, gop = 1e-9 * row.work.operations() / row.seconds;
    const Bound bound = row.what->from_memory ? Bound::either : Bound::cached;
    const json share = share_of_roof(bound, row.work, roofs, row.seconds);
    if (settings.json) {
      list.push_back({{"op", op}, {"shape", row.what->shape}, {"seconds", row.seconds}, {"gb_per_s", gb}, {"gop_per_s", gop}, {"share_of_roof", share},
                      {"roof", roof_of(bound, row.work, roofs)}, {"from_memory", row.what->from_memory}});
    } else {
      const std::string percent = share.is_null() ? "" : fmt::format("{:.0f} %", 100 * share.get<double>());
      fmt::print("{:<16} {:<44} {:>10.1f} {:>8.1f} {:>9.1f} {:>7}\n", op, row.what->shape, 1e6 * row.seconds, gb, gop, percent);
    }
  }
  if (settings.json)
    fmt::print("{}\n", json({{"what", "ops"}, {"device", device.name}, {"threads", device.threads}, {"isa", device.isa}, {"ops", list},
                             {"roofs", all_of(roofs)}}).dump());
}

}  // namespace

Result<void> ops(const Settings& settings) {
  std::vector<OpCase> cases = op_cases();
  for (int i = 0; i < op_count; ++i)
    LAVA_CHECK(std::any_of(cases.begin(), cases.end(), [i](const OpCase& one) { return static_cast<int>(one.op) == i; }));  // a new op needs a shape here
  if (!settings.op.empty()) std::erase_if(cases, [&](const OpCase& one) { return settings.op != op_info(one.op).name; });
  if (cases.empty()) return fail(Error::Kind::invalid, "There is no op of the name " + io::printable(settings.op), {}, "lavascope-engine selftest lists them");
  LAVA_TRY(auto device, make_cpu_device(settings.cpu));
  LAVA_TRY(Roofline roofline, Roofline::begin(device->info().threads));
  std::vector<Row> rows;
  for (const OpCase& one : cases) {
    LAVA_TRY(Row row, measure(*device, one, settings.budget));
    rows.push_back(std::move(row));
  }
  print_rows(settings, device->info(), rows, roofline.end());
  return {};
}

}  // namespace lava::bench
