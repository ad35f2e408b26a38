// Configurations of language models: dialects, defaults, and hostile numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "engine/models/text_config.h"
#include "tests/support/engine/goldens.h"

namespace lava::test {
namespace {

using nlohmann::json;

json small() {
  return {{"model_type", "llama"},    {"hidden_size", 64},        {"num_hidden_layers", 2}, {"num_attention_heads", 4},
          {"num_key_value_heads", 4}, {"intermediate_size", 128}, {"vocab_size", 100}};
}

TEST(TextConfig, ClassDefaultsFillWhatPublishedFilesLeaveOut) {
  const auto vicuna = read_hf_text_config(
      {{"model_type", "llava"}, {"text_config", {{"model_type", "llama"}, {"rms_norm_eps", 1e-5}, {"vocab_size", 32064}}}});
  ASSERT_TRUE(vicuna) << vicuna.error().message();
  EXPECT_EQ(vicuna->width, 4096);
  EXPECT_EQ(vicuna->layers, 32);
  EXPECT_EQ(vicuna->kv_heads, 32);
  EXPECT_EQ(vicuna->feed_forward, 11008);
  EXPECT_EQ(vicuna->vocabulary, 32064);
  EXPECT_FLOAT_EQ(vicuna->eps, 1e-5f);
  EXPECT_EQ(vicuna->rope_base, 1e4);
  EXPECT_FALSE(vicuna->qkv_bias);
  EXPECT_FLOAT_EQ(read_hf_text_config({{"model_type", "llava"}, {"text_config", json::object()}})->eps, 1e-6f);

  const auto mistral = read_hf_text_config(
      {{"model_type", "llava_next"}, {"text_config", {{"model_type", "mistral"}, {"rope_theta", 1e6}, {"sliding_window", nullptr}}}});
  ASSERT_TRUE(mistral);
  EXPECT_EQ(mistral->kv_heads, 8);
  EXPECT_EQ(mistral->feed_forward, 14336);
  EXPECT_EQ(mistral->context, 131072);
  EXPECT_EQ(mistral->rope_base, 1e6);

  const auto qwen = read_hf_text_config({{"model_type", "llava_onevision"}, {"text_config", json::object()}});
  ASSERT_TRUE(qwen);
  EXPECT_EQ(qwen->family, "qwen2");
  EXPECT_TRUE(qwen->qkv_bias);
  EXPECT_FALSE(qwen->o_bias);
}

TEST(TextConfig, OriginalLayoutKeepsTheTextKeysOutside) {
  for (const auto& [architecture, family] :
       {std::pair("LlavaLlamaForCausalLM", "llama"), {"LlavaMistralForCausalLM", "mistral"}, {"LlavaQwenForCausalLM", "qwen2"}}) {
    json config = small();
    config["model_type"] = "llava";
    config["architectures"] = {architecture};
    const auto read = read_hf_text_config(config);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->family, family);
    EXPECT_EQ(read->width, 64);
  }
  json config = small();
  config["model_type"] = "llava_mistral";
  EXPECT_EQ(read_hf_text_config(config)->family, "mistral");
}

TEST(TextConfig, BothDialectsOfRope) {
  json older = small(), newer = small();
  older["rope_theta"] = 5e5;
  older["rope_scaling"] = {{"rope_type", "llama3"},
                           {"factor", 8.0},
                           {"low_freq_factor", 1.0},
                           {"high_freq_factor", 4.0},
                           {"original_max_position_embeddings", 64}};
  newer["rope_parameters"] = older["rope_scaling"];
  newer["rope_parameters"]["rope_theta"] = 5e5;
  const auto a = read_hf_text_config(older), b = read_hf_text_config(newer);
  ASSERT_TRUE(a && b);
  std::vector<float> table_a(50 * 16), table_b(50 * 16);
  fill_rope_table(*a, 50, table_a.data());
  fill_rope_table(*b, 50, table_b.data());
  EXPECT_EQ(table_a, table_b);
  EXPECT_EQ(a->scaling.kind, RopeScaling::Kind::llama3);
  json linear = small();
  linear["rope_scaling"] = {{"type", "linear"}, {"factor", 2}};
  EXPECT_EQ(read_hf_text_config(linear)->scaling.factor, 2);
}

TEST(TextConfig, RopeTableHasCosinesThenSines) {
  TextConfig config{.heads = 1, .kv_heads = 1, .head_dim = 8, .rope_base = 100};
  std::vector<float> table(5 * 8);
  fill_rope_table(config, 5, table.data());
  for (int position = 0; position < 5; ++position) {
    for (int i = 0; i < 4; ++i) {
      const double angle = position * std::pow(100.0, -i / 4.0);
      EXPECT_NEAR(table[static_cast<size_t>(position * 8 + i)], std::cos(angle), 1e-6);
      EXPECT_NEAR(table[static_cast<size_t>(position * 8 + 4 + i)], std::sin(angle), 1e-6);
    }
  }
}

TEST(TextConfig, UnknownModelsAreNamed) {
  const auto gemma = read_hf_text_config({{"model_type", "gemma3"}});
  ASSERT_FALSE(gemma);
  EXPECT_NE(gemma.error().message().find("gemma3"), std::string::npos);
  EXPECT_NE(gemma.error().message().find("Qwen2"), std::string::npos);
  for (const char* type : {"yarn", "dynamic", "longrope", "mrope"}) {
    json config = small();
    config["rope_scaling"] = {{"rope_type", type}, {"factor", 2}};
    const auto read = read_hf_text_config(config);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message().find(type), std::string::npos);
  }
}

