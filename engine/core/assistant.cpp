#include "engine/core/assistant.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "engine/core/device_ladder.h"
#include "engine/core/generator.h"
#include "engine/core/loaded_model.h"
#include "engine/core/picture_cache.h"
#include "engine/core/prompt_builder.h"
#include "engine/core/text_runner.h"
#include "engine/core/weight_pack_keeper.h"
#include "engine/io/names.h"

namespace lava {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t picture_cache_bytes = size_t{384} << 20;
constexpr int smaller_chunks[] = {RunnerOptions::usual_chunk, 64, RunnerOptions::least_chunk};  // rows of a prefill step where memory is short
constexpr size_t most_second_slot_bytes = size_t{1} << 30;  // a second conversation is kept only where it is cheap

double milliseconds(Clock::time_point from) { return std::chrono::duration<double, std::milli>(Clock::now() - from).count(); }

// Nothing that the standard library throws leaves the engine.
template <class T, class Body>
Result<T> guarded(const Body& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return fail(Error::Kind::out_of_memory, "There is not enough memory", "the system gave none",
                "Close other programs, shorten the conversation, or choose a smaller model");
  } catch (const std::exception& error) {
    return fail(Error::Kind::internal, "Something unexpected happened in the engine", error.what());
  }
}

int rows_to_last_picture(const Prompt& prompt) {
  const auto last = std::find_if(prompt.embeddings.rbegin(), prompt.embeddings.rend(), [](const float* row) { return row != nullptr; });
  return static_cast<int>(prompt.embeddings.rend() - last);
}

void add_sentence(std::string& text, const std::string& sentence) {
  if (!text.empty() && !sentence.empty()) text += ' ';
  text += sentence;
}

}  // namespace

class Assistant::Impl {
 public:
  Impl(Devices devices, LoadedModel model)
      : devices_(devices), model_(std::move(model)), cache_(picture_cache_bytes), builder_(model_, cache_) {}

  Result<void> set_up(const AssistantOptions& options);
  const ModelReport& report() const { return report_; }
  const DeviceInfo& device() const { return model_.text.parts().back().device->info(); }
  void add_notice(const std::string& sentence) { add_sentence(notice_, sentence); }
  const LoadedModel& model() const { return model_; }
  std::string notice() const;
  void tell(const AssistantOptions& options) const {
    if (options.on_notice && !notice_.empty()) options.on_notice(notice_);
  }
  void wait_for_packs() {
    if (keeper_) keeper_->wait();
  }
  Result<Answer> answer(const Request& request);
  Result<Prepared> prepare(const Request& request);
  Result<Probe> probe(const Request& request, int greedy);
  Result<Detections> detect(const DetectRequest& request);
  Result<std::pair<std::vector<View>, int>> preview(Size image, int pictures) const;

 private:
  Result<std::vector<const Adapter*>> active_adapters(const Request& request, bool pictures) const;
  Result<void> make_runner(RunnerOptions options);
  Result<void> make_vision_memory(size_t bytes);
  Result<BuiltPrompt> build(const Request& request);
  Result<void> prefill(const BuiltPrompt& built, const Request& request, TextRunner::Purpose purpose, Timings& timings);
  Result<std::vector<Probe::ViewReport>> view_reports(const Request& request) const;
  void add_boxes(const BuiltPrompt& built, const Generator& generator, Answer& answer) const;
  std::span<const Object> marked_objects(const BuiltPrompt& built) const;
  void fill_report();

  Devices devices_;
  LoadedModel model_;
  PictureCache cache_;
  PromptBuilder builder_;
  std::unique_ptr<TextRunner> runner_;
  std::unique_ptr<Buffer> vision_memory_;  // of a vision part that lives on another device than the runner
  Arena vision_arena_{nullptr, 0};
  std::unique_ptr<Detector> detector_;  // from the first detect() on
  ModelReport report_;
  std::string notice_;  // what was given up while opening
  std::unique_ptr<WeightPackKeeper> keeper_;  // last: reads the weights until it ends
};

