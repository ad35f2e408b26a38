// Projector files (mmproj) beside GGUF models.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "kernels/result.h"

namespace lava {

// Width of the rows that a projector file makes, or an error when it is none.
Result<int64_t> mmproj_width(const std::filesystem::path& file);

struct MmprojChoice {
  std::filesystem::path file;  // empty: none fits
  std::string note;            // why those that were found do not fit
};
// Looks in the folder of the link and in the folder of the real file. Of those that fit the text width, the one whose name begins most like
// the model's is taken, then the one of the nearest number format.
MmprojChoice find_mmproj(const std::filesystem::path& model, int64_t text_width);
// A file that the user named: refused with a sentence when it does not fit.
Result<void> check_mmproj(const std::filesystem::path& file, int64_t text_width);

bool is_mmproj_name(const std::string& name);
// Names of files that lie beside models and are no main model: imatrix, draft heads, projectors.
bool is_side_file(const std::string& name);

}  // namespace lava
