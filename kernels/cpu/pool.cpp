#include "kernels/cpu/pool.h"

#include <chrono>
#include <fstream>
#include <string>

#include "kernels/check.h"

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif

namespace lava {
namespace {

constexpr int64_t spin_limit_ns = 20'000;  // a futex sleep and wake costs about this much

thread_local bool inside_region = false;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Returns when `value` is no longer `old`: spins up to `spin_ns`, then sleeps until notified.
template <class T>
void wait_while(const std::atomic<T>& value, T old, int64_t spin_ns) {
  for (int64_t start = 0; spin_ns > 0;) {
    for (int i = 0; i < 64; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      relax();
    }
    const int64_t now = now_ns();
    if (start == 0) start = now;  // the clock costs as much as a short wait
    if (now - start >= spin_ns) break;
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

#ifdef __linux__
// First CPU of the physical core of `cpu`; itself when the kernel does not tell.
int core_leader(int cpu) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
  int leader = cpu;
  if (!(file >> leader) || leader < 0) return cpu;
  return leader;
}

// CPUs that a container's quota grants, rounded up; 0: no quota.
int quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  const double granted = std::strtod(quota.c_str(), nullptr) / period;
  return granted > 0 && granted < 4096 ? static_cast<int>(granted + 0.999) : 0;
}
#endif

}  // namespace

std::vector<int> usable_cores() {
  std::vector<int> cores;
#ifdef __linux__
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) {
    std::vector<int> leaders;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &mask)) continue;
      const int leader = core_leader(cpu);
      bool known = false;
      for (const int other : leaders) known |= other == leader;
      if (known) continue;
      leaders.push_back(leader);
      cores.push_back(cpu);
    }
  }
  const int quota = quota_cores();
  if (quota > 0 && quota < static_cast<int>(cores.size())) cores.resize(quota);
#endif
  if (cores.empty()) {
    const int count = std::max(1u, std::thread::hardware_concurrency());
    for (int i = 0; i < count; ++i) cores.push_back(i);
  }
  return cores;
}

void barrier_wait(Barrier& barrier, int lane) { barrier.wait(lane); }

void Barrier::wait(int lane) {
  std::atomic<uint32_t>& own = arrived_[static_cast<size_t>(lane)].value;
  const uint32_t round = own.load(std::memory_order_relaxed) + 1;
  own.store(round, std::memory_order_seq_cst);  // before notify looks for sleepers
  own.notify_all();
  for (const Count& other : arrived_) {
    // Who has left already may have arrived at the next one, never further.
    for (uint32_t seen; (seen = other.value.load(std::memory_order_acquire)) == round - 1;) wait_while(other.value, seen, spin_ns_);
  }
}

ThreadPool::ThreadPool(int threads, bool pin, std::byte* scratch) {
  LAVA_CHECK(threads >= 1 && scratch != nullptr);
  const std::vector<int> cores = usable_cores();
  const bool crowded = threads > static_cast<int>(cores.size());
  spin_ns_ = crowded ? 0 : spin_limit_ns;  // spinning would keep the partner off its core
  barrier_ = std::make_unique<Barrier>(threads, spin_ns_);
  for (int i = 0; i < threads; ++i) lanes_.push_back({i, threads, barrier_.get(), scratch + i * Lane::scratch_bytes});
  start_workers(pin && !crowded, cores);
}

// The caller's thread keeps its affinity: threads that it starts later would inherit a mask (see step_aside).
void ThreadPool::start_workers([[maybe_unused]] bool pin, [[maybe_unused]] const std::vector<int>& cores) {
  for (int i = 1; i < size(); ++i) {
    workers_.emplace_back(&ThreadPool::work, this, i);
#ifdef __linux__
    if (pin) {
      cpu_set_t mask;
      CPU_ZERO(&mask);
      CPU_SET(cores[i], &mask);
      if (pthread_setaffinity_np(workers_.back().native_handle(), sizeof(mask), &mask) != 0) continue;
      if (static_cast<size_t>(cores[i]) >= taken_.size()) taken_.resize(cores[i] + 1);
      taken_[cores[i]] = true;
    }
#endif
  }
}

// A caller that happens to run on a worker's core would halve the speed until the scheduler notices: move it off and give its mask back.
// Not more often than every 10 ms, or on a busy machine the two would quarrel.
void ThreadPool::step_aside() {
#ifdef __linux__
  const int cpu = sched_getcpu();
  if (cpu < 0 || static_cast<size_t>(cpu) >= taken_.size() || !taken_[cpu]) return;
  const int64_t now = now_ns();
  if (now - stepped_aside_ns_ < 10'000'000) return;
  stepped_aside_ns_ = now;
  cpu_set_t all, free;
  if (pthread_getaffinity_np(pthread_self(), sizeof(all), &all) != 0) return;
  free = all;
  for (size_t i = 0; i < taken_.size(); ++i) {
    if (taken_[i]) CPU_CLR(i, &free);
  }
  if (CPU_COUNT(&free) == 0 || pthread_setaffinity_np(pthread_self(), sizeof(free), &free) != 0) return;
  pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
#endif
}

ThreadPool::~ThreadPool() {
  function_ = nullptr;
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(Function function, void* context) {
  LAVA_CHECK(!inside_region);
  const std::lock_guard turn(turn_);
  inside_region = true;
  if (size() > 1) {
    step_aside();
    function_ = function, context_ = context;
    running_.store(size() - 1, std::memory_order_relaxed);
    epoch_.fetch_add(1, std::memory_order_release);
    epoch_.notify_all();
  }
  function(context, lanes_[0]);
  for (int left = running_.load(std::memory_order_acquire); left != 0; left = running_.load(std::memory_order_acquire)) {
    wait_while(running_, left, spin_ns_);
  }
  inside_region = false;
}

void ThreadPool::work(int index) {
  inside_region = true;
  for (int seen = 0;; ++seen) {
    wait_while(epoch_, seen, spin_ns_);
    if (function_ == nullptr) return;
    function_(context_, lanes_[index]);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_all();
  }
}

}  // namespace lava