Result<void> Assistant::Impl::set_up(const AssistantOptions& load_options) {
  RunnerOptions options;
  KvShape shape = model_.text.kv_shape(options.kv);
  shape.dtype = options.kv = kv_format(load_options.kv, shape, model_.exact);
  if (shape.bytes() > most_second_slot_bytes) options.slots = 1;
  if (model_.vision) {
    LAVA_TRY(const size_t bytes, model_.vision->arena_bytes());
    if (&model_.vision->weights->device() == model_.text.parts().back().device) options.least_arena = bytes;
    else LAVA_CHECK_OK(make_vision_memory(bytes));
  }
  LAVA_CHECK_OK(make_runner(options));
  LAVA_CHECK_OK(devices_.main.finish());  // weights are on their way until here
  fill_report();
  keeper_ = keep_packs(model_, load_options);
  return {};
}

Result<void> Assistant::Impl::make_vision_memory(size_t bytes) {
  LAVA_TRY(vision_memory_, model_.vision->weights->device().allocate(bytes, BufferUse::own));
  vision_arena_ = Arena(vision_memory_->data(), bytes);
  return {};
}

// Short of memory it keeps one conversation, and reads prompts in smaller pieces.
Result<void> Assistant::Impl::make_runner(RunnerOptions options) {
  const std::vector<const Adapter*> adapters = model_.all_adapters();
  const std::vector<DecoderPart> parts = model_.text.parts();
  options.chunk = TextRunner::best_chunk(parts);
  auto made = TextRunner::create(parts, adapters, options);
  for (const int chunk : smaller_chunks) {
    if (made || made.error().kind != Error::Kind::out_of_memory) break;
    if (chunk >= options.chunk) continue;
    options.chunk = chunk, options.slots = 1;
    made = TextRunner::create(parts, adapters, options);
    if (made) add_notice(fmt::format("The memory of {} is nearly full: prompts are read {} tokens at a time.", device().name, chunk));
  }
  LAVA_TRY(runner_, std::move(made));
  return {};
}

void Assistant::Impl::fill_report() {
  const TextConfig& config = model_.text.decoder->config();
  report_.name = model_.files.name;
  report_.text = fmt::format("{} {} x {}, {}", model_.architecture, config.layers, config.width, model_.weight_formats);
  if (!config.note.empty()) report_.text += ", " + config.note;
  if (model_.vision) report_.vision = model_.vision->name, report_.regions = model_.vision->encoder->info().takes_places;
  if (model_.chat) report_.chat_format = model_.chat->name;
  report_.grounding = model_.grounding();
  for (const Adapter* adapter : model_.all_adapters()) report_.adapters.push_back(adapter->name());
  report_.context = runner_->context();
  report_.layers = config.layers;
  report_.main_layers = model_.text.main_layers();
  report_.weight_bytes = model_.text.weight_bytes() + (model_.vision ? model_.vision->weights->bytes() : 0);
  for (const PackedSource* source : model_.packed_sources()) report_.pack_bytes += source->pack ? source->pack->bytes() : 0;
  report_.kv_bytes = runner_->kv_bytes();
  report_.kv_format = dtype_info(runner_->kv_type()).name;
  report_.arena_bytes = runner_->arena_bytes();
}

std::string Assistant::Impl::notice() const {
  std::string all = notice_;
  if (keeper_) add_sentence(all, keeper_->notice());
  return all;
}

// The request's own choice, or the rule of the model: all that are always on, and those for pictures when there are any.
Result<std::vector<const Adapter*>> Assistant::Impl::active_adapters(const Request& request, bool pictures) const {
  std::vector<const Adapter*> active;
  if (!request.adapters) {
    for (const LoadedAdapter& one : model_.adapters)
      if (!one.when_picture || pictures) active.push_back(one.adapter.get());
    return active;
  }
  for (const std::string& name : *request.adapters) {
    const auto known =
        std::find_if(model_.adapters.begin(), model_.adapters.end(), [&](const LoadedAdapter& one) { return one.adapter->name() == name; });
    if (known == model_.adapters.end())
      return fail(Error::Kind::not_found, "There is no such adapter", io::printable(name), "Name one of those that were loaded");
    if (std::find(active.begin(), active.end(), known->adapter.get()) == active.end()) active.push_back(known->adapter.get());
  }
  return active;
}

