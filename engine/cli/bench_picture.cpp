// Speed with pictures: a tower alone, a whole answer's first token, the detector.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>

#include "engine/cli/bench_model.h"
#include "engine/cli/common.h"
#include "engine/core/detector.h"
#include "engine/core/loaded_model.h"
#include "engine/core/mmproj.h"
#include "engine/core/open_vision.h"
#include "kernels/trace.h"

namespace lava::bench {
namespace {

// The vision half of a model, alone where a projector file is named.
struct Tower {
  LoadedModel model;
  std::optional<VisionPart> alone;
  const VisionPart& part() const { return alone ? *alone : *model.vision; }

  static Result<Tower> open(Devices devices, const Settings& settings, const std::string& path) { return open(devices, settings, path, settings.vision); }
  static Result<Tower> open(Devices devices, const Settings& settings, const std::string& path, VisionPrecision vision) {
    Tower tower;
    if (is_mmproj_name(std::filesystem::path(path).filename().string())) {
      LAVA_TRY(const int64_t width, mmproj_width(path));
      LAVA_TRY(tower.alone, open_vision_gguf(devices.main, path, vision_options(static_cast<int>(width), settings.exact ? VisionPrecision::exact : vision)));
      return tower;
    }
    AssistantOptions options;
    options.model = path, options.exact = settings.exact, options.vision = vision;
    LAVA_TRY(tower.model, load_model(devices, options, {}));
    if (!tower.model.vision) return fail(Error::Kind::invalid, "This model does not see", path, "Choose a projector file (mmproj) or a model that sees");
    return tower;
  }
};

// The metered device in the place of the one that was opened.
Devices beside(WorkMeter& meter, const OpenedDevice& opened) { return {meter, opened.module ? *opened.cpu : static_cast<Device&>(meter)}; }

// How far rows are from those of float32 arithmetic.
struct Difference {
  double nmse = 0, least_cosine = 1;
};
Difference difference_of(const PictureRows& got, const PictureRows& want, size_t width) {
  Difference all;
  double error = 0, power = 0;
  for (size_t row = 0; row < want.rows.size(); row += width) {
    double dot = 0, got2 = 0, want2 = 0;
    for (size_t i = row; i < row + width; ++i) {
      const double g = got.rows[i], w = want.rows[i];
      dot += g * w, got2 += g * g, want2 += w * w, error += (g - w) * (g - w);
    }
    power += want2;
    if (got2 > 0 && want2 > 0) all.least_cosine = std::min(all.least_cosine, dot / std::sqrt(got2 * want2));
  }
  all.nmse = power > 0 ? error / power : 0;
  return all;
}

Result<Difference> check(Devices devices, const Settings& settings, const std::string& path, const media::Picture& picture, const PictureRows& got) {
  LAVA_TRY(const Tower exact, Tower::open(devices, settings, path, VisionPrecision::exact));
  Device& device = exact.part().weights->device();
  LAVA_TRY(const size_t bytes, exact.part().arena_bytes());
  LAVA_TRY(auto memory, device.allocate(bytes, BufferUse::own));
  Arena arena(memory->data(), memory->size());
  Run run{device, arena};
  LAVA_TRY(const PictureRows want, exact.part().encode(run, picture, 1, {}));
  if (want.rows.size() != got.rows.size() || want.width <= 0) return fail(Error::Kind::internal, "The rows of two precisions differ in number");
  return difference_of(got, want, static_cast<size_t>(want.width));
}

// Processor time of all threads of this process.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

Result<void> encode(const Settings& settings) {
  LAVA_TRY(const Model model, Model::get(settings, Model::Half::vision));
  LAVA_TRY(const OpenedDevice opened, cli::open_chosen_device(settings.device, settings.cpu));
  std::unique_ptr<TraceDevice> traced;
  if (settings.trace) traced = std::make_unique<TraceDevice>(opened.devices().main);
  WorkMeter meter(traced ? static_cast<Device&>(*traced) : opened.devices().main);
  LAVA_TRY(const Tower tower, Tower::open(beside(meter, opened), settings, model.path()));
  LAVA_TRY(const media::Picture picture, picture_of(settings));
  LAVA_TRY(const auto plan, tower.part().plan(picture.size(), 1));
  LAVA_TRY(const size_t bytes, tower.part().arena_bytes());
  Device& device = tower.part().weights->device();
  LAVA_TRY(auto memory, device.allocate(bytes, BufferUse::own));
  const int views = static_cast<int>(plan.first.size());
  Measured m{"encode", Bound::compute, {{"n", 1}, {"views", views}, {"tokens", plan.second.rows}, {"width", picture.width}, {"height", picture.height}},
             fmt::format("{}, {} views of a picture of {} x {}", tower.part().name, views, picture.width, picture.height)};
  m.count = views, m.things = "views";
  Result<PictureRows> rows = PictureRows{};
  const auto once = [&](int) -> Result<double> {
    Arena arena(memory->data(), memory->size());
    Run run{device, arena};
    const double seconds = seconds_of([&] { rows = tower.part().encode(run, picture, 1, {}); });
    if (!rows) return tl::unexpected<Error>(rows.error());
    return seconds;
  };
  LAVA_CHECK_OK(measure(m, settings, meter, once));
  if (settings.check) {
    LAVA_TRY(const Difference difference, check(opened.devices(), settings, model.path(), picture, *rows));
    m.facts["nmse"] = difference.nmse, m.facts["least_cosine"] = difference.least_cosine;
    m.shown += fmt::format("; rows beside float32: NMSE {:.2g}, least cosine {:.6f}", difference.nmse, difference.least_cosine);
  }
  print(settings, meter.info(), std::move(m));
  if (traced) fmt::print("{}", traced->table());
  return {};
}

// A question about a picture file, answered with one token.
Request question(std::shared_ptr<const std::string> picture, const char* text) {
  Request request;
  ChatMessage message;
  message.parts.push_back({MessagePart::Kind::picture, {}, std::move(picture), {}});
  message.parts.push_back({MessagePart::Kind::text, text, nullptr, {}});
  request.messages.push_back(std::move(message));
  request.max_tokens = 1;
  return request;
}

// Picture to first token: the same picture is given with one pixel changed each round, so that nothing comes from a cache; then a second
// question about it.
Result<void> ttft(const Settings& settings) {
  LAVA_TRY(const Model model, Model::get(settings, Model::Half::both));
  LAVA_TRY(const OpenedDevice opened, cli::open_chosen_device(settings.device, settings.cpu));
  WorkMeter meter(opened.devices().main);
  LAVA_TRY(auto assistant, Assistant::load(beside(meter, opened), options_of(settings, model)));
  LAVA_TRY(media::Picture picture, picture_of(settings));
  int tokens = 0;
  std::vector<double> again;  // seconds to the first token of the second question
  const auto once = [&](int round) -> Result<double> {
    picture.rgb[0] = static_cast<uint8_t>(round);
    LAVA_TRY(const auto file, media::encode_png(picture));
    Request request = question(std::make_shared<const std::string>(reinterpret_cast<const char*>(file.data()), file.size()), "What is in this picture?");
    LAVA_TRY(const Answer answer, assistant->answer(request));
    tokens = answer.timings.prompt_tokens;
    request.messages.push_back({ChatMessage::Role::assistant, {{MessagePart::Kind::text, answer.text, nullptr, {}}}});
    request.messages.push_back({ChatMessage::Role::user, {{MessagePart::Kind::text, "And what else?", nullptr, {}}}});
    LAVA_TRY(const Answer second, assistant->answer(request));
    if (round > 0) again.push_back(second.timings.first_token_ms / 1e3);
    return answer.timings.first_token_ms / 1e3;
  };
  Measured m{"ttft", Bound::compute, {}, ""};
  LAVA_CHECK_OK(measure(m, settings, meter, once));
  const double second = median_of(std::move(again));
  m.count = tokens, m.facts = {{"n", tokens}, {"depth", 0}, {"second_question_seconds", second}};
  m.shown = fmt::format("{} tokens of prompt; a second question about it: {:.1f} ms", tokens, 1e3 * second);
  print(settings, meter.info(), std::move(m));
  return {};
}

// From a picture's file to the names and places of what stands in it.
Result<void> detect(const Settings& settings) {
  LAVA_TRY(auto cpu, make_cpu_device(settings.cpu));
  WorkMeter meter(*cpu);
  LAVA_TRY(auto detector, Detector::open(meter));
  DetectRequest request;
  LAVA_TRY(request.picture, cli::read_file(settings.image));
  Measured m{"detect", Bound::compute, {}, ""};
  Result<Detections> found = Detections{};
  double processor = 0;  // of the timed rounds
  const auto once = [&](int round) -> Result<double> {
    const double before = cpu_seconds();
    const double seconds = seconds_of([&] { found = detector->detect(request); });
    if (!found) return tl::unexpected<Error>(found.error());
    if (round > 0) processor += (cpu_seconds() - before) / settings.repeat;
    return seconds;
  };
  LAVA_CHECK_OK(measure(m, settings, meter, once));
  m.count = 1, m.things = "pictures";
  m.facts = {{"width", found->size.width}, {"height", found->size.height}, {"objects", found->objects.size()}, {"cpu_seconds", processor}};
  m.shown = fmt::format("{} x {} pixels, {} objects, {:.1f} ms of processor time", found->size.width, found->size.height, found->objects.size(), 1e3 * processor);
  print(settings, meter.info(), std::move(m));
  return {};
}

}  // namespace lava::bench
