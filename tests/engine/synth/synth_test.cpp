// Files of random weights: what other parts of the engine read from them.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <fstream>

#include "engine/core/open_vision.h"
#include "engine/io/gguf.h"
#include "engine/io/new_file.h"
#include "engine/synth/random_values.h"
#include "engine/synth/write.h"
#include "engine/text/gguf_vocabulary.h"
#include "kernels/formats/formats.h"
#include "tests/support/engine/files.h"
#include "tests/support/engine/tiny_text.h"

namespace lava::synth {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

TextShape tiny_llama() {
  TextShape shape;
  TextConfig& c = shape.config;
  c.family = "llama";
  c.width = 256, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 64, c.feed_forward = 512, c.vocabulary = 700, c.context = 512;
  return shape;
}

TextShape tiny_qwen() {
  TextShape shape = tiny_llama();
  shape.config.family = "qwen2", shape.config.qkv_bias = true;
  shape.tied = true, shape.vocabulary = Vocabulary::byte_pairs, shape.split = "qwen2";
  return shape;
}

VisionShape tiny_clip() {
  VisionShape shape;
  VitConfig& c = shape.tower;
  c.kind = "clip", c.width = 256, c.mlp = 512, c.layers = 2, c.heads = 4, c.image = 56, c.patch = 14;
  c.class_row = c.pre_norm = true, c.drop_first = true;
  shape.text_width = 256;
  return shape;
}

VisionShape tiny_siglip() {
  VisionShape shape = tiny_clip();
  VitConfig& c = shape.tower;
  c.kind = "siglip", c.activation = Activation::gelu_tanh, c.class_row = c.pre_norm = c.drop_first = false, c.patch_bias = true;
  c.mlp = 520;  // as in So400m: rows that no block of a quantised format fits
  return shape;
}

Order order(std::variant<TextShape, VisionShape> shape, const char* format, uint64_t seed = 1) {
  return {std::move(shape), "Tiny", *find_format(format), seed};
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool all_finite(std::span<const float> values) {
  for (const float value : values)
    if (!std::isfinite(value)) return false;
  return true;
}

void expect_generates(const fs::path& path, Precision precision) {
  auto model = test::load_tiny_text(path, {.precision = precision, .context = 400, .threads = 1});
  ASSERT_TRUE(model) << model.error().message();
  auto runner = TextRunner::create(*model->device, *model->decoder, {}, {.slots = 1});
  ASSERT_TRUE(runner);
  ASSERT_TRUE((*runner)->prefill(test::prompt_of({1, 300, 400, 500}), {}));
  const std::vector<int32_t> ids = test::greedy_steps(**runner, 300);
  EXPECT_TRUE(all_finite((*runner)->logits()));
  float low = HUGE_VALF, high = -HUGE_VALF;
  for (const float logit : (*runner)->logits()) low = std::min(low, logit), high = std::max(high, logit);
  EXPECT_GT(high - low, 1);   // not all the same
  EXPECT_LT(high - low, 100);
}

TEST(Synth, EveryFormatOfALanguageModelGeneratesFiniteLogits) {
  const TemporaryFolder folder;
  for (const FileFormat& format : file_formats()) {
    for (const auto& [name, shape] : {std::pair{"llama", tiny_llama()}, {"qwen", tiny_qwen()}}) {
      SCOPED_TRACE(fmt::format("{} {}", name, format.name));
      const fs::path path = folder / fmt::format("{}-{}.gguf", name, format.name);
      const auto written = write_model(order(shape, std::string(format.name).c_str()), path);
      ASSERT_TRUE(written) << written.error().message();
      EXPECT_EQ(written->bytes, fs::file_size(path));
      EXPECT_FALSE(fs::exists(io::NewFile::unfinished(path)));
      const auto file = io::Gguf::open(path);
      ASSERT_TRUE(file) << file.error().message();
      EXPECT_EQ((*file)->find("blk.0.attn_q.weight")->dtype, format.base);
      EXPECT_EQ((*file)->find("output_norm.weight")->dtype, DType::f32);
      EXPECT_EQ((*file)->find("output.weight") == nullptr, shape.tied);
      for (const Precision precision : {Precision::exact, Precision::fast}) expect_generates(path, precision);
    }
  }
}

TEST(Synth, VocabulariesReadEveryText) {
  const TemporaryFolder folder;
  for (const TextShape& shape : {tiny_llama(), tiny_qwen()}) {
    const fs::path path = folder / "model.gguf";
    ASSERT_TRUE(write_model(order(shape, "q8_0"), path));
    const auto tokenizer = text::load_tokenizer(path);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message();
    EXPECT_EQ((*tokenizer)->size(), shape.config.vocabulary);
    for (const std::string text : {"What is in this picture?", "\xC3\xBC\xE6\xBC\xA2\n\t0123"}) {
      const auto ids = (*tokenizer)->encode(text);
      ASSERT_TRUE(ids) << ids.error().message();
      EXPECT_GT(ids->size(), 3u);
      EXPECT_EQ((*tokenizer)->decode(*ids), text);
    }
  }
}

TEST(Synth, EveryFormatOfATowerEncodesAPicture) {
  const TemporaryFolder folder;
  const auto device = make_cpu_device({.threads = 1, .pin = false});
  ASSERT_TRUE(device);
  const media::Picture picture = media::blank_picture({80, 56}, 200, 90, 10);
  for (const FileFormat& format : file_formats()) {
    for (const VisionShape& shape : {tiny_clip(), tiny_siglip()}) {
      SCOPED_TRACE(fmt::format("{} {}", shape.tower.kind, format.name));
      const fs::path path = folder / "mmproj-tiny.gguf";
      const auto written = write_model(order(shape, std::string(format.name).c_str()), path);
      ASSERT_TRUE(written) << written.error().message();
      VisionOptions options;
      options.text_width = 256, options.precision = Precision::fast;
      const auto part = open_vision_gguf(**device, path, options);
      ASSERT_TRUE(part) << part.error().message();
      const auto need = part->arena_bytes();
      ASSERT_TRUE(need);
      auto memory = (*device)->allocate(*need);
      ASSERT_TRUE(memory);
      Arena arena((*memory)->data(), *need);
      lava::Run run{**device, arena};
      const auto rows = part->encode(run, picture, 1, {});
      ASSERT_TRUE(rows) << rows.error().message();
      EXPECT_EQ(rows->info.size(), 16u);
      EXPECT_TRUE(all_finite(rows->rows));
    }
  }
}

TEST(Synth, TheSeedDecidesEveryByte) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_model(order(tiny_llama(), "q4_k", 7), folder / "a.gguf"));
  ASSERT_TRUE(write_model(order(tiny_llama(), "q4_k", 7), folder / "b.gguf"));
  ASSERT_TRUE(write_model(order(tiny_llama(), "q4_k", 8), folder / "c.gguf"));
  EXPECT_EQ(bytes_of(folder / "a.gguf"), bytes_of(folder / "b.gguf"));
  EXPECT_NE(bytes_of(folder / "a.gguf"), bytes_of(folder / "c.gguf"));
}