Result<BuiltPrompt> Assistant::Impl::build(const Request& request) {
  Run run = vision_memory_ ? Run{model_.vision->weights->device(), vision_arena_, nullptr, request.cancel} : runner_->borrow(request.cancel);
  return builder_.build(run, request);
}

Result<void> Assistant::Impl::prefill(const BuiltPrompt& built, const Request& request, TextRunner::Purpose purpose, Timings& timings) {
  LAVA_TRY(const std::vector<const Adapter*> adapters, active_adapters(request, !built.pictures.empty()));
  const auto start = Clock::now();
  const auto progress = [&](int done, int total) {
    if (request.on_progress) request.on_progress("prompt", done, total);
  };
  LAVA_TRY(timings.cached_tokens, runner_->prefill(built.prompt, adapters, request.cancel, progress, purpose));
  timings.prompt_ms = milliseconds(start);
  timings.prompt_tokens = built.prompt.size();
  timings.encode_ms = built.encode_ms;
  return {};
}

// Marks number the objects of one picture; with several pictures those of the last.
std::span<const Object> Assistant::Impl::marked_objects(const BuiltPrompt& built) const {
  if (report_.grounding != "marks" || built.pictures.empty()) return {};
  return built.pictures.back()->objects;
}

Result<Answer> Assistant::Impl::answer(const Request& request) {
  const auto arrival = Clock::now();
  LAVA_CHECK_OK(check_sampling(request.sampling));
  if (request.max_tokens < 1)
    return fail(Error::Kind::invalid, "max_tokens must be at least 1", fmt::format("it is {}", request.max_tokens));
  LAVA_TRY(BuiltPrompt built, build(request));
  Answer answer;
  LAVA_CHECK_OK(prefill(built, request, TextRunner::Purpose::question, answer.timings));
  Generator generator(model_, *runner_, request, marked_objects(built));
  generator.saw(built.ids);
  LAVA_CHECK_OK(generator.run(answer, arrival));
  add_boxes(built, generator, answer);
  answer.pictures = std::move(built.reports);
  return answer;
}

Result<Prepared> Assistant::Impl::prepare(const Request& request) {
  LAVA_TRY(BuiltPrompt built, build(request));
  if (built.pictures.empty())
    return fail(Error::Kind::invalid, "There is nothing to look at yet", "the request holds no picture", "Prepare when there is one");
  built.prompt.cut(rows_to_last_picture(built.prompt));
  Prepared prepared;
  LAVA_CHECK_OK(prefill(built, request, TextRunner::Purpose::ahead, prepared.timings));
  prepared.pictures = std::move(built.reports);
  return prepared;
}

void Assistant::Impl::add_boxes(const BuiltPrompt& built, const Generator& generator, Answer& answer) const {
  if (report_.grounding == "none" || built.pictures.empty()) return;
  const size_t picture = built.pictures.size() - 1;
  const Size size = built.reports[picture].size;
  for (text::GroundedPhrase& place : text::find_places(answer.text)) {
    AnswerBox box{std::move(place.label), {}, place.start, place.end, place.mark_start, place.mark_end, static_cast<int>(picture)};
    if (!text::to_pixels(place.box, size.width, size.height, box.box)) continue;
    for (const auto& pointed : generator.pointed())
      if (box.label.empty() && pointed.at == place.mark_start) box.label = built.pictures[picture]->objects[pointed.object].label;
    answer.boxes.push_back(std::move(box));
  }
}

Result<std::vector<Probe::ViewReport>> Assistant::Impl::view_reports(const Request& request) const {
  std::vector<Probe::ViewReport> reports;
  const EncoderInfo& info = model_.vision->encoder->info();
  const int count = static_cast<int>(request.raw_pictures.size());
  for (const auto& file : request.raw_pictures) {
    LAVA_TRY(const media::Picture picture, media::decode_picture(std::as_bytes(std::span(file->data(), file->size()))));
    LAVA_TRY(const auto plan, model_.vision->plan(picture.size(), count));
    for (const View& view : plan.first) {
      const media::Picture shown = render_view(picture, view);
      std::vector<float> pixels(shown.rgb.size());
      media::to_tensor(shown, info.mean, info.std, pixels.data());
      double sum = 0;
      for (const float value : pixels) sum += value;
      reports.push_back({shown.width, shown.height, sum / static_cast<double>(pixels.size())});
    }
  }
  return reports;
}

