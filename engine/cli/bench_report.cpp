// What a measurement says, beside the roofs of the device.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "engine/cli/bench.h"

namespace lava::bench {
namespace {

using nlohmann::json;

// A device whose caches have no roof is held to its memory's.
bool from_cache(Bound bound, const Roofs& roofs) { return bound == Bound::cached && roofs.cache > 0; }

double memory_seconds(Bound bound, const Work& work, const Roofs& roofs) {
  const double bytes = bound == Bound::memory ? work.streamed : work.bytes, rate = from_cache(bound, roofs) ? roofs.cache : roofs.read;
  return rate > 0 ? bytes / rate : 0;
}

bool memory_counts(Bound bound, const Work& work, const Roofs& roofs) {
  return bound == Bound::memory || (bound != Bound::compute && memory_seconds(bound, work, roofs) > work.compute_seconds(roofs));
}

// The unit that most of the operations could use.
json compute_roof(const Work& work, const Roofs& roofs) {
  const bool int8 = work.int8 >= std::max(work.f32, work.bf16), bf16 = !int8 && work.bf16 >= work.f32;
  if (int8 && roofs.int8 > 0) return {{"of", "int8 multiply"}, {"gop_per_s", 1e-9 * roofs.int8}, {"unit", roofs.int8_unit}};
  if (bf16 && roofs.bf16 > 0) return {{"of", "bf16 multiply"}, {"gop_per_s", 1e-9 * roofs.bf16}, {"unit", roofs.bf16_unit}};
  return {{"of", "float32 multiply"}, {"gop_per_s", 1e-9 * roofs.f32}, {"unit", roofs.f32_unit}};
}

}  // namespace

json all_of(const Roofs& roofs) {
  json all{{"read_gb_per_s", 1e-9 * roofs.read},   {"cache_gb_per_s", 1e-9 * roofs.cache}, {"int8_gop_per_s", 1e-9 * roofs.int8},
           {"bf16_gop_per_s", 1e-9 * roofs.bf16}, {"f32_gop_per_s", 1e-9 * roofs.f32},    {"isa", roofs.level}};
  if (roofs.upload > 0) all["upload_gb_per_s"] = 1e-9 * roofs.upload;
  return all;
}

namespace {

std::string roof_text(const json& share, const json& roof) {
  if (share.is_null()) return "";
  const std::string speed = roof.contains("gb_per_s") ? fmt::format("{:.1f} GB/s", roof["gb_per_s"].get<double>()) : fmt::format("{:.0f} GOP/s", roof["gop_per_s"].get<double>());
  return fmt::format("; {:.0f} % of the roof ({}, {}, {})", 100 * share.get<double>(), roof["of"].get<std::string>(), speed, roof["unit"].get<std::string>());
}

}  // namespace

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Result<Roofline> Roofline::begin(Device& device) {
  Roofline line;
  LAVA_TRY(line.probe_, RoofProbe::create(undecorated(device)));
  LAVA_TRY(line.before_, line.probe_->measure());
  return line;
}

Result<Roofs> Roofline::end() {
  LAVA_TRY(const Roofs after, probe_->measure());
  return between(before_, after);
}

json share_of_roof(Bound bound, const Work& work, const Roofs& roofs, double seconds) {
  if (roofs.read <= 0 || seconds <= 0) return nullptr;
  const bool memory = memory_counts(bound, work, roofs);
  const double best = memory ? memory_seconds(bound, work, roofs) : work.compute_seconds(roofs);
  return best > 0 ? json(best / seconds) : json(nullptr);
}

json roof_of(Bound bound, const Work& work, const Roofs& roofs) {
  if (roofs.read <= 0) return nullptr;
  if (memory_counts(bound, work, roofs) && from_cache(bound, roofs)) return {{"of", "cache read"}, {"gb_per_s", 1e-9 * roofs.cache}, {"unit", roofs.read_unit}};
  if (memory_counts(bound, work, roofs)) return {{"of", roofs.read_of}, {"gb_per_s", 1e-9 * roofs.read}, {"unit", roofs.read_unit}};
  return compute_roof(work, roofs);
}

Result<void> measure(Measured& m, const Settings& settings, WorkMeter& meter, const std::function<Result<double>(int)>& once) {
  meter.on = true;
  LAVA_CHECK_OK(once(0));
  meter.on = false;
  m.work = meter.total;
  LAVA_TRY(Roofline roofline, Roofline::begin(meter));
  for (int round = 1; round <= settings.repeat; ++round) {
    LAVA_TRY(const double seconds, once(round));
    m.seconds.push_back(seconds);
  }
  LAVA_TRY(m.roofs, roofline.end());
  return {};
}

namespace {

std::string where(const DeviceInfo& device) {
  return device.host_memory ? fmt::format("{} threads, {}", device.threads, device.isa) : device.name;
}

}  // namespace

void print(const Settings& settings, const DeviceInfo& device, Measured m) {
  const double median = median_of(m.seconds), best = *std::min_element(m.seconds.begin(), m.seconds.end());
  const json share = share_of_roof(m.bound, m.work, m.roofs, median), roof = roof_of(m.bound, m.work, m.roofs);
  if (!settings.json) {
    fmt::print("{}, {}, {}: {:.1f} {}/s ({:.1f} ms, best of {} {:.1f} ms){}\n", m.what, m.shown, where(device), m.count / median, m.things, 1e3 * median,
               m.seconds.size(), 1e3 * best, roof_text(share, roof));
    return;
  }
  json line = std::move(m.facts);
  line["what"] = m.what, line["threads"] = device.threads, line["isa"] = device.isa, line["device"] = device.name, line["backend"] = device.backend;
  line["seconds"] = median, line["all_seconds"] = m.seconds;
  line[fmt::format("{}_per_s", m.things)] = m.count / median;
  line["gb_per_s"] = 1e-9 * (m.bound == Bound::memory ? m.work.streamed : m.work.bytes) / median;
  line["gop_per_s"] = 1e-9 * m.work.operations() / median;
  line["share_of_roof"] = share, line["roof"] = roof, line["roofs"] = all_of(m.roofs);
  fmt::print("{}\n", line.dump());
}

}  // namespace lava::bench
