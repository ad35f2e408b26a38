// Files the text tests share.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/tokenizer.h"

namespace lava::text::test {

std::string fixture_path(std::string_view name);  // below tests/fixtures
std::string read_fixture(std::string_view name);  // *.gz is unpacked
nlohmann::json read_json_fixture(std::string_view name);

// These throw std::runtime_error with the error's message.
const Tokenizer& qwen2_5();
const Tokenizer& llama3();
const Tokenizer& llama_spm();
const Tokenizer& smollm2();
const GgufVocabulary& llama_spm_vocabulary();
const GgufVocabulary& smollm2_vocabulary();
std::unique_ptr<Tokenizer> take(Result<std::unique_ptr<Tokenizer>> tokenizer);

std::vector<int32_t> ids_of(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options = {});

}  // namespace lava::text::test
