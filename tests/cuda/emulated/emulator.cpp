#include "tests/cuda/emulated/emulator.h"

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace lava::emulator {
namespace {

constexpr int warp_size = 32, most_threads = 1024;
constexpr size_t stack_bytes = size_t{128} << 10, most_shared = size_t{227} << 10;

enum class State { ready, in_block, in_warp, done };

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
};

struct Fibre {
  std::unique_ptr<std::byte[]> stack;
  ucontext_t context;
  jmp_buf jump;
  bool started = false, waited = false;
  State state = State::done;
  bool parity = false;  // exchanges alternate between two sets of slots: one wait each is enough
  std::byte slot[2][slot_bytes];
  std::vector<Copy> copies;   // that have not landed
  std::vector<size_t> groups; // where each open group of them ends
};

struct Machine {
  std::vector<Fibre> fibres{most_threads};
  std::vector<std::byte> shared = std::vector<std::byte>(most_shared + 16);
  jmp_buf scheduler;
  ucontext_t start;
  size_t asked = 0;  // of shared memory
  int threads = 0, current = 0;
  bool early = false;
  const std::function<void()>* kernel = nullptr;
  uint64_t random = 1;
};

Machine& machine() {
  static Machine m;
  return m;
}

uint64_t next_random() {
  Machine& m = machine();
  m.random = m.random * 6364136223846793005u + 1442695040888963407u;
  return m.random >> 33;
}

[[noreturn]] void stop(const char* why) {
  std::fprintf(stderr, "emulated kernel: %s (block %u %u, thread %d)\n", why, blockIdx.x, blockIdx.y, machine().current);
  std::abort();
}

void fibre_main() {
  Machine& m = machine();
  (*m.kernel)();
  Fibre& f = m.fibres[static_cast<size_t>(m.current)];
  if (m.early && !f.waited) stop("a thread of a kernel that may begin early did not wait for the one before");
  if (!f.copies.empty()) stop("a thread ends while it still copies");
  f.state = State::done;
  _longjmp(m.scheduler, 1);
}

void yield(State state) {
  Machine& m = machine();
  Fibre& f = m.fibres[static_cast<size_t>(m.current)];
  f.state = state;
  if (_setjmp(f.jump) == 0) _longjmp(m.scheduler, 1);
}

void resume(int index) {
  Machine& m = machine();
  Fibre& f = m.fibres[static_cast<size_t>(index)];
  m.current = index;
  threadIdx = dim3(static_cast<unsigned>(index), 0, 0);
  if (_setjmp(m.scheduler) != 0) return;
  if (f.started) _longjmp(f.jump, 1);
  f.started = true;
  getcontext(&f.context);
  f.context.uc_stack.ss_sp = f.stack.get(), f.context.uc_stack.ss_size = stack_bytes, f.context.uc_link = nullptr;
  makecontext(&f.context, fibre_main, 0);
  setcontext(&f.context);
}

// Lets waiting threads go whose barrier is complete. False: nobody could.
bool release() {
  Machine& m = machine();
  bool any = false;
  int live = 0, in_block = 0;
  for (int first = 0; first < m.threads; first += warp_size) {
    const int end = std::min(first + warp_size, m.threads);
    int in_warp = 0;
    for (int i = first; i < end; ++i) {
      const State s = m.fibres[static_cast<size_t>(i)].state;
      live += s != State::done, in_block += s == State::in_block, in_warp += s == State::in_warp;
    }
    if (in_warp == 0) continue;
    if (in_warp < end - first || end - first < warp_size) stop("lanes of a warp are missing in an exchange");
    for (int i = first; i < end; ++i) m.fibres[static_cast<size_t>(i)].state = State::ready;
    any = true;
  }
  if (any || live == 0) return any;
  if (in_block < live) stop("threads of the block wait for different things");
  for (int i = 0; i < m.threads; ++i) {
    if (m.fibres[static_cast<size_t>(i)].state == State::in_block) m.fibres[static_cast<size_t>(i)].state = State::ready;
  }
  return true;
}

void run_block() {
  Machine& m = machine();
  std::vector<int> order(static_cast<size_t>(m.threads));
  for (int i = 0; i < m.threads; ++i) {
    Fibre& f = m.fibres[static_cast<size_t>(i)];
    if (!f.stack) f.stack = std::make_unique<std::byte[]>(stack_bytes);
    f.groups.clear();
    f.state = State::ready, f.started = f.waited = f.parity = false, order[static_cast<size_t>(i)] = i;
  }
  do {
    for (size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[next_random() % i]);
    }
    for (const int i : order) {
      if (m.fibres[static_cast<size_t>(i)].state == State::ready) resume(i);
    }
  } while (release());
}

}  // namespace

