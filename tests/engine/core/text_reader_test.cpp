// The logits of every position of a text, against a runner that stops at each of them.
#include "engine/core/text_reader.h"

#include <gtest/gtest.h>

#include "tests/support/engine/goldens.h"
#include "tests/support/engine/tiny_text.h"

namespace lava::test {
namespace {

class Reader : public ::testing::Test {
 protected:
  static constexpr int length = 75;

  void SetUp() override {
    auto tiny = load_tiny_text(fixture("transformers/text_llama_gqa"));
    ASSERT_TRUE(tiny) << tiny.error().message();
    tiny_ = std::move(*tiny);
    const std::vector<int32_t> ids = read_goldens("transformers/text_llama_gqa")[0].prompt_ids;
    ASSERT_GE(ids.size(), static_cast<size_t>(length));
    ids_.assign(ids.begin(), ids.begin() + length);
    vocabulary_ = tiny_.decoder->config().vocabulary;
  }

  std::unique_ptr<TextReader> reader(int chunk, int window = length) {
    auto made = TextReader::create(*tiny_.device, *tiny_.decoder, {window, chunk, DType::f32});
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }

  // [positions, vocabulary]
  std::vector<float> read(TextReader& reader) const {
    std::vector<float> all;
    reader.start();
    for (int begin = 0; begin < length; begin += reader.chunk()) {
      const int count = std::min(reader.chunk(), length - begin);
      EXPECT_TRUE(reader.advance(std::span(ids_).subspan(static_cast<size_t>(begin), static_cast<size_t>(count))));
      for (int first = 0; first < count; first += reader.logit_rows()) {
        const Tensor logits = *reader.logits(first, std::min(reader.logit_rows(), count - first));
        all.insert(all.end(), logits.f32(), logits.f32() + logits.elements());
      }
    }
    return all;
  }

  TinyText tiny_;
  std::vector<int32_t> ids_;
  int vocabulary_ = 0;
};

void expect_near(const std::vector<float>& a, std::span<const float> b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 5e-5f) << i;
}

TEST_F(Reader, EveryPositionIsThatOfARunner) {
  const auto whole = reader(256);
  EXPECT_EQ(whole->chunk(), length);  // no more than the window
  const std::vector<float> logits = read(*whole);
  ASSERT_EQ(logits.size(), static_cast<size_t>(length * vocabulary_));
  auto runner = TextRunner::create(*tiny_.device, *tiny_.decoder, {}, {.slots = 1, .kv = DType::f32});
  ASSERT_TRUE(runner);
  for (const int position : {0, 1, 31, 32, 33, length - 1}) {
    const std::vector<int32_t> before(ids_.begin(), ids_.begin() + position + 1);
    ASSERT_TRUE((*runner)->prefill(prompt_of(before), {}));
    const auto at = logits.begin() + static_cast<ptrdiff_t>(position) * vocabulary_;
    expect_near({at, at + vocabulary_}, (*runner)->logits());
  }
}

TEST_F(Reader, ChunksAndASecondReadingChangeNothing) {
  const auto whole = reader(256);
  const std::vector<float> logits = read(*whole);
  EXPECT_EQ(read(*whole), logits);
  for (const int chunk : {1, 7, 40}) expect_near(read(*reader(chunk)), logits);
}

TEST_F(Reader, AWindowOfTheWholeContext) {
  const auto long_reader = reader(64, tiny_.decoder->context());
  expect_near(read(*long_reader), read(*reader(64)));
}

}  // namespace
}  // namespace lava::test
