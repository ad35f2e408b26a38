// A tiny model whose packed weights are kept in a folder of the test's own.
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "engine/core/assistant.h"
#include "engine/core/user_folders.h"
#include "engine/core/weight_pack_keeper.h"
#include "engine/core/weight_pack_notes.h"
#include "engine/io/gguf.h"
#include "engine/synth/write.h"
#include "tests/support/engine/files.h"

namespace lava::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A variable of the environment for as long as the object lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    if (old_) ::setenv(name_, old_->c_str(), 1);
    else ::unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

inline synth::TextShape tiny_shape() {
  synth::TextShape shape;
  TextConfig& c = shape.config;
  c.family = "llama";
  c.width = 256, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 64, c.feed_forward = 512, c.vocabulary = 700, c.context = 512;
  return shape;
}

// Written an hour ago, as a file that was downloaded and is opened later.
inline void write_model(const fs::path& path, uint64_t seed = 1, const char* format = "q4_k", std::chrono::seconds age = 1h) {
  const synth::Order order{tiny_shape(), "Tiny", *synth::find_format(format), seed};
  ASSERT_TRUE(synth::write_model(order, path));
  fs::last_write_time(path, fs::file_time_type::clock::now() - age);
}

inline std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
inline void put_bytes(const fs::path& path, std::string_view bytes) { std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size())); }

class WeightPacks : public ::testing::Test {
 protected:
  void SetUp() override {
    auto device = make_cpu_device({.threads = 2, .pin = false});
    ASSERT_TRUE(device);
    device_ = std::move(*device);
    model_ = folder_ / "tiny.gguf";
    write_model(model_);
    without_ = logits_without(model_);
    ASSERT_FALSE(without_.empty());
  }

  struct Opened {
    size_t pack_bytes = 0, weight_bytes = 0;
    std::vector<float> logits;
    std::string notice;
  };
  // Opens the model, waits for its packs and asks it something.
  Opened open(const fs::path& model, const WeightCacheLimits& limits = keep_all) {
    AssistantOptions options;
    options.model = model, options.packs = limits;
    Request request;
    request.raw_prompt = "a b";
    return open(options, request);
  }
  Opened open(const AssistantOptions& options, const Request& request) {
    auto assistant = Assistant::load(*device_, options);
    EXPECT_TRUE(assistant) << assistant.error().message();
    if (!assistant) return {};
    (*assistant)->wait_for_packs();
    const auto probe = (*assistant)->probe(request, 0);
    EXPECT_TRUE(probe) << probe.error().message();
    return {(*assistant)->report().pack_bytes, (*assistant)->report().weight_bytes, probe ? probe->logits : std::vector<float>(), (*assistant)->notice()};
  }
  std::vector<float> logits_without(const fs::path& model) {
    const Environment off("LAVASCOPE_CACHE", "off");
    return open(model).logits;
  }
  std::vector<fs::path> ending(std::string_view ending) const {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(weights_, error); !error && entry != fs::directory_iterator(); entry.increment(error))
      if (entry->path().native().ends_with(ending)) found.push_back(entry->path());
    return found;
  }
  fs::path pack() const {
    const auto packs = ending(".pack");
    EXPECT_EQ(packs.size(), 1u);
    return packs.empty() ? fs::path() : packs.front();
  }
  // The model answers right, and what lay on the disk was not used but made anew.
  void expect_made_anew(const char* what) {
    const Opened opened = open(model_);
    EXPECT_EQ(opened.pack_bytes, 0u) << what;
    EXPECT_EQ(opened.logits, without_) << what;
    EXPECT_EQ(opened.notice, "") << what;
    const Opened again = open(model_);
    EXPECT_GT(again.pack_bytes, 0u) << what;
    EXPECT_EQ(again.logits, without_) << what;
  }

  // A projector file beside the model.
  void write_tower(const char* format) {
    synth::VisionShape shape;
    VitConfig& c = shape.tower;
    c.kind = "clip", c.width = 256, c.mlp = 512, c.layers = 2, c.heads = 4, c.image = 56, c.patch = 14;
    c.class_row = c.pre_norm = true, c.drop_first = true;
    shape.text_width = 256;
    const fs::path file = folder_ / "mmproj-tiny.gguf";
    ASSERT_TRUE(synth::write_model({shape, "Tiny", *synth::find_format(format), 1}, file));
    fs::last_write_time(file, fs::file_time_type::clock::now() - 1h);
  }

  static constexpr WeightCacheLimits keep_all{.least_pack = 1, .least_free = 0, .least_free_share = 0};
  TemporaryFolder folder_;
  const Environment cache_{"LAVASCOPE_CACHE", folder_ / "cache"};
  const fs::path weights_ = folder_ / "cache/weights";
  std::unique_ptr<Device> device_;
  fs::path model_;
  std::vector<float> without_;
};

}  // namespace lava::test
