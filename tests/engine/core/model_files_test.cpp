// Which files a name stands for: manifests, stores, projector files beside models.
#include "engine/core/model_files.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "engine/core/mmproj.h"
#include "tests/support/engine/files.h"
#include "tests/support/engine/goldens.h"

namespace lava::test {
namespace {

namespace fs = std::filesystem;

// Environment variables for one test.
class ModelFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("LAVASCOPE_MODELS", (folder_ / "store").c_str(), 1);
    setenv("LAVASCOPE_DEFAULT_MODEL", (folder_ / "default").c_str(), 1);
  }
  void TearDown() override {
    unsetenv("LAVASCOPE_MODELS");
    unsetenv("LAVASCOPE_DEFAULT_MODEL");
  }
  Result<ModelFiles> with_manifest(const nlohmann::json& manifest) {
    write_text(folder_ / "default/model.json", manifest.dump());
    return find_model_files({});
  }
  TemporaryFolder folder_;
};

TEST_F(ModelFilesTest, TheDefaultModelFindsItsBaseInTheStore) {
  const nlohmann::json manifest = {
      {"name", "Small"},      {"text", {{"gguf", "base/base.gguf"}}},
      {"compute", "float32"}, {"grounding", "marks"},
      {"chat", "chatml"},     {"adapters", {{{"path", "lora.safetensors"}, {"alpha", 32}, {"when", "picture"}}}}};
  const auto missing = with_manifest(manifest);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, Error::Kind::not_found);
  EXPECT_NE(missing.error().cause.find((folder_ / "store/base/base.gguf").string()), std::string::npos);
  EXPECT_NE(missing.error().remedy.find("lavascope-cli models get smollm2"), std::string::npos);

  write_text(folder_ / "store/base/base.gguf", "x");
  const auto files = with_manifest(manifest);
  ASSERT_TRUE(files) << files.error().message();
  EXPECT_EQ(files->text, folder_ / "store/base/base.gguf");
  EXPECT_EQ(files->name, "Small");
  EXPECT_TRUE(files->exact && files->gguf);
  EXPECT_EQ(files->grounding, "marks");
  ASSERT_EQ(files->adapters.size(), 1u);
  EXPECT_TRUE(files->adapters[0].when_picture);
  EXPECT_EQ(files->adapters[0].name, "lora");
  EXPECT_EQ(files->adapters[0].path, folder_ / "default/lora.safetensors");
}

TEST_F(ModelFilesTest, ManifestsThatReachOutsideOrMakeNoSense) {
  write_text(folder_ / "secret.gguf", "x");
  for (const char* path : {"../secret.gguf", "/etc/passwd", "", ".", "a/../../secret.gguf", "C:\\x.gguf"}) {
    const auto files = with_manifest({{"text", {{"gguf", path}}}});
    ASSERT_FALSE(files) << path;
    EXPECT_EQ(files.error().kind, Error::Kind::invalid) << path;
  }
  write_text(folder_ / "default/base.gguf", "x");
  const nlohmann::json good = {{"text", {{"gguf", "base.gguf"}}}};
  EXPECT_TRUE(with_manifest(good));
  for (const nlohmann::json& extra : std::vector<nlohmann::json>{{{"compute", "int3"}},
                                                                 {{"grounding", "guess"}},
                                                                 {{"adapters", 5}},
                                                                 {{"adapters", {{{"path", "../x"}}}}},
                                                                 {{"adapters", {{{"path", "x"}, {"when", "maybe"}}}}},
                                                                 {{"name", 7}},
                                                                 {{"text", "base.gguf"}},
                                                                 {{"chat", nullptr}}}) {
    nlohmann::json manifest = good;
    manifest.update(extra);
    const auto files = with_manifest(manifest);
    EXPECT_EQ(files.has_value(), extra.contains("chat")) << extra;
  }
  EXPECT_FALSE(with_manifest(nlohmann::json::array()));
  write_text(folder_ / "default/model.json", "{ broken");
  EXPECT_FALSE(find_model_files({}));
}

TEST_F(ModelFilesTest, AChosenDefaultThatIsMissingIsNotReplaced) {
  const auto found = find_model_files({});
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message().find("LAVASCOPE_DEFAULT_MODEL"), std::string::npos) << found.error().message();
  EXPECT_NE(found.error().cause.find((folder_ / "default").string()), std::string::npos);
}

TEST_F(ModelFilesTest, WhatIsNeitherFileNorFolder) {
  const auto found = find_model_files({.model = "/dev/null"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message().find("does not exist"), std::string::npos) << found.error().message();
}

TEST_F(ModelFilesTest, FoldersOfGgufFiles) {
  const auto find = [&] { return find_model_files({.model = (folder_ / "models").string()}); };
  write_text(folder_ / "models/mmproj-model-f16.gguf", "x");
  write_text(folder_ / "models/model-imatrix.gguf", "x");
  EXPECT_FALSE(find());
  write_text(folder_ / "models/model-00001-of-00002.gguf", "x");
  write_text(folder_ / "models/model-00002-of-00002.gguf", "x");
  const auto one = find();
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ(one->text.filename(), "model-00001-of-00002.gguf");
  write_text(folder_ / "models/other.gguf", "x");
  const auto two = find();
  ASSERT_FALSE(two);
  EXPECT_NE(two.error().cause.find("2 GGUF models"), std::string::npos);
}

TEST_F(ModelFilesTest, ProjectorsBesideAModel) {
  const fs::path folder = folder_ / "pair";
  write_text(folder / "tiny-Q4_0.gguf", "x");
  fs::copy_file(fixture("mmproj/llava15-legacy.gguf"), folder / "mmproj-tiny-f16.gguf");     // rows of 64
  fs::copy_file(fixture("mmproj/llava_next-q8_0.gguf"), folder / "mmproj-other-q8_0.gguf");  // rows of 96
  EXPECT_EQ(*mmproj_width(folder / "mmproj-tiny-f16.gguf"), 64);
  EXPECT_EQ(find_mmproj(folder / "tiny-Q4_0.gguf", 64).file.filename(), "mmproj-tiny-f16.gguf");
  EXPECT_EQ(find_mmproj(folder / "tiny-Q4_0.gguf", 96).file.filename(), "mmproj-other-q8_0.gguf");
  const MmprojChoice none = find_mmproj(folder / "tiny-Q4_0.gguf", 4096);
  EXPECT_TRUE(none.file.empty());
  EXPECT_NE(none.note.find("4096"), std::string::npos);

  fs::copy_file(folder / "mmproj-tiny-f16.gguf", folder / "mmproj-tiny-Q4_0.gguf");
  EXPECT_EQ(find_mmproj(folder / "tiny-Q4_0.gguf", 64).file.filename(), "mmproj-tiny-Q4_0.gguf");  // the longest common name

  const auto refused = check_mmproj(folder / "mmproj-other-q8_0.gguf", 64);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().cause.find("96 values"), std::string::npos);
  EXPECT_FALSE(check_mmproj(fixture("text_models/llama_formats/model.gguf"), 64));

  fs::create_directories(folder_ / "links");  // a link elsewhere still finds what lies beside the real file
  fs::create_symlink(folder / "tiny-Q4_0.gguf", folder_ / "links/tiny-Q4_0.gguf");
  EXPECT_FALSE(find_mmproj(folder_ / "links/tiny-Q4_0.gguf", 64).file.empty());
}

}  // namespace
}  // namespace lava::test
