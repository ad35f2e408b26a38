#include "engine/media/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "engine/io/json_file.h"
#include "engine/media/sha256.h"
#include "tests/engine/media/noise.h"

namespace lava::media {
namespace {

using test::bytes_of;
using test::decode;
using test::fixture;

nlohmann::json expectations() { return io::read_json(fixture("expect.json")).value(); }

std::string digest(const Picture& picture) { return sha256_hex(std::as_bytes(std::span(picture.rgb))); }

TEST(Picture, LosslessFilesGiveThePixelsOfPillow) {
  const auto expect = expectations();
  ASSERT_GT(expect["exact"].size(), 15u);
  for (const auto& [name, facts] : expect["exact"].items()) {
    const auto picture = read_picture(fixture(name));
    ASSERT_TRUE(picture) << name << ": " << picture.error().message();
    EXPECT_EQ(picture->width, facts["size"][0].get<int>()) << name;
    EXPECT_EQ(picture->height, facts["size"][1].get<int>()) << name;
    EXPECT_EQ(digest(*picture), facts["sha256"].get<std::string>()) << name;
    EXPECT_EQ(picture->source.alpha, facts.value("alpha", false)) << name;
    EXPECT_EQ(picture->source.orientation, facts.value("turn", 1)) << name;
  }
}

TEST(Picture, LossyFilesComeNearAndUpright) {
  const auto expect = expectations();
  ASSERT_GT(expect["near"].size(), 10u);
  for (const auto& [name, facts] : expect["near"].items()) {
    const auto picture = read_picture(fixture(name));
    ASSERT_TRUE(picture) << name << ": " << picture.error().message();
    EXPECT_EQ(picture->size(), (Size{facts["size"][0], facts["size"][1]})) << name;
    EXPECT_EQ(picture->source.orientation, facts.value("turn", 1)) << name;
    for (const auto& pixel : facts["pixels"])
      for (int c = 0; c < 3; ++c)
        EXPECT_NEAR(picture->row(pixel[1])[3 * pixel[0].get<int>() + c], pixel[2 + c].get<int>(), 4) << name << pixel;
  }
}

TEST(Picture, InfoKnowsTheSizesWithoutThePixels) {
  const std::string jpeg = bytes_of(fixture("turn6.jpg"));
  const auto info = picture_info(std::as_bytes(std::span(jpeg)));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->format, PictureFormat::jpeg);
  EXPECT_EQ(info->stored, (Size{16, 24}));
  EXPECT_EQ(info->upright, (Size{24, 16}));
  // The header is enough.
  const std::string head = bytes_of(fixture("rgb.png")).substr(0, 60);
  EXPECT_EQ(picture_info(std::as_bytes(std::span(head)))->stored, (Size{21, 17}));
  EXPECT_FALSE(decode(head));
}

TEST(Picture, ContentDecidesNotTheName) {
  EXPECT_FALSE(decode(""));
  EXPECT_FALSE(decode("hello"));
  EXPECT_FALSE(decode(bytes_of(fixture("expect.json"))));
  const auto folder = std::filesystem::temp_directory_path() / "lava-picture-name.jpg";
  std::filesystem::copy_file(fixture("rgb.png"), folder, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(read_picture(folder)->source.format, PictureFormat::png);
  std::filesystem::remove(folder);
}

TEST(Picture, CeilingsComeBeforeDecoding) {
  const auto bomb = decode(bytes_of(fixture("bomb.png")));
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().kind, Error::Kind::too_large);
  EXPECT_NE(bomb.error().message().find("65535 x 65535"), std::string::npos);
  EXPECT_FALSE(decode(bytes_of(fixture("unfolding.png"))));
  EXPECT_EQ(decode(bytes_of(fixture("rgb.png")), {.max_pixels = 21 * 17 - 1}).error().kind, Error::Kind::too_large);
  EXPECT_EQ(decode(bytes_of(fixture("rgb.png")), {.max_side = 20}).error().kind, Error::Kind::too_large);
  EXPECT_TRUE(decode(bytes_of(fixture("rgb.png")), {.max_pixels = 21 * 17, .max_side = 21}));
}

TEST(Picture, AnimationsOfWebpAreNamed) {
  const auto picture = read_picture(fixture("animated.webp"));
  ASSERT_FALSE(picture);
  EXPECT_NE(picture.error().message().find("animated"), std::string::npos);
}

std::vector<std::string> good_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(fixture(""))) {
    const std::string name = entry.path().filename().string();
    if (name != "expect.json" && name != "bomb.png" && name != "unfolding.png" && name != "animated.webp") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Picture, FilesThatEndEarlyAreRefused) {
  for (const std::string& name : good_files()) {
    const std::string whole = bytes_of(fixture(name));
    // Behind the first frame of a GIF there may be a rest that nobody needs.
    const size_t last = name.ends_with(".gif") ? whole.size() / 3 : whole.size() - 2;
    for (size_t size = 0; size <= last; size += 1 + size / 40) {
      const auto picture = decode(std::string_view(whole).substr(0, size));
      ASSERT_FALSE(picture) << name << " cut to " << size;
      EXPECT_FALSE(picture.error().what.empty());
    }
    EXPECT_FALSE(decode(std::string_view(whole).substr(0, last))) << name;
  }
}

