// One loaded model that answers questions: what the server and the command line talk to.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/detector.h"
#include "engine/core/prompt.h"
#include "engine/core/sampler.h"
#include "engine/core/weight_pack_store.h"
#include "engine/kv/full.h"
#include "engine/partition/partitioner.h"
#include "kernels/devices.h"
#include "kernels/result.h"

namespace lava {

// How a vision tower multiplies. automatic: quantised weights with 8-bit activations, others in BF16; int8: these are rounded to 8 bits as well.
enum class VisionPrecision : uint8_t { automatic, exact, int8 };

struct AssistantOptions {
  std::string model = "default";      // a GGUF file, a Hugging Face folder, a folder with model.json, or "default"
  std::string mmproj;                 // projector file of a GGUF model; empty: looked for beside it
  std::vector<std::string> adapters;  // PEFT folders
  int context = 0;                    // 0: the model's own, at most 8192 unless asked for
  bool exact = false;                 // float32 arithmetic everywhere
  VisionPrecision vision = VisionPrecision::automatic;
  KvChoice kv = KvChoice::automatic;  // how keys and values are kept
  int gpu_layers = -1;                // of the language model that the main device computes, the last ones; -1: all that find room there
  WeightCacheLimits packs;            // of packed weights kept on disk
  // What the user should know though everything works; once for each thing, also from another thread.
  std::function<void(const std::string&)> on_notice;
};

// A rectangle in pixels of the upright picture.
struct PictureRegion {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  bool operator==(const PictureRegion&) const = default;
};

struct MessagePart {
  enum class Kind { text, picture } kind = Kind::text;
  std::string text;
  std::shared_ptr<const std::string> picture;  // encoded file
  std::vector<PictureRegion> regions;          // of the picture, that the user points at; at most most_objects
};

struct ChatMessage {
  enum class Role { system, user, assistant } role = Role::user;
  std::vector<MessagePart> parts;
};

struct TokenLogprob {
  int32_t id;
  std::string bytes;
  float logprob;
};

struct Request {
  std::vector<ChatMessage> messages;
  std::string raw_prompt;  // instead of messages: text with <image> markers
  std::vector<std::shared_ptr<const std::string>> raw_pictures;
  Sampling sampling;
  int max_tokens = 512;
  std::vector<std::string> stop;
  int top_logprobs = -1;                             // -1: no log-probabilities
  std::optional<std::vector<std::string>> adapters;  // empty optional: the model's own rule
  const std::atomic<bool>* cancel = nullptr;

  // Called from the thread that runs answer().
  std::function<void(const char* phase, int done, int total)> on_progress;                                        // "picture", "prompt"
  std::function<void(std::string_view text, const TokenLogprob*, const std::vector<TokenLogprob>& top)> on_text;  // complete UTF-8 only
};

// A phrase of the answer tied to a place (docs/api.md): byte offsets, pixels of the upright picture.
struct AnswerBox {
  std::string label;
  float box[4] = {0, 0, 0, 0};
  size_t start = 0, end = 0, mark_start = 0, mark_end = 0;
  int picture = 0;
};

struct PictureReport {
  Size size;  // upright
  int tokens = 0;
  bool cached = false;
};

struct Timings {
  double encode_ms = 0, prompt_ms = 0, first_token_ms = 0, decode_ms = 0;
  int prompt_tokens = 0, cached_tokens = 0, decode_tokens = 0;
};

struct Answer {
  std::string text;
  std::string finish_reason;  // "stop", "length"
  std::vector<int32_t> ids;
  std::vector<AnswerBox> boxes;
  std::vector<PictureReport> pictures;
  Timings timings;
};

// What a question to come finds done already.
struct Prepared {
  std::vector<PictureReport> pictures;
  Timings timings;  // of the encoding and the prompt; prompt_tokens: all that the key-value cache holds for the question now
};

struct ModelReport {
  std::string name, text, vision, chat_format, grounding;  // grounding: "none", "boxes", "marks"
  std::vector<std::string> adapters;
  bool regions = false;  // takes regions of pictures
  int context = 0;
  size_t weight_bytes = 0, kv_bytes = 0, arena_bytes = 0;
  int layers = 0, main_layers = 0;  // of the language model; those that the main device computes (all, where that is the processor)
  size_t pack_bytes = 0;  // mapped from packs on disk that an earlier opening made
  std::string kv_format;  // of keys and values: "F16", "Q8_0", "F32"
};

// What one prompt becomes, for `lavascope-engine logits` and the tests.
struct Probe {
  std::vector<int32_t> prompt_ids;  // before expansion, pictures left out
  int image_tokens = 0;
  struct ViewReport {
    int width, height;
    double mean;
  };
  std::vector<ViewReport> views;
  std::vector<std::pair<int32_t, float>> top;  // 10 best of the last position
  std::vector<float> logits;
  std::vector<int32_t> greedy;
};

class Assistant {
 public:
  // progress 0..1 with a phrase, from the calling thread. Where the main device has not enough memory, prompts are read in smaller pieces;
  // where that does not help the processor takes some layers over, and in the end everything; notice() says so.
  static Result<std::unique_ptr<Assistant>> load(Devices, const AssistantOptions&,
                                                 const std::function<void(double, const char*)>& progress = {});
  ~Assistant();

  const ModelReport& report() const;
  const DeviceInfo& device() const;  // that computes
  // All that on_notice told, or empty. Thread-safe.
  std::string notice() const;
  // Until packed weights are on disk or given up; for measuring and tests, as nothing else depends on it.
  void wait_for_packs();
  // One question at a time; the caller serialises. Keeps the KV rows for the next one.
  Result<Answer> answer(const Request&);
  // Brings a question in before its words are known: encodes the pictures and computes the rows up to the last of them, which the words
  // do not change. answer() with the same beginning then starts behind them. Cancelled: what was done by then is kept. As answer().
  Result<Prepared> prepare(const Request&);
  Result<Probe> probe(const Request&, int greedy);
  // What stands where, from the detector of the model's tower, or else from the one that comes with the program. Not beside answer().
  Result<Detections> detect(const DetectRequest&);
  // Rows that a picture of this size costs, without encoding it. Thread-safe.
  Result<std::pair<std::vector<View>, int>> preview(Size image, int pictures_in_prompt) const;

 private:
  class Impl;
  explicit Assistant(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lava
