#include "engine/io/gguf.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "engine/io/json_file.h"
#include "tests/engine/io/files.h"

namespace lava::io {
namespace {

using test::fixture;
using test::Folder;

std::string part_name(int part) { return fmt::format("split-0000{}-of-00003.gguf", part); }

TEST(Gguf, ReadsWhatTheGgufPackageWrote) {
  const auto model = Gguf::open(fixture("all-types.gguf"));
  ASSERT_TRUE(model) << model.error().message();
  const auto listing = read_json(fixture("all-types.json"));
  ASSERT_TRUE(listing);
  const Gguf& gguf = **model;
  ASSERT_EQ(gguf.tensors().size(), listing->size());
  ASSERT_EQ(gguf.tensors().size(), 13u * 4u);
  for (size_t i = 0; i < listing->size(); ++i) {
    const auto& entry = (*listing)[i];
    const TensorEntry* tensor = gguf.find(entry["name"].get<std::string>());
    ASSERT_NE(tensor, nullptr) << entry;
    EXPECT_EQ(dtype_info(tensor->dtype).name, entry["type"].get<std::string>());
    EXPECT_EQ(tensor->shape, entry["shape"].get<std::vector<int64_t>>());
    const auto info = dtype_info(tensor->dtype);
    EXPECT_EQ(tensor->bytes.size(), static_cast<size_t>(tensor->elements() / info.block * info.bytes));
    EXPECT_TRUE(test::follows_pattern(tensor->bytes, i)) << tensor->name;
  }
  EXPECT_EQ(gguf.architecture(), "llama");
  EXPECT_EQ(gguf.version(), 3u);
  EXPECT_EQ(gguf.find("no such tensor"), nullptr);
}

TEST(Gguf, IntegersOfEveryWidth) {
  const auto model = Gguf::open(fixture("all-types.gguf"));
  ASSERT_TRUE(model);
  const Gguf& gguf = **model;
  EXPECT_EQ(gguf.integer("case.u8"), 250);
  EXPECT_EQ(gguf.integer("case.i8"), -7);
  EXPECT_EQ(gguf.integer("case.u16"), 65000);
  EXPECT_EQ(gguf.integer("case.i16"), -30000);
  EXPECT_EQ(gguf.integer("case.u32"), 4000000000);
  EXPECT_EQ(gguf.integer("case.i32"), -2000000000);
  EXPECT_EQ(gguf.integer("case.u64"), 9007199254740993);
  EXPECT_EQ(gguf.integer("case.i64"), -9007199254740993);
  EXPECT_EQ(gguf.integer("case.u64_huge"), std::nullopt);
  EXPECT_EQ(gguf.integer("case.f32"), std::nullopt);
  EXPECT_EQ(gguf.integer("case.true"), std::nullopt);
  EXPECT_EQ(gguf.integer("absent"), std::nullopt);
}

TEST(Gguf, OtherKindsOfValues) {
  const auto model = Gguf::open(fixture("all-types.gguf"));
  ASSERT_TRUE(model);
  const Gguf& gguf = **model;
  EXPECT_EQ(gguf.real("case.f32"), 0.25);
  EXPECT_EQ(gguf.real("case.f64"), 1e-300);
  EXPECT_EQ(gguf.real("case.i8"), -7.0);
  EXPECT_EQ(gguf.real("case.text"), std::nullopt);
  EXPECT_EQ(gguf.boolean("case.true"), true);
  EXPECT_EQ(gguf.boolean("case.false"), false);
  EXPECT_EQ(gguf.boolean("case.u8"), std::nullopt);
  EXPECT_EQ(gguf.string("case.text"), "grüße ▁ 你好");
  EXPECT_EQ(gguf.string_array("case.texts"), (std::vector<std::string_view>{"a", "", "▁the", "你好"}));
  EXPECT_EQ(gguf.string_array("case.ints"), std::nullopt);
  EXPECT_EQ(gguf.int_array("case.ints"), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(gguf.int_array("case.flags"), (std::vector<int64_t>{1, 0, 1}));
  EXPECT_EQ(gguf.int_array("case.reals"), std::nullopt);
  EXPECT_EQ(gguf.float_array("case.reals"), (std::vector<float>{0.5f, -1.5f}));
  EXPECT_EQ(gguf.float_array("case.ints"), (std::vector<float>{1, -2, 3}));
  EXPECT_EQ(gguf.float_array("case.texts"), std::nullopt);
  EXPECT_EQ(gguf.array_size("case.texts"), 4u);
}

TEST(Gguf, CheckedSettings) {
  const auto model = Gguf::open(fixture("all-types.gguf"));
  ASSERT_TRUE(model);
  const Gguf& gguf = **model;
  EXPECT_EQ(gguf.int_in("case.u8", 0, 255).value(), 250);
  EXPECT_EQ(gguf.int_in("absent", 0, 255, 9).value(), 9);
  EXPECT_NE(gguf.int_in("absent", 0, 255).error().message().find("missing"), std::string::npos);
  EXPECT_NE(gguf.int_in("case.u8", 0, 100, 9).error().message().find("250"), std::string::npos);
  EXPECT_FALSE(gguf.int_in("case.text", 0, 100, 9));
  EXPECT_EQ(gguf.real_in("case.f32", 0, 1).value(), 0.25);
  EXPECT_FALSE(gguf.real_in("case.f32", 1, 2));
}

TEST(Gguf, OpensAVocabularyOfPublishedSize) {
  const auto model = Gguf::open(std::filesystem::path(LAVA_SOURCE_DIR) / "tests/fixtures/tokenizers/llama-spm-vocab.gguf");
  ASSERT_TRUE(model) << model.error().message();
  const auto tokens = (*model)->string_array("tokenizer.ggml.tokens");
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->size(), 32000u);
  EXPECT_EQ((*tokens)[1], "<s>");
  EXPECT_EQ((*model)->float_array("tokenizer.ggml.scores")->size(), 32000u);
  EXPECT_EQ((*model)->int_array("tokenizer.ggml.token_type")->size(), 32000u);
}

TEST(Gguf, AnyPartOpensTheWholeModel) {
  for (int part = 1; part <= 3; ++part) {
    const auto model = Gguf::open(fixture(part_name(part)));
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_EQ((*model)->string("case.text"), "first part");
    ASSERT_EQ((*model)->tensors().size(), 5u);
    for (size_t i = 0; i < 5; ++i) EXPECT_TRUE(test::follows_pattern((*model)->find(fmt::format("t{}", i))->bytes, i));
  }
}

TEST(Gguf, PartsBehindLinks) {
  namespace fs = std::filesystem;
  const Folder folder;
  // A cache keeps the parts under other names and links to them.
  fs::create_directories(folder / "blobs");
  for (int part = 1; part <= 3; ++part) {
    const std::string name = part_name(part);
    fs::copy_file(fixture(name), folder / fmt::format("blobs/{}", part));
    fs::create_symlink(folder / fmt::format("blobs/{}", part), folder / name);
  }
  EXPECT_TRUE(Gguf::open(folder / "split-00002-of-00003.gguf"));
  // A link with a name of its own leads to a part among its siblings.
  fs::create_symlink(fixture("split-00001-of-00003.gguf"), folder / "model.gguf");
  const auto model = Gguf::open(folder / "model.gguf");
  ASSERT_TRUE(model) << model.error().message();
  EXPECT_EQ((*model)->tensors().size(), 5u);
}

TEST(Gguf, PartsThatDoNotFit) {
  namespace fs = std::filesystem;
  const Folder folder;
  fs::copy_file(fixture(part_name(1)), folder / part_name(1));
  fs::copy_file(fixture(part_name(2)), folder / part_name(2));
  EXPECT_NE(Gguf::open(folder / part_name(1)).error().message().find(part_name(3)), std::string::npos);
  fs::copy_file(fixture(part_name(2)), folder / part_name(3));
  EXPECT_NE(Gguf::open(folder / part_name(1)).error().message().find("not the part"), std::string::npos);
  fs::copy_file(fixture(part_name(1)), folder / "alone.gguf");
  EXPECT_NE(Gguf::open(folder / "alone.gguf").error().message().find("one part of a larger model"), std::string::npos);
}

TEST(Gguf, NamesTheFormatThatIsNotRead) {
  const auto model = Gguf::open(fixture("q2k.gguf"));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, Error::Kind::unsupported);
  EXPECT_NE(model.error().message().find("Q2_K"), std::string::npos);
}

TEST(Gguf, PlainErrors) {
  const Folder folder;
  EXPECT_EQ(Gguf::open(folder / "absent.gguf").error().kind, Error::Kind::not_found);
  EXPECT_NE(Gguf::open(folder.path()).error().message().find("folder"), std::string::npos);
  EXPECT_NE(Gguf::open(folder.write("empty.gguf", "")).error().message().find("empty"), std::string::npos);
  EXPECT_NE(Gguf::open(folder.write("text.gguf", "hello, this is a text")).error().message().find("not a GGUF"), std::string::npos);
  EXPECT_NE(Gguf::open(fixture("all-types.json")).error().message().find("not a GGUF"), std::string::npos);
}

// Hand-made files for the rules that no writer breaks.
class Maker {
 public:
  Maker(uint32_t version, uint64_t tensors, uint64_t values) { text_ = "GGUF", add(version), add(tensors), add(values); }
  template <class T>
  Maker& add(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  Maker& text(std::string_view s) { return add(uint64_t{s.size()}), text_ += s, *this; }
  Maker& tensor(std::string_view name, std::vector<int64_t> ne, uint32_t type, uint64_t offset) {
    text(name).add(static_cast<uint32_t>(ne.size()));
    for (const int64_t n : ne) add(n);
    return add(type).add(offset);
  }
  Maker& data(size_t bytes) { return text_.resize((text_.size() + 31) / 32 * 32 + bytes, 'x'), *this; }
  std::string message(const Folder& folder) const {
    const auto model = Gguf::open(folder.write("made.gguf", text_));
    return model ? "opened" : model.error().message();
  }

 private:
  std::string text_;
};

void expect(const std::string& message, const std::string& part) { EXPECT_NE(message.find(part), std::string::npos) << message; }

TEST(Gguf, HeaderRules) {
  const Folder folder;
  expect(Maker(1, 0, 0).message(folder), "version 1");
  expect(Maker(4, 0, 0).message(folder), "version 4");
  expect(Maker(0x03000000, 0, 0).message(folder), "big-endian");
  expect(Maker(3, 0, 0).message(folder), "opened");
  expect(Maker(2, 0, 0).message(folder), "opened");
  expect(Maker(3, UINT64_MAX, 0).message(folder), "tensors");
  expect(Maker(3, 0, UINT64_MAX).message(folder), "settings");
  expect(Maker(3, 1000, 0).data(64).message(folder), "1000 tensors");
}

TEST(Gguf, ValueRules) {
  const Folder folder;
  const auto one = [](std::string_view key) { return std::move(Maker(3, 0, 1).text(key)); };
  expect(one("").add(0u).data(32).message(folder), "no name");
  expect(one("k").add(13u).data(32).message(folder), "unknown type 13");
  expect(one("k").add(9u).add(9u).add(uint64_t{1}).data(32).message(folder), "array of arrays");
  expect(one("k").add(9u).add(4u).add(uint64_t{1} << 62).data(32).message(folder), "elements");
  expect(one("k").add(9u).add(8u).add(uint64_t{1} << 29).data(32).message(folder), "elements");
  expect(one("k").add(8u).add(uint64_t{1} << 31).data(32).message(folder), "length");
  expect(one("k").add(8u).add(uint64_t{1} << 29).data(32).message(folder), "ends early");
  expect(Maker(3, 0, 2).text("k").add(4u).add(1u).text("k").add(4u).add(1u).message(folder), "stands twice");
  expect(one("general.alignment").add(4u).add(48u).message(folder), "power of two");
  expect(one("general.alignment").add(4u).add(0u).message(folder), "power of two");
}

TEST(Gguf, TensorRules) {
  const Folder folder;
  const auto one = [](std::vector<int64_t> ne, uint32_t type, uint64_t offset) {
    return std::move(Maker(3, 1, 0).tensor("t", std::move(ne), type, offset));
  };
  expect(one({8}, 0, 0).data(32).message(folder), "opened");
  expect(one({8}, 0, 0).data(31).message(folder), "ends early");
  expect(one({8}, 0, 32).data(32).message(folder), "ends early");
  expect(one({8}, 0, 16).data(64).message(folder), "not aligned");
  expect(one({8}, 0, UINT64_MAX - 31).data(64).message(folder), "ends early");
  expect(one({}, 0, 0).data(64).message(folder), "0 dimensions");
  expect(one({1, 1, 1, 1, 1}, 0, 0).data(64).message(folder), "5 dimensions");
  expect(one({0}, 0, 0).data(64).message(folder), "impossible shape");
  expect(one({-8}, 0, 0).data(64).message(folder), "impossible shape");
  expect(one({int64_t{1} << 40, int64_t{1} << 40}, 0, 0).data(64).message(folder), "impossible shape");
  expect(one({int64_t{1} << 62}, 0, 0).data(64).message(folder), "impossible shape");
  expect(one({33}, 2, 0).data(64).message(folder), "multiples of 32");
  expect(one({8}, 99, 0).data(64).message(folder), "type 99");
  expect(one({8}, 4, 0).data(64).message(folder), "withdrawn");
  expect(Maker(3, 2, 0).tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).data(64).message(folder), "stands twice");
  expect(Maker(3, 2, 0).tensor("a", {16}, 0, 0).tensor("b", {8}, 0, 32).data(64).message(folder), "overlap");
  expect(Maker(3, 1, 0).tensor(std::string(64, 'n'), {8}, 0, 0).data(64).message(folder), "too long");
}

void open_and_walk(const std::filesystem::path& path) {
  const auto model = Gguf::open(path);
  if (!model) {
    EXPECT_FALSE(model.error().what.empty());
    return;
  }
  for (const TensorEntry& tensor : (*model)->tensors()) test::walk(tensor.bytes);
  for (const auto& [key, value] : (*model)->values()) {
    (*model)->integer(key), (*model)->real(key), (*model)->boolean(key), (*model)->string(key);
    (*model)->string_array(key), (*model)->float_array(key), (*model)->int_array(key);
  }
}

TEST(Gguf, SurvivesTruncation) {
  const Folder folder;
  const std::string whole = test::bytes_of(fixture("all-types.gguf"));
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    // Half of the cuts fall into the header and the tables.
    const size_t size = random() % (i % 2 ? 5000 : whole.size());
    const auto path = folder.write("cut.gguf", std::string_view(whole).substr(0, size));
    EXPECT_FALSE(Gguf::open(path)) << size;
  }
}

TEST(Gguf, SurvivesFlippedBytes) {
  const Folder folder;
  const std::string whole = test::bytes_of(fixture("all-types.gguf"));
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    std::string bad = whole;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) bad[random() % 5000] ^= static_cast<char>(1u << random() % 8);
    open_and_walk(folder.write("flip.gguf", bad));
  }
}

}  // namespace
}  // namespace lava::io