TEST(Picture, FlippedBytesNeverCrash) {
  std::mt19937 random(4);
  int opened = 0;
  for (const std::string& name : good_files()) {
    const std::string whole = bytes_of(fixture(name));
    for (int i = 0; i < 60; ++i) {
      std::string bad = whole;
      for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips)
        bad[random() % bad.size()] ^= static_cast<char>(1u << random() % 8);
      const auto picture = decode(bad, {.max_pixels = 1'000'000});
      if (!picture) continue;
      ++opened;
      EXPECT_EQ(picture->rgb.size(), static_cast<size_t>(picture->width) * static_cast<size_t>(picture->height) * 3);
    }
  }
  EXPECT_GT(opened, 0);
}

TEST(Picture, WrittenPngComesBack) {
  const Picture picture = test::noise(31, 9);
  const auto path = std::filesystem::temp_directory_path() / "lava-written.png";
  ASSERT_TRUE(write_png(path, picture));
  EXPECT_EQ(read_picture(path)->rgb, picture.rgb);
  std::filesystem::remove(path);
  EXPECT_FALSE(write_png("/no/such/folder/a.png", picture));
}

TEST(Picture, AFailedWriteLeavesNothingAndSaysWhy) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "lava-write-png";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "taken.png");
  Picture picture;
  picture.width = picture.height = 2;
  picture.rgb.assign(12, 7);
  const auto onto_folder = write_png(folder / "taken.png", picture);
  ASSERT_FALSE(onto_folder);
  EXPECT_NE(onto_folder.error().cause.find("taken.png: "), std::string::npos) << onto_folder.error().message();
  EXPECT_FALSE(std::filesystem::exists(folder / "taken.png.part"));
  const auto nowhere = write_png(folder / "no" / "a.png", picture);
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().cause.find("No such file"), std::string::npos) << nowhere.error().message();
  std::filesystem::remove_all(folder);
}

TEST(Sha256, Vectors) {
  const auto hash = [](std::string_view text) { return sha256_hex(std::as_bytes(std::span(text))); };
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  for (size_t length : {55u, 56u, 63u, 64u, 65u, 119u, 120u}) {  // in one piece and byte by byte
    const std::string text(length, 'x');
    Sha256 pieces;
    for (const char& c : text) pieces.add(std::as_bytes(std::span(&c, 1)));
    std::string hex;
    for (const uint8_t byte : pieces.finish()) hex += "0123456789abcdef"[byte >> 4], hex += "0123456789abcdef"[byte & 15];
    EXPECT_EQ(hex, hash(text)) << length;
  }
}

}  // namespace
}  // namespace lava::media
