// What a model file or folder is, from its headers alone.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/io/gguf.h"
#include "engine/io/tensor_source.h"
#include "kernels/result.h"

namespace lava::io {

using Facts = nlohmann::ordered_json;

// A GGUF file (model, projector or vocabulary), a Hugging Face folder, a LoRA folder or a safetensors file. Keys of the result: "kind", "container",
// "files", "file_bytes", "parameters", "tensors", "formats", "parts", and where known "architecture", "name", "shape", "memory", "adapter",
// "metadata". Numbers are counts and bytes. `context` 0: the model's own.
Result<Facts> inspect_model(const std::filesystem::path& path, int64_t context = 0);

// The values of a GGUF file, arrays with their size and first elements.
Facts abbreviated(const Gguf& model);

}  // namespace lava::io