TEST(Synth, ValuesHaveTheDeviationThatWasAsked) {
  for (int i = 0; i < dtype_count; ++i) {
    const auto format = static_cast<DType>(i);
    if (!is_weight_format(format)) continue;
    SCOPED_TRACE(dtype_info(format).name);
    constexpr int64_t count = 1 << 16;
    std::vector<std::byte> bytes(row_bytes(format, count));
    RandomValues(format, 0.03, 0, 5).fill(bytes);
    std::vector<float> values(count);
    dequantize_row(format, bytes.data(), values.data(), count);
    double sum = 0, square = 0;
    for (const float value : values) {
      ASSERT_TRUE(std::isfinite(value));
      sum += value, square += double{value} * value;
    }
    EXPECT_NEAR(std::sqrt(square / count), 0.03, 0.0015);
    EXPECT_NEAR(sum / count, 0, 0.001);
  }
}

TEST(Synth, EveryShapeHasAPlanInEveryFormat) {
  for (const Shape& shape : shapes()) {
    ASSERT_NE(shape.text.has_value(), shape.vision.has_value()) << shape.name;
    if (!shape.partner.empty()) {
      EXPECT_TRUE((*find_shape(shape.partner))->vision) << shape.name;
    }
    for (const char* name : {"q4_0", "q4_k", "bf16"}) {
      const FileFormat format = *find_format(name);
      const auto plan = shape.text ? plan_text(*shape.text, format, shape.title) : plan_vision(*shape.vision, format, shape.title);
      ASSERT_TRUE(plan) << shape.name << ": " << plan.error().message();
      EXPECT_EQ(plan->values.size(), plan->header.tensors().size());
    }
  }
}

