#include "engine/io/inspect.h"

#include <gtest/gtest.h>

#include "tests/engine/io/files.h"

namespace lava::io {
namespace {

std::filesystem::path shared(const char* name) { return std::filesystem::path(LAVA_SOURCE_DIR) / name; }

TEST(Inspect, AVisionLanguageFolder) {
  const auto facts = inspect_model(shared("tests/fixtures/transformers/llava_next"));
  ASSERT_TRUE(facts) << facts.error().message();
  EXPECT_EQ((*facts)["kind"], "vision-language model");
  EXPECT_EQ((*facts)["architecture"], "llava_next");
  EXPECT_EQ((*facts)["shape"]["layers"], 3);
  EXPECT_EQ((*facts)["shape"]["kv_heads"], 2);
  // 3 layers, 2 heads of 16, keys and values of 2 bytes, 4096 rows.
  EXPECT_EQ((*facts)["memory"]["kv_bytes"], 3 * 2 * 16 * 2 * 2 * 4096);
  EXPECT_EQ((*facts)["memory"]["total_bytes"].get<uint64_t>(),
            (*facts)["memory"]["weight_bytes"].get<uint64_t>() + 3 * 2 * 16 * 2 * 2 * 4096);
  for (const char* part : {"language model", "vision tower", "projector"})
    EXPECT_GT((*facts)["parts"][part]["bytes"].get<int>(), 0) << part;
  const auto shorter = inspect_model(shared("tests/fixtures/transformers/llava_next"), 100);
  EXPECT_EQ((*shorter)["memory"]["kv_bytes"], 3 * 2 * 16 * 2 * 2 * 100);
}

TEST(Inspect, GgufFiles) {
  const auto vocabulary = inspect_model(shared("tests/fixtures/tokenizers/llama-spm-vocab.gguf"));
  ASSERT_TRUE(vocabulary) << vocabulary.error().message();
  EXPECT_EQ((*vocabulary)["kind"], "vocabulary without weights");
  EXPECT_EQ((*vocabulary)["metadata"]["tokenizer.ggml.tokens"]["elements"], 32000);
  EXPECT_EQ((*vocabulary)["metadata"]["tokenizer.ggml.tokens"]["first"][1], "<s>");
  EXPECT_EQ((*vocabulary)["shape"]["vocabulary"], 32000);
  EXPECT_FALSE((*vocabulary)["memory"].contains("kv_bytes"));
  const auto model = inspect_model(test::fixture("all-types.gguf"));
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)["kind"], "language model");
  EXPECT_EQ((*model)["formats"].size(), 13u);
  EXPECT_EQ((*model)["formats"]["Q4_K"]["tensors"], 4);
  EXPECT_EQ((*model)["formats"]["Q4_K"]["parameters"], 256 * (2 + 3 + 6 + 6));
  EXPECT_EQ((*model)["formats"]["Q4_K"]["bytes"], 144 * (2 + 3 + 6 + 6));
}

TEST(Inspect, ProjectorFile) {
  const auto facts = inspect_model(test::fixture("mmproj.gguf"));
  ASSERT_TRUE(facts) << facts.error().message();
  EXPECT_EQ((*facts)["kind"], "projector file of a vision-language model");
  EXPECT_EQ((*facts)["shape"]["image_size"], 56);
  EXPECT_EQ((*facts)["shape"]["layers"], 2);
  EXPECT_EQ((*facts)["parts"]["vision tower"]["bytes"], 32);
  EXPECT_EQ((*facts)["parts"]["projector"]["bytes"], 256);
  EXPECT_FALSE((*facts)["memory"].contains("kv_bytes"));
}

TEST(Inspect, SafetensorsAndAdapters) {
  const auto alone = inspect_model(test::fixture("all-types.safetensors"));
  ASSERT_TRUE(alone) << alone.error().message();
  EXPECT_EQ((*alone)["kind"], "weights without a configuration");
  EXPECT_EQ((*alone)["unread"]["I64"]["tensors"], 1);
  const test::Folder folder;
  std::filesystem::copy_file(test::fixture("all-types.safetensors"), folder / "adapter_model.safetensors");
  folder.write("adapter_config.json", R"({"r":16,"lora_alpha":32,"target_modules":["q_proj"],"base_model_name_or_path":"x"})");
  const auto adapter = inspect_model(folder.path());
  ASSERT_TRUE(adapter) << adapter.error().message();
  EXPECT_EQ((*adapter)["kind"], "LoRA adapter");
  EXPECT_EQ((*adapter)["adapter"]["rank"], 16);
  EXPECT_EQ((*adapter)["adapter"]["targets"][0], "q_proj");
}

TEST(Inspect, Errors) {
  const test::Folder folder;
  EXPECT_FALSE(inspect_model(folder / "absent"));
  EXPECT_FALSE(inspect_model(folder.path()));
  EXPECT_FALSE(inspect_model(folder.write("text", "nothing of a model")));
  // Sizes that do not fit are left out.
  std::filesystem::copy_file(test::fixture("all-types.safetensors"), folder / "model.safetensors");
  folder.write("config.json",
               R"({"num_hidden_layers":4294967296,"hidden_size":4294967296,"num_attention_heads":1,"max_position_embeddings":4294967296})");
  const auto facts = inspect_model(folder.path());
  ASSERT_TRUE(facts);
  EXPECT_FALSE((*facts)["memory"].contains("kv_bytes"));
}

}  // namespace
}  // namespace lava::io