TEST(TextConfig, SlidingWindowsShortenTheContext) {
  json config = small();
  config["model_type"] = "mistral";
  config["max_position_embeddings"] = 32768;
  config["sliding_window"] = 4096;
  EXPECT_EQ(read_hf_text_config(config)->context, 4096);
  config["model_type"] = "qwen2";
  EXPECT_EQ(read_hf_text_config(config)->context, 32768);
  config["use_sliding_window"] = true;
  EXPECT_EQ(read_hf_text_config(config)->context, 4096);
}

// Every key with every kind of wrong value: an error with a sentence, or a harmless configuration; never a crash.
TEST(TextConfig, HostileValues) {
  const std::vector<json> values{-1,
                                 0,
                                 1,
                                 3,
                                 1e300,
                                 -1e300,
                                 1ull << 63,
                                 (1ll << 31),
                                 "64",
                                 true,
                                 json::array({1, 2}),
                                 json::object(),
                                 0.5,
                                 std::numeric_limits<double>::quiet_NaN()};
  const json complete = [] {
    json config = small();
    config.update({{"num_key_value_heads", 2},
                   {"head_dim", 16},
                   {"rms_norm_eps", 1e-5},
                   {"max_position_embeddings", 128},
                   {"rope_theta", 1e4},
                   {"hidden_act", "silu"},
                   {"attention_bias", false},
                   {"mlp_bias", false},
                   {"architectures", {"LlamaForCausalLM"}},
                   {"rope_scaling",
                    {{"rope_type", "llama3"},
                     {"factor", 8.0},
                     {"low_freq_factor", 1.0},
                     {"high_freq_factor", 4.0},
                     {"original_max_position_embeddings", 64}}}});
    return config;
  }();
  ASSERT_TRUE(read_hf_text_config(complete));
  const auto try_it = [](const json& config) {
    const auto read = read_hf_text_config(config);
    if (!read) {
      EXPECT_FALSE(read.error().what.empty());
      return;
    }
    EXPECT_GT(read->width, 0);
    EXPECT_GT(read->head_dim, 0);
    EXPECT_EQ(read->heads % read->kv_heads, 0);
    EXPECT_GT(read->eps, 0);
    EXPECT_TRUE(std::isfinite(read->rope_base) && read->rope_base >= 1);
    EXPECT_GE(read->scaling.factor, 1);
  };
  for (const auto& [key, unused] : complete.items()) {
    for (const json& value : values) {
      json config = complete;
      config[key] = value;
      try_it(config);
    }
  }
  for (const auto& [key, unused] : complete["rope_scaling"].items()) {
    for (const json& value : values) {
      json config = complete;
      config["rope_scaling"][key] = value;
      try_it(config);
    }
  }
  for (const json& value : values) EXPECT_FALSE(read_hf_text_config(value));
  EXPECT_FALSE(read_hf_text_config({{"model_type", "llava"}}));
  EXPECT_FALSE(read_hf_text_config({{"model_type", "llava"}, {"text_config", 5}}));
  EXPECT_FALSE(read_hf_text_config({{"model_type", "llama"}, {"num_attention_heads", 3}}));  // 4096 / 3
  EXPECT_FALSE(read_hf_text_config({{"model_type", "llama"}, {"num_key_value_heads", 5}}));
  EXPECT_FALSE(read_hf_text_config({{"model_type", "llama"}, {"num_key_value_heads", 64}}));
  EXPECT_FALSE(read_hf_text_config({{"model_type", "llama"}, {"head_dim", 33}}));
}

}  // namespace
}  // namespace lava::test
