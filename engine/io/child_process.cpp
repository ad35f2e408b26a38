#include "engine/io/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>
#include <utility>

namespace lava::io {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr size_t most_text = size_t{4} << 20;
constexpr int could_not_start = 127;
constexpr std::chrono::milliseconds step = 10ms, patience_after_kill = 2s;

class Pipe {
 public:
  Pipe() { made_ = ::pipe2(ends_, O_CLOEXEC) == 0; }
  ~Pipe() { close_end(0), close_end(1); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool made() const { return made_; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_end(int which) {
    if (made_ && ends_[which] >= 0) ::close(std::exchange(ends_[which], -1));
  }

 private:
  int ends_[2] = {-1, -1};
  bool made_ = false;
};

// Between fork and exec: system calls alone, as other threads may have held any lock.
[[noreturn]] void become(const char* program, char* const* arguments, int out, int errors, pid_t parent) {
  ::setpgid(0, 0);
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(could_not_start);
#endif
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0), ::dup2(out, 1), ::dup2(errors, 2);
#ifdef SYS_close_range
  ::syscall(SYS_close_range, 3u, ~0u, 0u);
#endif
  ::execv(program, arguments);
  ::_exit(could_not_start);
}

// What there is to read now; false at the end.
bool read_some(int descriptor, std::string& text) {
  char block[16384];
  const ssize_t count = ::read(descriptor, block, sizeof block);
  if (count < 0) return errno == EINTR;
  text.append(block, std::min(static_cast<size_t>(count), most_text - std::min(most_text, text.size())));
  return count > 0;
}

// Until both outputs end or the time is over.
void read_outputs(int out, int errors, Clock::time_point deadline, ChildEnd& end) {
  pollfd watched[] = {{out, POLLIN, 0}, {errors, POLLIN, 0}};
  std::string* texts[] = {&end.out, &end.errors};
  while (watched[0].fd >= 0 || watched[1].fd >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left <= 0ms) return;
    const int ready = ::poll(watched, 2, static_cast<int>(std::min<int64_t>(left.count(), 60'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return;
    for (int i = 0; i < 2; ++i)
      if (watched[i].revents != 0 && !read_some(watched[i].fd, *texts[i])) watched[i].fd = -1;
  }
}

std::optional<int> wait_until(pid_t child, Clock::time_point deadline) {
  for (int status = 0;; std::this_thread::sleep_for(step)) {
    if (::waitpid(child, &status, WNOHANG) == child) return status;
    if (Clock::now() >= deadline) return std::nullopt;
  }
}

}  // namespace

ChildEnd run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments, std::chrono::milliseconds limit) {
  ChildEnd end;
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  Pipe out, errors;
  if (!out.made() || !errors.made()) return end;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return end;
  if (child == 0) become(program.c_str(), argv.data(), out.write_end(), errors.write_end(), parent);
  out.close_end(1), errors.close_end(1);
  const auto deadline = Clock::now() + limit;
  read_outputs(out.read_end(), errors.read_end(), deadline, end);
  const std::optional<int> status = wait_until(child, deadline);
  ::kill(-child, SIGKILL);  // what it started itself, or it
  if (!status) {
    end.how = ChildEnd::How::timed_out;
    wait_until(child, Clock::now() + patience_after_kill);  // one that a driver holds in the kernel stays; it is not waited for
  } else if (WIFEXITED(*status)) {
    end.code = WEXITSTATUS(*status);
    end.how = end.code == could_not_start ? ChildEnd::How::not_started : ChildEnd::How::exited;
  } else {
    end.how = ChildEnd::How::killed, end.code = WTERMSIG(*status);
  }
  return end;
}

}  // namespace lava::io