void run_grid(const dim3& grid, int threads, size_t shared, bool early, const std::function<void()>& kernel) {
  Machine& m = machine();
  if (threads < 1 || threads > most_threads || shared > most_shared || grid.y > 65535 || grid.z > 65535) stop("the launch asks for too much");
  m.threads = threads, m.asked = shared, m.early = early, m.kernel = &kernel;
  gridDim = grid, blockDim = dim3(static_cast<unsigned>(threads));
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = dim3(x, y, z);
        std::fill(m.shared.begin(), m.shared.end(), std::byte{0xff});  // NaN, for whoever reads before writing
        run_block();
      }
    }
  }
}

std::byte* dynamic_shared() { return reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(machine().shared.data()) + 15) / 16 * 16); }
void wait_for_previous() { machine().fibres[static_cast<size_t>(machine().current)].waited = true; }
// Reads a byte of each line, so that the sanitizers see what lies outside of its buffer.
void fetch_ahead(const std::byte* data, int64_t bytes) {
  if (machine().fibres[static_cast<size_t>(machine().current)].waited) stop("memory is asked for ahead when the wait is over");
  constexpr int64_t line = 128;
  for (int64_t at = line * threadIdx.x; at < bytes; at += line * blockDim.x) static_cast<void>(*const_cast<const volatile std::byte*>(data + at));
}
void wait_block() { yield(State::in_block); }
void wait_warp() { yield(State::in_warp); }

std::byte* own_slot() {
  Fibre& f = machine().fibres[static_cast<size_t>(machine().current)];
  f.parity = !f.parity;
  return f.slot[f.parity];
}
const std::byte* slot_of(int lane) {
  Machine& m = machine();
  const Fibre& own = m.fibres[static_cast<size_t>(m.current)];
  return m.fibres[static_cast<size_t>(m.current / warp_size * warp_size + lane)].slot[own.parity];
}
int lane() { return machine().current % warp_size; }

void copy_later(void* to, const void* from, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(to) % bytes != 0 || reinterpret_cast<uintptr_t>(from) % bytes != 0) stop("a copy is not aligned");
  const std::byte *first = dynamic_shared(), *at = static_cast<std::byte*>(to);
  if (at < first || at + bytes > first + machine().asked) stop("a copy misses the shared memory that the launch asked for");
  if (next_random() % 2 == 0) std::memcpy(to, from, bytes);
  else machine().fibres[static_cast<size_t>(machine().current)].copies.push_back({to, from, bytes});
}
void close_copies() {
  Fibre& f = machine().fibres[static_cast<size_t>(machine().current)];
  f.groups.push_back(f.copies.size());
}
void wait_copies(int groups) {
  Fibre& f = machine().fibres[static_cast<size_t>(machine().current)];
  const size_t done = f.groups.size() > static_cast<size_t>(groups) ? f.groups.size() - static_cast<size_t>(groups) : 0;
  if (done == 0) return;
  const size_t landed = f.groups[done - 1];
  for (size_t i = 0; i < landed; ++i) std::memcpy(f.copies[i].to, f.copies[i].from, f.copies[i].bytes);
  f.copies.erase(f.copies.begin(), f.copies.begin() + static_cast<ptrdiff_t>(landed));
  f.groups.erase(f.groups.begin(), f.groups.begin() + static_cast<ptrdiff_t>(done));
  for (size_t& end : f.groups) end -= landed;
}

}  // namespace lava::emulator
