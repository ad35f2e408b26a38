// `lavascope-engine perplexity`: how well a model foretells a text, and how far quantised arithmetic takes it from exact arithmetic.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/cli/commands.h"
#include "engine/cli/common.h"
#include "engine/cli/logits_file.h"
#include "engine/core/device_ladder.h"
#include "engine/core/divergence.h"
#include "engine/core/text_reader.h"

namespace lava {
namespace {

constexpr int default_window = 512;

struct Options {
  cli::ModelOptions model;
  std::string text, against, logits;
  int window = 0, unscored = -1, chunk = 256, tokens = 0;
  bool json = false;
};

using Ids = std::vector<int32_t>;

// One arithmetic of the model, and what it made of the text so far.
struct Subject {
  LoadedModel model;
  std::unique_ptr<TextReader> reader;
  std::string_view kv;  // format of keys and values
  double surprisal = 0;

  static Result<Subject> open(Devices devices, const Options& options, bool exact, KvChoice kv) {
    AssistantOptions wanted = options.model.assistant;
    wanted.exact = exact;
    Subject subject;
    const auto open_there = [&](Devices where, LayerPlan& plan) -> Result<const LoadedModel*> {
      subject = {};
      LAVA_TRY(subject.model, load_model(where, wanted, {}, plan));
      LAVA_CHECK_OK(subject.make_reader(options, kv));
      return &subject.model;
    };
    LAVA_TRY(const std::string given_up, open_on_ladder(devices, wanted, open_there));
    cli::tell_notice(given_up);
    return subject;
  }
  const char* arithmetic() const { return model.exact ? "exact" : "fast"; }

 private:
  Result<void> make_reader(const Options& options, KvChoice choice) {
    const int context = model.text.decoder->context(), window = options.window > 0 ? options.window : std::min(default_window, context);
    if (window > context)
      return fail(Error::Kind::invalid, "The window is longer than the model's context", fmt::format("{} and {} tokens", window, context),
                  fmt::format("Ask for at most {}, or for more --context", context));
    const ReaderOptions settings{window, options.chunk, kv_format(choice, model.text.kv_shape(DType::f16), model.exact)};
    kv = dtype_info(settings.kv).name;
    LAVA_TRY(reader, TextReader::create(model.text.parts(), settings));
    return {};
  }
};

struct Outcome {
  size_t windows = 0, scored = 0;
  double perplexity = 0, reference_perplexity = 0;
  std::optional<GapSummary> gaps;
};

bool begins_with_bos(const text::SpecialIds& special) { return special.add_bos && special.bos >= 0; }

// Windows of equal length, one after the other; what is left over is not read. A text shorter than a window is a window.
Result<std::vector<Ids>> cut(const Ids& ids, int window, const text::SpecialIds& special) {
  const size_t length = std::min(static_cast<size_t>(window), ids.size());
  if (length < 2) return fail(Error::Kind::invalid, "The text is too short", fmt::format("{} tokens", ids.size()), "Give one of at least two tokens");
  std::vector<Ids> windows;
  for (size_t begin = 0; begin + length <= ids.size(); begin += length) {
    windows.emplace_back(ids.begin() + static_cast<ptrdiff_t>(begin), ids.begin() + static_cast<ptrdiff_t>(begin + length));
    if (begins_with_bos(special)) windows.back()[0] = special.bos;
  }
  return windows;
}

class Comparison {
 public:
  Comparison(Subject& subject, Subject* reference, cli::LogitsFile* file) : subject_(subject), reference_(reference), file_(file) {}

  // Positions from `unscored` on foretell their next token.
  Result<void> read(const Ids& window, size_t unscored) {
    subject_.reader->start();
    if (reference_) reference_->reader->start();
    const size_t chunk = static_cast<size_t>(subject_.reader->chunk()), scorable = window.size() - 1;
    for (size_t begin = 0; begin < scorable; begin += chunk) {
      const auto ids = std::span(window).subspan(begin, std::min(chunk, scorable - begin));
      LAVA_CHECK_OK(subject_.reader->advance(ids));
      if (reference_) LAVA_CHECK_OK(reference_->reader->advance(ids));
      const size_t end = begin + ids.size(), rows = static_cast<size_t>(subject_.reader->logit_rows());
      for (size_t i = std::max(begin, unscored); i < end; i += rows) LAVA_CHECK_OK(score(window, begin, i, std::min(rows, end - i)));
    }
    return {};
  }

  Outcome outcome(size_t windows) const {
    Outcome out{windows, scored_, std::exp(subject_.surprisal / static_cast<double>(scored_))};
    if (!reference_) return out;
    out.reference_perplexity = std::exp(reference_->surprisal / static_cast<double>(scored_));
    out.gaps = summarise(gaps_);
    return out;
  }

 private:
  // Positions first .. first + count of the window; the chunk in the readers begins at `chunk_begin`.
  Result<void> score(const Ids& window, size_t chunk_begin, size_t first, size_t count) {
    const int at = static_cast<int>(first - chunk_begin), rows = static_cast<int>(count);
    LAVA_TRY(const Tensor own, subject_.reader->logits(at, rows));
    Tensor exact;
    if (reference_) {
      LAVA_TRY(exact, reference_->reader->logits(at, rows));
    }
    const auto row = [](const Tensor& logits, size_t i) { return std::span<const float>(logits.row(static_cast<int64_t>(i)), static_cast<size_t>(logits.width())); };
    if (file_) LAVA_CHECK_OK(file_->append(row(own, 0).data(), count * static_cast<size_t>(own.width())));
    for (size_t i = 0; i < count; ++i) {
      const int32_t next = window[first + i + 1];
      LAVA_CHECK_OK(check_logits(row(own, i)));
      subject_.surprisal += surprisal(row(own, i), next);
      if (!reference_) continue;
      LAVA_CHECK_OK(check_logits(row(exact, i)));
      reference_->surprisal += surprisal(row(exact, i), next);
      gaps_.push_back(gap_between(row(exact, i), row(own, i)));
    }
    scored_ += count;
    return {};
  }

