// Adapter folders that do not fit, and weights that do not fit: a sentence each time.
#include <gtest/gtest.h>

#include "engine/adapters/lora.h"
#include "tests/support/engine/files.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/tiny_text.h"

namespace lava::test {
namespace {

class AdapterFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    auto tiny = load_tiny_text(fixture("text_models/llama_formats/model.gguf"));
    ASSERT_TRUE(tiny) << tiny.error().message();
    tiny_ = std::move(*tiny);
  }
  Result<std::unique_ptr<Adapter>> load(const TensorShapes& tensors, nlohmann::json config = {{"r", 4}, {"lora_alpha", 8}}) {
    write_text(folder_ / "adapter_config.json", config.dump());
    write_safetensors(folder_ / "adapter_model.safetensors", tensors);
    return load_peft_folder(folder_.path(), tiny_.decoder->config(), *tiny_.weights);
  }
  static TensorShapes pair(const std::string& prefix, int64_t rank = 4, int64_t in = 64, int64_t out = 64) {
    return {{prefix + ".lora_A.weight", {rank, in}}, {prefix + ".lora_B.weight", {out, rank}}};
  }

  TemporaryFolder folder_;
  TinyText tiny_;
};

TEST_F(AdapterFiles, EverySpellingOfNames) {
  for (const char* prefix :
       {"base_model.model.model.layers.1.self_attn.q_proj", "base_model.model.language_model.model.layers.1.self_attn.q_proj",
        "base_model.model.model.language_model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.q_proj"}) {
    const auto adapter = load(pair(prefix));
    ASSERT_TRUE(adapter) << adapter.error().message();
    EXPECT_TRUE((*adapter)->covers(1, LinearRole::q));
    EXPECT_FALSE((*adapter)->covers(0, LinearRole::q));
    EXPECT_FALSE((*adapter)->covers(1, LinearRole::k));
    EXPECT_EQ((*adapter)->name(), folder_.path().filename());
  }
}

TEST_F(AdapterFiles, RankRootScalesBySquareRoot) {
  const std::string name = "base_model.model.model.layers.0.mlp.down_proj";
  const TensorShapes tensors = pair(name, 4, 96, 64);
  const auto logit = [&](const nlohmann::json& config) {
    const auto adapter = load(tensors, config);
    EXPECT_TRUE(adapter) << adapter.error().message();
    const Adapter* active[] = {adapter->get()};
    auto runner = TextRunner::create(*tiny_.device, *tiny_.decoder, active, {.slots = 1, .kv = DType::f32});
    EXPECT_TRUE((*runner)->prefill(prompt_of({1, 2, 3}), active));
    return (*runner)->logits()[0];
  };
  EXPECT_FLOAT_EQ(logit({{"r", 4}, {"lora_alpha", 20}, {"use_rslora", true}}), logit({{"r", 4}, {"lora_alpha", 40}}));
  EXPECT_NE(logit({{"r", 4}, {"lora_alpha", 20}}), logit({{"r", 4}, {"lora_alpha", 40}}));
}

TEST_F(AdapterFiles, WhatDoesNotFitIsRefused) {
  const std::string q = "base_model.model.model.layers.0.self_attn.q_proj";
  const auto refused = [&](const TensorShapes& tensors, const std::string& part, nlohmann::json config = {{"r", 4}, {"lora_alpha", 8}}) {
    const auto adapter = load(tensors, std::move(config));
    ASSERT_FALSE(adapter) << part;
    EXPECT_NE(adapter.error().message().find(part), std::string::npos) << adapter.error().message();
  };
  refused(pair(q, 4, 63), "63");
  refused(pair(q, 4, 64, 65), "65");
  refused(pair(q, 5), "rank");
  refused(pair("base_model.model.model.layers.2.self_attn.q_proj"), "beyond");
  refused(pair("base_model.model.model.layers.99999999999999999999.self_attn.q_proj"), "cannot be adapted");
  refused(pair("base_model.model.lm_head"), "cannot be adapted");
  refused(pair("base_model.model.vision_tower.encoder.layers.0.self_attn.q_proj"), "cannot be adapted");
  refused({pair(q)[0]}, "do not belong together");
  refused({{"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", {4, 4, 16}}}, "no matrix");
  refused(pair(q), "DoRA", {{"r", 4}, {"lora_alpha", 8}, {"peft_type", "DoRA"}});
  refused(pair(q), "use_dora", {{"r", 4}, {"lora_alpha", 8}, {"use_dora", true}});
  refused(pair(q), "modules_to_save", {{"r", 4}, {"lora_alpha", 8}, {"modules_to_save", {"lm_head"}}});
  refused(pair(q), "r", {{"r", -4}, {"lora_alpha", 8}});
  refused(pair(q), "lora_alpha", {{"r", 4}, {"lora_alpha", "much"}});
  refused(pair(q), "r", {{"lora_alpha", 8}});
}

TEST_F(AdapterFiles, MissingFilesAndWeights) {
  EXPECT_FALSE(load_peft_folder("/nowhere/at/all", tiny_.decoder->config(), *tiny_.weights));
  TemporaryFolder model;
  write_text(
      model / "config.json",
      R"({"model_type":"llama","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16,"vocab_size":10})");
  const auto message = [&](const TensorShapes& tensors) {
    write_safetensors(model / "model.safetensors", tensors);
    const auto tiny = load_tiny_text(model.path());
    return tiny ? std::string() : tiny.error().message();
  };
  EXPECT_NE(message({{"other", {2}}}).find("no embedding table"), std::string::npos);
  EXPECT_NE(message({{"model.embed_tokens.weight", {10, 8}}}).find("model.norm.weight"), std::string::npos);
  EXPECT_NE(message({{"model.embed_tokens.weight", {11, 8}}}).find("[11, 8], expected [10, 8]"), std::string::npos);
  EXPECT_NE(message({{"model.embed_tokens.weight", {10, 8}}, {"model.norm.weight", {9}}}).find("[9], expected [8]"), std::string::npos);
}

}  // namespace
}  // namespace lava::test
