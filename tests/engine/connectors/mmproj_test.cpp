// Projector files written by another program give the rows of the folders that they were made from.
#include "engine/encoders/vit.h"
#include "engine/io/gguf.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

std::filesystem::path mmproj(const char* name) { return fixtures() / "mmproj" / name; }

VisionPart open_folder(const std::string& name, int width) {
  VisionOptions options;
  options.text_width = width;
  return take(open_vision_folder(cpu(), fixtures() / "transformers" / name, options));
}

Result<VisionPart> open_gguf(const char* name, int width, Precision precision = Precision::exact) {
  VisionOptions options;
  options.text_width = width;
  options.precision = precision;
  return open_vision_gguf(cpu(), mmproj(name), options);
}

const VitConfig& config_of(const VisionPart& part) { return dynamic_cast<const Vit&>(*part.encoder).config(); }

// The first converters exchanged the names of the MLP's matrices and wrote no projector type; the weights are the folder's F16 values.
TEST(ProjectorFile, LegacyNamesAndMixedFormatsGiveTheSameRows) {
  const VisionPart folder = open_folder("llava15", 64);
  VisionPart file = take(open_gguf("llava15-legacy.gguf", 64));
  EXPECT_EQ(config_of(file).layers, 2);
  EXPECT_EQ(config_of(file).last_output(), 2);
  EXPECT_EQ(config_of(file).activation, Activation::gelu_quick);
  file.partitioner = std::move(open_folder("llava15", 64).partitioner);  // the folder crops, projector files of LLaVA-1.5 pad
  for (const char* name : {"scene.png", "odd.png"}) {
    const auto picture = take(media::read_picture(fixtures() / "transformers/llava15" / name));
    EXPECT_LT(difference(encode(folder, picture), encode(file, picture)), 1e-5) << name;
  }
}

TEST(ProjectorFile, PadsUnlessItSaysOtherwise) {
  const VisionPart file = take(open_gguf("llava15-legacy.gguf", 64));
  const auto wide = take(media::read_picture(fixtures() / "transformers/llava15/scene.png"));
  EXPECT_EQ(difference(encode(file, wide), encode(file, media::pad_to_square(wide, {122, 116, 104}))), 0);
}

// Q8_0 rounds weights by up to 1/254 of a block's largest value: rows near 2.5 move by a few hundredths at most.
TEST(ProjectorFile, QuantisedMatricesPinpointsAndNewline) {
  const VisionPart folder = open_folder("llava_next", 96);
  for (const Precision precision : {Precision::exact, Precision::fast}) {
    const VisionPart file = take(open_gguf("llava_next-q8_0.gguf", 96, precision));
    for (const char* name : {"scene.png", "odd.png", "gray.png"}) {
      const auto picture = take(media::read_picture(fixtures() / "transformers/llava_next" / name));
      const PictureRows a = encode(folder, picture), b = encode(file, picture);
      ASSERT_EQ(a.info.size(), b.info.size()) << name;
      double error = 0, energy = 0;
      for (size_t i = 0; i < a.rows.size(); ++i) error += std::pow(a.rows[i] - b.rows[i], 2), energy += std::pow(a.rows[i], 2);
      EXPECT_LT(error / energy, 1e-3) << name;
      EXPECT_GT(error, 0) << name;
      for (size_t i = 0; i < a.info.size(); ++i) ASSERT_EQ(a.info[i].kind, b.info[i].kind);
    }
  }
}

// Float weights in the arithmetics that a user may choose, beside float32 of the same file.
TEST(ProjectorFile, TowersAreRoundedAsFarAsTold) {
  const auto picture = take(media::read_picture(fixtures() / "transformers/llava15/scene.png"));
  const auto rows = [&](VisionPrecision precision) {
    return encode(take(open_vision_gguf(cpu(), mmproj("llava15-legacy.gguf"), vision_options(64, precision))), picture);
  };
  const PictureRows exact = rows(VisionPrecision::exact);
  for (const auto& [precision, limit] : {std::pair{VisionPrecision::automatic, 1e-4}, std::pair{VisionPrecision::int8, 2e-3}}) {
    const PictureRows rounded = rows(precision);
    double error = 0, energy = 0;
    for (size_t i = 0; i < exact.rows.size(); ++i) error += std::pow(exact.rows[i] - rounded.rows[i], 2), energy += std::pow(exact.rows[i], 2);
    EXPECT_LT(error / energy, limit) << static_cast<int>(precision);
    if (precision == VisionPrecision::int8) {
      EXPECT_GT(error, 0);
    }
  }
}

TEST(ProjectorFile, AnotherLanguageModelIsRefusedByBothWidths) {
  const auto part = open_gguf("llava15-legacy.gguf", 4096);
  ASSERT_FALSE(part);
  const std::string message = part.error().message();
  EXPECT_NE(message.find("rows of 64 values"), std::string::npos) << message;
  EXPECT_NE(message.find("takes 4096"), std::string::npos) << message;
}

// Bytes of the metadata changed in place.
std::string patched(const char* file, const std::string& key, uint32_t type, uint32_t value) {
  std::ifstream in(mmproj(file), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const size_t at = bytes.find(key);
  if (at == std::string::npos) throw std::runtime_error("no key " + key);
  std::memcpy(bytes.data() + at + key.size(), &type, 4);
  std::memcpy(bytes.data() + at + key.size() + 4, &value, 4);
  return bytes;
}

TEST(ProjectorFile, HostileSettingsAreSentences) {
  struct Case {
    const char* key;
    uint32_t value;
  };
  constexpr uint32_t u32 = 4;
  for (const Case& c : {Case{"clip.vision.embedding_length", 0}, Case{"clip.vision.embedding_length", 4'000'000'000u}, Case{"clip.vision.embedding_length", 68},
                        Case{"clip.vision.feed_forward_length", 0xffffffffu}, Case{"clip.vision.feed_forward_length", 100},
                        Case{"clip.vision.attention.head_count", 0}, Case{"clip.vision.attention.head_count", 7}, Case{"clip.vision.patch_size", 0},
                        Case{"clip.vision.patch_size", 1}, Case{"clip.vision.patch_size", 57}, Case{"clip.vision.image_size", 0},
                        Case{"clip.vision.image_size", 0x7fffffff}, Case{"clip.vision.image_size", 84}}) {
    const Folder folder;
    folder.write("m.gguf", patched("llava15-legacy.gguf", c.key, u32, c.value));
    VisionOptions options;
    options.text_width = 64;
    const auto part = open_vision_gguf(cpu(), folder.path() / "m.gguf", options);
    ASSERT_FALSE(part) << c.key << " " << c.value;
    EXPECT_FALSE(part.error().what.empty());
  }
}

TEST(ProjectorFile, LanguageModelsAreNoProjectors) {
  VisionOptions options;
  options.text_width = 64;
  const auto part = open_vision_gguf(cpu(), fixtures() / "tokenizers/llama-spm-vocab.gguf", options);
  ASSERT_FALSE(part);
  EXPECT_NE(part.error().message().find("no vision projector"), std::string::npos) << part.error().message();
}

}  // namespace
}  // namespace lava::testing