Result<Probe> Assistant::Impl::probe(const Request& request, int greedy) {
  LAVA_TRY(const BuiltPrompt built, build(request));
  Probe probe;
  Timings timings;
  LAVA_CHECK_OK(prefill(built, request, TextRunner::Purpose::question, timings));
  probe.prompt_ids = built.ids;
  probe.image_tokens = built.picture_rows;
  if (model_.vision) {
    LAVA_TRY(probe.views, view_reports(request));
  }
  LAVA_CHECK_OK(check_logits(runner_->logits()));
  probe.logits.assign(runner_->logits().begin(), runner_->logits().end());
  probe.top = best_logits(probe.logits, 10);
  for (int i = 0; i < greedy; ++i) {
    probe.greedy.push_back(best_logits(runner_->logits(), 1).front().first);
    if (i + 1 == greedy || runner_->room() == 0) break;
    LAVA_CHECK_OK(runner_->step(probe.greedy.back()));
    LAVA_CHECK_OK(check_logits(runner_->logits()));
  }
  return probe;
}

Result<Detections> Assistant::Impl::detect(const DetectRequest& request) {
  if (!detector_) {
    const SsdliteMobilenetV2* inside = model_.vision ? model_.vision->encoder->detector() : nullptr;
    LAVA_TRY(detector_, inside ? Detector::borrow(devices_.cpu, *inside) : Detector::open(devices_.cpu));
  }
  return detector_->detect(request);
}

Result<std::pair<std::vector<View>, int>> Assistant::Impl::preview(Size image, int pictures) const {
  if (!model_.vision)
    return fail(Error::Kind::unsupported, "This model cannot see pictures", "it has no vision part", "Choose a model that sees");
  LAVA_TRY(auto plan, model_.vision->plan(image, pictures));
  return std::pair(std::move(plan.first), plan.second.rows);
}

Assistant::Assistant(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Assistant::~Assistant() = default;

Result<std::unique_ptr<Assistant>> Assistant::load(Devices devices, const AssistantOptions& options,
                                                   const std::function<void(double, const char*)>& progress) {
  return guarded<std::unique_ptr<Assistant>>([&]() -> Result<std::unique_ptr<Assistant>> {
    std::unique_ptr<Impl> impl;
    const auto open = [&](Devices where, LayerPlan& plan) -> Result<const LoadedModel*> {
      LAVA_TRY(LoadedModel model, load_model(where, options, progress, plan));
      if (progress) progress(0.95, "Preparing memory");
      auto opened = std::make_unique<Impl>(where, std::move(model));
      LAVA_CHECK_OK(opened->set_up(options));
      impl = std::move(opened);
      return &impl->model();
    };
    LAVA_TRY(const std::string given_up, open_on_ladder(devices, options, open));
    impl->add_notice(given_up);
    impl->tell(options);
    if (progress) progress(1, "Ready");
    return std::unique_ptr<Assistant>(new Assistant(std::move(impl)));
  });
}

const ModelReport& Assistant::report() const { return impl_->report(); }
std::string Assistant::notice() const { return impl_->notice(); }
void Assistant::wait_for_packs() { impl_->wait_for_packs(); }
const DeviceInfo& Assistant::device() const { return impl_->device(); }
Result<Answer> Assistant::answer(const Request& request) {
  return guarded<Answer>([&] { return impl_->answer(request); });
}
Result<Prepared> Assistant::prepare(const Request& request) {
  return guarded<Prepared>([&] { return impl_->prepare(request); });
}
Result<Probe> Assistant::probe(const Request& request, int greedy) {
  return guarded<Probe>([&] { return impl_->probe(request, greedy); });
}
Result<Detections> Assistant::detect(const DetectRequest& request) {
  return guarded<Detections>([&] { return impl_->detect(request); });
}
Result<std::pair<std::vector<View>, int>> Assistant::preview(Size image, int pictures) const {
  return guarded<std::pair<std::vector<View>, int>>([&] { return impl_->preview(image, pictures); });
}

}  // namespace lava
