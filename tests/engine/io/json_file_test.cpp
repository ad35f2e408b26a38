#include "engine/io/json_file.h"

#include <gtest/gtest.h>

#include "engine/io/mapped_file.h"
#include "engine/io/names.h"
#include "tests/engine/io/files.h"

namespace lava::io {
namespace {

using test::Folder;

TEST(Json, Limits) {
  EXPECT_TRUE(parse_json(R"({"a":[1,2,"]]]]"]})", "it"));
  EXPECT_FALSE(parse_json(std::string(1000, '['), "it", {.max_depth = 10}));
  EXPECT_FALSE(parse_json(std::string(5'000'000, '['), "it"));
  EXPECT_FALSE(parse_json("[1,2,3,4]", "it", {.max_values = 3}));
  EXPECT_FALSE(parse_json("[1,2,3,4]", "it", {.max_bytes = 3}));
  EXPECT_FALSE(parse_json("", "it"));
  EXPECT_FALSE(parse_json("{\"a\":\"\xff\"}", "it"));
  EXPECT_FALSE(parse_json("{} x", "it"));
  EXPECT_FALSE(parse_json(R"({"a":1,"a":2})", "it", {.unique_keys = true}));
  EXPECT_TRUE(parse_json(R"({"a":1,"a":2})", "it"));
  EXPECT_NE(parse_json("{\"a\" 1}", "The file x").error().message().find("byte 6"), std::string::npos);
}

TEST(Json, Getters) {
  const auto json = parse_json(R"({"i":5,"r":2.5,"w":4.0,"t":"x","b":true,"n":null,"l":[1,2.5],"big":18446744073709551615})", "it").value();
  EXPECT_EQ(int_in(json, "i", 0, 10).value(), 5);
  EXPECT_EQ(int_in(json, "w", 0, 10).value(), 4);
  EXPECT_FALSE(int_in(json, "i", 6, 10));
  EXPECT_FALSE(int_in(json, "r", 0, 10));
  EXPECT_FALSE(int_in(json, "t", 0, 10, 1));
  EXPECT_FALSE(int_in(json, "b", 0, 10, 1));
  EXPECT_FALSE(int_in(json, "big", 0, INT64_MAX));
  EXPECT_FALSE(int_in(json, "absent", 0, 10));
  EXPECT_EQ(int_in(json, "n", 0, 10, 7).value(), 7);
  EXPECT_EQ(real_in(json, "r", 0, 10).value(), 2.5);
  EXPECT_FALSE(real_in(json, "r", 0, 1));
  EXPECT_EQ(bool_in(json, "b").value(), true);
  EXPECT_FALSE(bool_in(json, "i", true));
  EXPECT_EQ(string_in(json, "t").value(), "x");
  EXPECT_EQ(string_in(json, "absent", "y").value(), "y");
  EXPECT_EQ(reals_in(json, "l", 2, 2).value(), (std::vector<double>{1, 2.5}));
  EXPECT_FALSE(reals_in(json, "l", 3, 3));
  EXPECT_FALSE(int_in(nlohmann::json::array(), "i", 0, 1));
}

TEST(MappedFile, Opens) {
  const Folder folder;
  const auto path = folder.write("a", "hello");
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 5u);
  EXPECT_TRUE(file->intact());
  std::filesystem::resize_file(path, 3);
  EXPECT_FALSE(file->intact());
  const MappedFile moved = std::move(*file);
  EXPECT_EQ(moved.size(), 5u);
  EXPECT_EQ(file->size(), 0u);
}

TEST(MappedFile, PlainErrors) {
  const Folder folder;
  EXPECT_EQ(MappedFile::open(folder / "absent").error().kind, Error::Kind::not_found);
  EXPECT_EQ(MappedFile::open(folder.write("x", "1") / "below").error().kind, Error::Kind::not_found);
  EXPECT_NE(MappedFile::open(folder.path()).error().message().find("folder"), std::string::npos);
  EXPECT_NE(MappedFile::open("/dev/null").error().message().find("ordinary"), std::string::npos);
  std::filesystem::create_symlink("loop", folder / "loop");
  EXPECT_NE(MappedFile::open(folder / "loop").error().message().find("circle"), std::string::npos);
  EXPECT_FALSE(MappedFile::open(std::string("a\0b", 3)));
  EXPECT_FALSE(MappedFile::open(std::string(5000, 'n')));
}

TEST(Names, Printable) {
  EXPECT_EQ(printable("blk.0 你好"), "blk.0 你好");
  EXPECT_EQ(printable("a\nb\x1b[31m"), "a\\x0ab\\x1b[31m");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("x\u202Ey"), "x\\xe2\\x80\\xaey");
  EXPECT_EQ(printable(std::string(200, 'n'), 10), "nnnnnnnnnn...");
}

TEST(Names, PlainFileNames) {
  for (const char* good : {"model-00001-of-00002.safetensors", "a", "grüße.gguf", "..x", "console.txt", "com10"})
    EXPECT_TRUE(is_plain_file_name(good)) << good;
  for (const char* bad : {"", ".", "..", "a/b", "a\\b", "C:x", "x.", "x ", "nul", "CON.txt", "com1.bin", "x\ty", "\xff", "a\u202Eb"})
    EXPECT_FALSE(is_plain_file_name(bad)) << bad;
  EXPECT_FALSE(is_plain_file_name(std::string(256, 'n')));
  EXPECT_FALSE(is_plain_file_name(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace lava::io
