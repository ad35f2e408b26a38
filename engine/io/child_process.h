// A program that is run to see how it ends: a driver that crashes or hangs takes the child, not us.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace lava::io {

struct ChildEnd {
  enum class How { exited, killed, timed_out, not_started } how = How::not_started;
  int code = 0;            // the exit status, or the signal that killed it
  std::string out, errors;  // what it wrote, each cut at 4 MB
};

// Without input, with the environment of this program, alone in its process group, which ends at the latest after `limit` or with the
// calling thread. Nothing but its two outputs is open to it.
ChildEnd run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments, std::chrono::milliseconds limit);

}  // namespace lava::io
