#include "engine/cli/logits_file.h"

#include <fmt/format.h>

#include "engine/cli/interrupts.h"

namespace lava::cli {
namespace {

// Format 1.0 of .npy: magic, version, length of the header, the header padded to 64 bytes.
std::string npy_header(size_t positions, size_t vocabulary) {
  std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", positions, vocabulary);
  constexpr size_t before = 10;  // bytes of magic, version and length
  text.append(63 - (before + text.size()) % 64, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 255);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace

Result<LogitsFile> LogitsFile::create(const std::filesystem::path& path, size_t positions, size_t vocabulary) {
  const std::string header = npy_header(positions, vocabulary);
  remove_when_interrupted(io::NewFile::unfinished(path));
  LAVA_TRY(io::NewFile file, io::NewFile::create(path, header.size() + positions * vocabulary * sizeof(float)));
  LAVA_CHECK_OK(file.write(std::as_bytes(std::span(header))));
  return LogitsFile(std::move(file));
}

Result<void> LogitsFile::append(const float* values, size_t count) { return file_.write(std::as_bytes(std::span(values, count))); }

}  // namespace lava::cli
