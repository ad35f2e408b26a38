#include "engine/io/safetensors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "tests/engine/io/files.h"

namespace lava::io {
namespace {

using test::fixture;
using test::Folder;

std::string made(std::string_view header, size_t data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + std::string(header) + std::string(data, 'x');
}

std::string message(const Folder& folder, std::string_view content) {
  const auto model = Safetensors::open(folder.write("made.safetensors", content));
  return model ? "opened" : model.error().message();
}

void expect(const std::string& message, const std::string& part) { EXPECT_NE(message.find(part), std::string::npos) << message; }

TEST(Safetensors, ReadsWhatThePackageWrote) {
  const auto model = Safetensors::open(fixture("all-types.safetensors"));
  ASSERT_TRUE(model) << model.error().message();
  const std::vector<std::pair<std::string, DType>> read = {{"float32", DType::f32}, {"float16", DType::f16}, {"bfloat16", DType::bf16},
                                                           {"int32", DType::i32},   {"int8", DType::i8},     {"uint8", DType::u8}};
  for (size_t i = 0; i < read.size(); ++i) {
    const TensorEntry* tensor = (*model)->find(fmt::format("t.{}", read[i].first));
    ASSERT_NE(tensor, nullptr) << read[i].first;
    EXPECT_EQ(tensor->dtype, read[i].second);
    EXPECT_EQ(tensor->shape, (std::vector<int64_t>{static_cast<int64_t>(i) + 1, 3}));
    EXPECT_TRUE(test::follows_pattern(tensor->bytes, i));
  }
  EXPECT_EQ((*model)->find("scalar")->elements(), 1);
  EXPECT_EQ((*model)->find("nothing")->bytes.size(), 0u);
  EXPECT_EQ((*model)->metadata().at("note"), "grüße");
}

TEST(Safetensors, FormatsThatAreNotReadAreListed) {
  const auto model = Safetensors::open(fixture("all-types.safetensors"));
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->unread().size(), 4u);
  EXPECT_EQ((*model)->find("t.int64"), nullptr);
  expect((*model)->why_absent("t.int64"), "I64");
  expect((*model)->why_absent("t.float8_e4m3fn"), "F8_E4M3");
  EXPECT_EQ((*model)->why_absent("other"), "");
}

TEST(Safetensors, ShardsOfAFolder) {
  for (const char* name : {"sharded", "sharded/model.safetensors.index.json"}) {
    const auto model = Safetensors::open(fixture(name));
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_EQ((*model)->tensors().size(), 6u);
    EXPECT_EQ((*model)->files().size(), 3u);
    for (size_t i = 0; i < 6; ++i) EXPECT_TRUE(test::follows_pattern((*model)->find(fmt::format("t{}", i))->bytes, i));
  }
}

TEST(Safetensors, EveryTinyModelOpens) {
  int folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(LAVA_SOURCE_DIR) / "tests/fixtures/transformers")) {
    if (!entry.is_directory()) continue;
    const auto model = Safetensors::open(entry.path());
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_GT((*model)->tensors().size(), 10u);
    ++folders;
  }
  EXPECT_EQ(folders, 11);
}

TEST(Safetensors, IndexesThatLeadAway) {
  const Folder folder;
  for (const char* name :
       {"../model.safetensors", "/etc/passwd", "a/b.safetensors", "C:x", "..", "x\\\\y", "x\\u0000y", "con", "x.", "x\\u202eexe"}) {
    folder.write("model.safetensors.index.json", fmt::format(R"({{"weight_map":{{"t":"{}"}}}})", name));
    const auto model = Safetensors::open(folder.path());
    ASSERT_FALSE(model);
    expect(model.error().message(), "not a plain file name");
  }
  folder.write("model.safetensors.index.json", R"({"weight_map":{"t":"absent.safetensors"}})");
  expect(Safetensors::open(folder.path()).error().message(), "absent.safetensors");
  folder.write("model.safetensors.index.json", R"({"weight_map":{"t":"a.safetensors"}})");
  folder.write("a.safetensors", made(R"({"u":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4));
  expect(Safetensors::open(folder.path()).error().message(), "do not belong together");
  folder.write("model.safetensors.index.json", "{}");
  expect(Safetensors::open(folder.path()).error().message(), "weight_map");
}

TEST(Safetensors, FoldersWithoutWeights) {
  const Folder folder;
  expect(Safetensors::open(folder.path()).error().message(), "no weights");
  folder.write("model.gguf", "GGUF");
  expect(Safetensors::open(folder.path()).error().message(), "GGUF");
  folder.write("pytorch_model.bin", "PK");
  const auto error = Safetensors::open(folder.path()).error();
  EXPECT_EQ(error.kind, Error::Kind::unsupported);
  expect(error.message(), "pickle");
  expect(error.remedy, "safe_serialization");
}

TEST(Safetensors, HeaderRules) {
  const Folder folder;
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   )", 8)), "opened");
  expect(message(folder, made("{}", 0)), "opened");
  expect(message(folder, "short"), "too short");
  expect(message(folder, made("[]", 0)), "no header");
  expect(message(folder, made("{", 0)), "too short");
  expect(message(folder, made("{{", 8)), "not valid JSON");
  expect(message(folder, made(R"({"t":1})", 8)), "incomplete");
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[2]}})", 8)), "incomplete");
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}})", 9)), "do not agree");
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8)), "do not agree");
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8)), "impossible shape");
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8)), "impossible shape");
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}})", 8)),
         "do not agree");
  expect(message(folder, made(R"({"t":{"dtype":"Q7","shape":[2],"data_offsets":[0,8]}})", 8)), "unknown format");
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7)), "ends early");
  expect(message(folder, made(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,18446744073709551615]}})", 8)),
         "do not agree");
  expect(
      message(folder,
              made(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12)),
      "overlaps");
  expect(message(folder,
                 made(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2)),
         "stands twice");
  expect(message(folder, made(R"({"__metadata__":{"a":1}})", 0)), "__metadata__");
  expect(message(folder, made(R"({"t":[[[[[[1]]]]]]})", 0)), "nested too deeply");
  std::string huge = made("{}", 0);
  huge[7] = 0x7F;
  expect(message(folder, huge), "header of");
}

void open_and_walk(const std::filesystem::path& path) {
  const auto model = Safetensors::open(path);
  if (!model) {
    EXPECT_FALSE(model.error().what.empty());
    return;
  }
  for (const TensorEntry& tensor : (*model)->tensors()) test::walk(tensor.bytes);
}

TEST(Safetensors, SurvivesTruncation) {
  const Folder folder;
  const std::string whole = test::bytes_of(fixture("all-types.safetensors"));
  for (size_t i = 0; i < 500; ++i) {
    const size_t size = i * whole.size() / 500;
    EXPECT_FALSE(Safetensors::open(folder.write("cut.safetensors", std::string_view(whole).substr(0, size)))) << size;
  }
}

TEST(Safetensors, SurvivesFlippedBytes) {
  const Folder folder;
  const std::string whole = test::bytes_of(fixture("all-types.safetensors"));
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    std::string bad = whole;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips)
      bad[random() % whole.size()] ^= static_cast<char>(1u << random() % 8);
    open_and_walk(folder.write("flip.safetensors", bad));
  }
}

}  // namespace
}  // namespace lava::io
