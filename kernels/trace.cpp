#include "kernels/trace.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace lava {

std::unique_ptr<TraceDevice> make_trace_device(Device& inner) { return std::make_unique<TraceDevice>(inner); }

void TraceDevice::observe(const OpCall& call) {
  const Cost cost = op_info(call.id).cost(call.args);
  const auto start = std::chrono::steady_clock::now();
  inner_.execute(call);
  static_cast<void>(inner_.finish());  // its time is its own; whoever reads results asks again and sees the failure
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  Total& total = totals_[static_cast<size_t>(call.id)];
  ++total.calls, total.seconds += taken.count(), total.bytes += cost.bytes, total.flops += cost.flops;
}

std::vector<OpStats> TraceDevice::stats() const {
  std::vector<OpStats> stats;
  for (int i = 0; i < op_count; ++i) {
    const Total& t = totals_[static_cast<size_t>(i)];
    if (t.calls > 0) stats.push_back({op_info(static_cast<OpId>(i)).name, t.calls, t.seconds, t.bytes, t.flops});
  }
  std::sort(stats.begin(), stats.end(), [](const OpStats& a, const OpStats& b) { return a.seconds > b.seconds; });
  return stats;
}

std::string TraceDevice::table() const {
  const std::vector<OpStats> rows = stats();
  double all = 0;
  for (const OpStats& row : rows) all += row.seconds;
  char line[160];
  std::snprintf(line, sizeof(line), "%-16s %9s %11s %7s %9s %9s\n", "op", "calls", "ms", "share", "GB/s", "GFLOP/s");
  std::string text = line;
  for (const OpStats& row : rows) {
    const double seconds = std::max(row.seconds, 1e-12);
    std::snprintf(line, sizeof(line), "%-16s %9lld %11.3f %6.1f%% %9.2f %9.2f\n", row.name, static_cast<long long>(row.calls), row.seconds * 1e3,
                  100 * row.seconds / std::max(all, 1e-12), row.bytes / seconds * 1e-9, row.flops / seconds * 1e-9);
    text += line;
  }
  std::snprintf(line, sizeof(line), "%-16s %9s %11.3f\n", "all", "", all * 1e3);
  return text + line;
}

}  // namespace lava
