#include "app/cli/interrupts.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace lava::app {
namespace {

std::array<int, 2> pipe_ends{-1, -1};

// Only what a signal handler may do: one byte into the pipe.
void handle(int number) {
  const int kept = errno;
  const char byte = static_cast<char>(number);
  [[maybe_unused]] const ssize_t written = ::write(pipe_ends[1], &byte, 1);
  errno = kept;
}

}  // namespace

Interrupts& Interrupts::instance() {
  static Interrupts interrupts;
  return interrupts;
}

Interrupts::Interrupts() {
  if (::pipe2(pipe_ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  notifier_ = std::make_unique<QSocketNotifier>(pipe_ends[0], QSocketNotifier::Read);
  connect(notifier_.get(), &QSocketNotifier::activated, this, [this] { read(); });
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void Interrupts::read() {
  char number = 0;
  while (::read(pipe_ends[0], &number, 1) == 1) {
    ending_ |= number == SIGTERM || number == SIGHUP;
    pending_ = true;
  }
  if (pending_) emit happened();
}

bool Interrupts::take() { return std::exchange(pending_, false); }

}  // namespace lava::app
