#include "engine/cli/interrupts.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstring>

namespace lava::cli {
namespace {

constexpr int most = 8;
char paths[most][PATH_MAX];
std::atomic<int> count{0};

// Only what a signal handler may call.
void leave(int number) {
  const int all = count.load(std::memory_order_acquire);
  for (int i = 0; i < all; ++i) ::unlink(paths[i]);
  for (int i = 0; i < all; ++i) ::rmdir(paths[i]);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace

void remove_when_interrupted(const std::filesystem::path& path) {
  const int at = count.load(std::memory_order_relaxed);
  std::error_code error;
  const std::string text = std::filesystem::absolute(path, error).string();
  if (error || at >= most || text.size() >= PATH_MAX) return;
  std::memcpy(paths[at], text.c_str(), text.size() + 1);
  count.store(at + 1, std::memory_order_release);
  struct sigaction action {};
  action.sa_handler = leave;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

}  // namespace lava::cli