  Subject& subject_;
  Subject* reference_;
  cli::LogitsFile* file_;
  std::vector<Gap> gaps_;
  size_t scored_ = 0;
};

Result<Ids> ids_of(const Options& options, const Subject& subject) {
  LAVA_TRY(const auto text, cli::read_file(options.text));
  LAVA_TRY(Ids ids, subject.model.tokenizer->encode(*text));
  for (const int32_t id : ids)
    if (id >= subject.model.text.decoder->config().vocabulary)
      return fail(Error::Kind::invalid, "The vocabulary is larger than the model", fmt::format("token {}", id));
  if (options.tokens > 0 && ids.size() > static_cast<size_t>(options.tokens)) ids.resize(static_cast<size_t>(options.tokens));
  return ids;
}

void print(const Options& options, const Subject& subject, const Outcome& out, size_t window, size_t unscored) {
  if (options.json) {
    nlohmann::json json{{"arithmetic", subject.arithmetic()}, {"kv_format", subject.kv}, {"windows", out.windows}, {"window", window}, {"unscored", unscored},
                        {"chunk", subject.reader->chunk()}, {"scored", out.scored}, {"perplexity", out.perplexity}};
    const text::SpecialIds& special = subject.model.tokenizer->special();
    json["bos"] = begins_with_bos(special) ? nlohmann::json(special.bos) : nlohmann::json();  // stands for the first token of each window
    if (out.gaps) {
      json["against"] = {{"arithmetic", options.against}, {"perplexity", out.reference_perplexity}, {"same_best", out.gaps->same_best},
                         {"divergence", {{"mean", out.gaps->mean}, {"median", out.gaps->median}, {"p99", out.gaps->p99}, {"largest", out.gaps->largest}}}};
    }
    fmt::print("{}\n", json.dump());
    return;
  }
  fmt::print("{} tokens foretold, in {} windows of {} ({} of each give context only), {} at a time\n", out.scored, out.windows, window,
             unscored, subject.reader->chunk());
  fmt::print("perplexity in {} arithmetic, keys and values in {}  {:.4f}\n", subject.arithmetic(), subject.kv, out.perplexity);
  if (!out.gaps) return;
  fmt::print("perplexity in {} arithmetic  {:.4f}\nKL divergence of {} from {}  mean {:.3g}, median {:.3g}, 99 % below {:.3g}, largest {:.3g}\n"
             "same likeliest token  {:.2f} %\n",
             options.against, out.reference_perplexity, subject.arithmetic(), options.against, out.gaps->mean, out.gaps->median, out.gaps->p99,
             out.gaps->largest, 100 * out.gaps->same_best);
}

Result<void> run(const Options& options) {
  LAVA_TRY(const OpenedDevice opened, cli::open_chosen_device(options.model.device, options.model.cpu));
  LAVA_TRY(Subject subject, Subject::open(opened.devices(), options, options.model.assistant.exact, options.model.assistant.kv));
  std::optional<Subject> reference;
  if (!options.against.empty()) {
    LAVA_TRY(reference, Subject::open(opened.devices(), options, true, KvChoice::automatic));
  }
  LAVA_TRY(const Ids ids, ids_of(options, subject));
  LAVA_TRY(const std::vector<Ids> windows, cut(ids, subject.reader->window(), subject.model.tokenizer->special()));
  const size_t window = windows[0].size(), unscored = options.unscored < 0 ? window / 2 : static_cast<size_t>(options.unscored);
  if (unscored >= window - 1)
    return fail(Error::Kind::invalid, "Nothing is left to foretell", fmt::format("{} tokens of a window of {} give context only", unscored, window),
                "Ask for less --unscored, or give a longer text");
  std::optional<cli::LogitsFile> file;
  if (!options.logits.empty()) {
    const auto vocabulary = static_cast<size_t>(subject.model.text.decoder->config().vocabulary);
    LAVA_TRY(cli::LogitsFile created, cli::LogitsFile::create(options.logits, windows.size() * (window - 1 - unscored), vocabulary));
    file.emplace(std::move(created));
  }
  Comparison comparison(subject, reference ? &*reference : nullptr, file ? &*file : nullptr);
  for (const Ids& one : windows) LAVA_CHECK_OK(comparison.read(one, unscored));
  if (file) LAVA_CHECK_OK(file->finish());
  print(options, subject, comparison.outcome(windows.size()), window, unscored);
  return {};
}

}  // namespace

void add_perplexity_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("perplexity", "Measure how well a model foretells a text, and what quantised arithmetic loses");
  cli::add_model_options(*command, options->model, false);
  command->add_option("--text", options->text, "File with the text")->required();
  command->add_option("--against", options->against, "Also the divergence from this arithmetic")->check(CLI::IsMember({"exact"}));
  command->add_option("--window", options->window, "Tokens read in one piece (512)")->check(CLI::Range(2, 1 << 24));
  command->add_option("--unscored", options->unscored, "Tokens of each window that give context only (half)")->check(CLI::Range(0, 1 << 24));
  command->add_option("--tokens", options->tokens, "At most so many tokens of the text")->check(CLI::Range(2, 1 << 30));
  command->add_option("--chunk", options->chunk, "Tokens that pass the layers together; 1: as an answer is written")->check(CLI::Range(1, 4096))->capture_default_str();
  command->add_option("--logits", options->logits, "Write the logits of every foretold token to this NumPy file");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] {
    if (const auto done = run(*options); !done) cli::leave(done.error());
  });
}

}  // namespace lava
