// Packed weights on disk: found again by content, of every format, and removed with their model.
#include "tests/engine/core/weight_packs.h"
#include "tests/support/engine/requests.h"

namespace lava::test {
namespace {

TEST_F(WeightPacks, AreMadeOnceAndMappedLater) {
  const Opened first = open(model_);
  EXPECT_EQ(first.pack_bytes, 0u);
  const fs::path made = pack();
  const auto identity = io::MappedFile::identity_of(made);
  const Opened second = open(model_);
  EXPECT_EQ(second.pack_bytes, fs::file_size(made));
  EXPECT_EQ(second.weight_bytes, first.weight_bytes);
  EXPECT_EQ(io::MappedFile::identity_of(made)->inode, identity->inode);  // not written again
  EXPECT_EQ(first.logits, without_);
  EXPECT_EQ(second.logits, without_);
  EXPECT_TRUE(ending(".part").empty());
}

TEST_F(WeightPacks, EveryFormatIsFoundAgainBitForBit) {
  for (const char* format : {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k", "f16"}) {
    const fs::path model = folder_ / (std::string(format) + ".gguf");
    write_model(model, 3, format);
    const auto without = logits_without(model);
    open(model);
    const Opened mapped = open(model);
    EXPECT_EQ(mapped.pack_bytes > 0, format != std::string("f16")) << format;  // which is used in place
    EXPECT_EQ(mapped.logits, without) << format;
  }
}

TEST_F(WeightPacks, AMovedOrCopiedModelIsKnownByItsContent) {
  open(model_);
  const fs::path moved = folder_ / "elsewhere.gguf", copied = folder_ / "copy.gguf";
  fs::rename(model_, moved);
  EXPECT_GT(open(moved).pack_bytes, 0u);
  fs::copy_file(moved, copied);
  fs::last_write_time(copied, fs::file_time_type::clock::now() - 2h);
  EXPECT_EQ(open(copied).pack_bytes, 0u);  // not read on the way to the first answer
  const auto identity = io::MappedFile::identity_of(pack());
  EXPECT_GT(open(copied).pack_bytes, 0u);
  EXPECT_EQ(io::MappedFile::identity_of(pack())->inode, identity->inode);
  EXPECT_EQ(ending(".source").size(), 2u);
}

TEST_F(WeightPacks, AChangedSourceIsPackedAnew) {
  open(model_);
  write_model(model_, 2, "q4_k", 1min);  // the same names and sizes, other numbers
  const auto without = logits_without(model_);
  ASSERT_NE(without, without_);
  const Opened opened = open(model_);
  EXPECT_EQ(opened.pack_bytes, 0u);
  EXPECT_EQ(opened.logits, without);
  const Opened again = open(model_);
  EXPECT_GT(again.pack_bytes, 0u);
  EXPECT_EQ(again.logits, without);
  EXPECT_EQ(ending(".pack").size(), 1u);  // that of the old content has gone
}

// Its next change may carry the same time.
TEST_F(WeightPacks, AFileThatWasJustWrittenIsNotKeptYet) {
  write_model(model_, 1, "q4_k", 0s);
  EXPECT_EQ(open(model_).notice, "");
  EXPECT_TRUE(ending(".pack").empty());
}

TEST_F(WeightPacks, OffSwitchesThemOff) {
  const Environment off("LAVASCOPE_CACHE", "off");
  EXPECT_TRUE(weight_pack_folder().empty());
  EXPECT_EQ(open(model_).notice, "");
  EXPECT_FALSE(fs::exists(weights_));
}

TEST_F(WeightPacks, LieWhereCachesOfThisUserLie) {
  ::unsetenv("LAVASCOPE_CACHE");
  const Environment home("HOME", "/home/somebody");
  {
    const Environment xdg("XDG_CACHE_HOME", "/var/cache/somebody");
    EXPECT_EQ(weight_pack_folder(), "/var/cache/somebody/lavascope/weights");
  }
  const Environment none("XDG_CACHE_HOME", "");
  EXPECT_EQ(weight_pack_folder(), "/home/somebody/.cache/lavascope/weights");
}

TEST_F(WeightPacks, SmallModelsAreNotKept) {
  EXPECT_EQ(open(model_, {}).notice, "");
  EXPECT_FALSE(fs::exists(weights_));
}

TEST_F(WeightPacks, GoWithTheirModel) {
  const fs::path other = folder_ / "other.gguf";
  write_model(other, 2);
  open(model_), open(other);
  ASSERT_EQ(ending(".pack").size(), 2u);
  fs::remove(other);
  open(model_, {});  // any opening looks, also one that keeps nothing itself
  EXPECT_EQ(ending(".pack").size(), 1u);
  EXPECT_GT(open(model_).pack_bytes, 0u);
}

TEST_F(WeightPacks, ThoseUsedLongestAgoMakeRoom) {
  std::vector<fs::path> models;
  for (uint64_t i = 0; i < 3; ++i) models.push_back(folder_ / ("m" + std::to_string(i) + ".gguf")), write_model(models.back(), 10 + i);
  WeightCacheLimits limits = keep_all;
  open(models[0]), open(models[1]);
  limits.most_total = 2 * fs::file_size(ending(".pack").front()) + 1000;
  for (const fs::path& one : ending(".checked")) fs::last_write_time(one, fs::file_time_type::clock::now() - 1h);
  EXPECT_GT(open(models[0], limits).pack_bytes, 0u);  // used now
  open(models[2], limits);
  EXPECT_EQ(ending(".pack").size(), 2u);
  EXPECT_GT(open(models[0], limits).pack_bytes, 0u);
  EXPECT_GT(open(models[2], limits).pack_bytes, 0u);
  EXPECT_EQ(open(models[1], limits).pack_bytes, 0u);
}

// A projector file beside a model has a pack of its own.
TEST_F(WeightPacks, TowersHaveTheirOwn) {
  write_tower("q8_0");
  const Opened first = open(model_);
  EXPECT_EQ(ending(".pack").size(), 2u);
  const Opened second = open(model_);
  uint64_t all = 0;
  for (const fs::path& one : ending(".pack")) all += fs::file_size(one);
  EXPECT_EQ(second.pack_bytes, all);
  EXPECT_EQ(second.weight_bytes, first.weight_bytes);
  EXPECT_EQ(second.logits, first.logits);
}

// Its matrices are rounded to 8 bits before they are packed: the pack holds another format than the file.
TEST_F(WeightPacks, TowersRoundedTo8BitsAnswerAlike) {
  write_tower("f16");
  AssistantOptions options;
  options.model = model_, options.packs = keep_all, options.vision = VisionPrecision::int8;
  Request request;
  request.raw_prompt = "<image> a b";
  request.raw_pictures = {picture_file("transformers/llava15/odd.png")};
  const auto asked = [&](VisionPrecision vision) {
    options.vision = vision;
    return open(options, request);
  };
  const auto without = [&](VisionPrecision vision) {
    const Environment off("LAVASCOPE_CACHE", "off");
    return asked(vision).logits;
  };
  const auto rounded = without(VisionPrecision::int8), kept = without(VisionPrecision::automatic);
  ASSERT_FALSE(rounded.empty());
  ASSERT_NE(rounded, kept);
  EXPECT_EQ(asked(VisionPrecision::int8).logits, rounded);
  EXPECT_EQ(ending(".pack").size(), 2u);
  uint64_t all = 0;
  for (const fs::path& one : ending(".pack")) all += fs::file_size(one);
  const Opened mapped = asked(VisionPrecision::int8);
  EXPECT_EQ(mapped.pack_bytes, all);
  EXPECT_EQ(mapped.logits, rounded);
  EXPECT_EQ(asked(VisionPrecision::automatic).logits, kept);  // finds the pack and nothing in it that it could use
  EXPECT_EQ(asked(VisionPrecision::int8).logits, rounded);
}

}  // namespace
}  // namespace lava::test