// Sizes of published files of these models.
TEST(Synth, SizesAreThoseOfPublishedFiles) {
  const auto megabytes = [](const char* shape, const char* format) {
    const auto plan = plan_text(*(*find_shape(shape))->text, *find_format(format), "t");
    return static_cast<double>(plan->header.data_bytes() + plan->header.bytes().size()) / 1e6;
  };
  EXPECT_NEAR(megabytes("llava-1.5-7b", "q4_0"), 3826, 20);
  EXPECT_NEAR(megabytes("llava-1.5-7b", "q4_k"), 4081, 20);
  EXPECT_NEAR(megabytes("tinyllama-1.1b", "q4_0"), 638, 5);
  EXPECT_NEAR(megabytes("tinyllama-1.1b", "q8_0"), 1170, 5);
}

TEST(Synth, WhatDoesNotExistIsRefusedWithWhatDoes) {
  const auto shape = find_shape("gpt-9");
  ASSERT_FALSE(shape);
  EXPECT_NE(shape.error().message().find("tinyllama-1.1b"), std::string::npos);
  const auto format = find_format("q3_k");
  ASSERT_FALSE(format);
  EXPECT_NE(format.error().message().find("q4_k_s"), std::string::npos);
}

TEST(Synth, SizesThatMakeNoModelAreRefused) {
  TextShape text = tiny_llama();
  text.config.kv_heads = 3;
  EXPECT_FALSE(plan_text(text, *find_format("f16"), ""));
  text = tiny_llama();
  text.config.vocabulary = 100;
  EXPECT_FALSE(plan_text(text, *find_format("f16"), ""));
  VisionShape vision = tiny_clip();
  vision.tower.heads = 7;
  EXPECT_FALSE(plan_vision(vision, *find_format("f16"), ""));
}

TEST(NewFile, AFailedWriteLeavesNothingAndKeepsWhatWasThere) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.gguf";
  test::write_text(path, "old");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 100'000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const auto written = write_model(order(tiny_llama(), "q8_0"), path);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_FALSE(fs::exists(io::NewFile::unfinished(path)));
  EXPECT_EQ(bytes_of(path), "old");
}

TEST(NewFile, ADiskWithoutRoomIsToldBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  const auto file = io::NewFile::create(folder / "huge.gguf", uint64_t{1} << 60);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message().find("not enough room"), std::string::npos) << file.error().message();
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(NewFile, PlacesThatCannotBeWrittenAreSentences) {
  const TemporaryFolder folder;
  for (const fs::path& path : {folder / "no/such/folder.gguf", folder.path(), fs::path("/dev/null")}) {
    const auto file = io::NewFile::create(path, 10);
    ASSERT_FALSE(file) << path;
    EXPECT_FALSE(file.error().what.empty());
  }
}

TEST(NewFile, WhatACrashLeftIsTakenOverWhatIsInUseIsNot) {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.gguf", part = io::NewFile::unfinished(path);
  test::write_text(part, "left behind by a crash, and longer");
  const int other = ::open(part.c_str(), O_WRONLY);
  ASSERT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0);
  const auto refused = io::NewFile::create(path, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::busy);
  EXPECT_TRUE(fs::exists(part));
  ::close(other);
  auto file = io::NewFile::create(path, 4);
  ASSERT_TRUE(file) << file.error().message();
  const std::string text = "four";
  ASSERT_TRUE(file->write(std::as_bytes(std::span(text))));
  ASSERT_TRUE(file->finish());
  EXPECT_EQ(bytes_of(path), "four");
  EXPECT_FALSE(fs::exists(part));
}

}  // namespace
}  // namespace lava::synth
