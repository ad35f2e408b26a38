#include "engine/io/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace lava::io {
namespace {

using namespace std::chrono_literals;
using How = ChildEnd::How;

ChildEnd shell(const std::string& script, std::chrono::milliseconds limit = 10s) { return run_child("/bin/sh", {"-c", script}, limit); }

TEST(ChildProcess, TellsHowItEndedAndWhatItWrote) {
  const ChildEnd end = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(end.how, How::exited);
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(end.out, "out\n");
  EXPECT_EQ(end.errors, "err\n");
  const ChildEnd crashed = shell("kill -SEGV $$");
  EXPECT_EQ(crashed.how, How::killed);
  EXPECT_EQ(crashed.code, SIGSEGV);
  EXPECT_EQ(run_child("/nowhere/at/all", {}, 1s).how, How::not_started);
}

TEST(ChildProcess, IsEndedWithItsOwnChildrenWhenItTakesTooLong) {
  for (const char* script : {"sleep 60", "sleep 60 & wait", "exec >&- 2>&-; sleep 60", "trap '' TERM; while :; do :; done"}) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(shell(script, 200ms).how, How::timed_out) << script;
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s) << script;
  }
  // One that ends and leaves another behind, which holds the outputs open.
  const ChildEnd left = shell("(echo $$; sleep 60) & exit 0", 500ms);
  EXPECT_EQ(left.how, How::exited);
}

TEST(ChildProcess, ManyWordsDoNotHoldItUp) {
  const ChildEnd end = shell("head -c 6000000 /dev/zero; head -c 6000000 /dev/zero >&2");
  EXPECT_EQ(end.how, How::exited);
  EXPECT_EQ(end.out.size(), size_t{4} << 20);
  EXPECT_EQ(end.errors.size(), size_t{4} << 20);
}

// Neither what this program reads, nor what it has open, nor the signals that it holds back.
TEST(ChildProcess, HasNothingOfOurs) {
  const int open = ::open("/etc/passwd", O_RDONLY);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  EXPECT_EQ(shell("cat").out, "");
  EXPECT_EQ(shell("ls /proc/self/fd | wc -l").out, "4\n");  // the fourth is the folder itself
  EXPECT_EQ(shell("kill -TERM $$; sleep 5").code, SIGTERM);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(open);
}

}  // namespace
}  // namespace lava::io
