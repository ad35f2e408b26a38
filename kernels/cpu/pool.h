// Threads that run one function together. The caller is lane 0; workers sit on distinct physical cores.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/lane.h"

namespace lava {

// Cores of this machine that the process may use (affinity mask and container quota), one logical CPU per physical core.
std::vector<int> usable_cores();

// Each lane counts its arrivals in a line of its own and looks at those of the others: one way between two cores, where a common counter takes three.
// Spins for a moment, then sleeps, so that a lane whose partner lost its core does not burn its own.
class Barrier {
 public:
  Barrier(int lanes, int64_t spin_ns) : spin_ns_(spin_ns), arrived_(static_cast<size_t>(lanes)) {}
  void wait(int lane);

 private:
  struct alignas(64) Count {
    std::atomic<uint32_t> value{0};
  };
  const int64_t spin_ns_;
  std::vector<Count> arrived_;
};

class ThreadPool {
 public:
  using Function = void (*)(void* context, const Lane& lane);

  // `scratch`: Lane::scratch_bytes for each thread, owned by the caller.
  ThreadPool(int threads, bool pin, std::byte* scratch);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(lanes_.size()); }
  // Runs `function` once on every lane and returns when all are done. Calls from several threads take turns;
  // a call from inside a region is a programmer error.
  void run(Function function, void* context);

 private:
  void work(int index);
  void start_workers(bool pin, const std::vector<int>& cores);
  void step_aside();

  int64_t spin_ns_;
  std::unique_ptr<Barrier> barrier_;
  std::vector<Lane> lanes_;
  std::vector<std::thread> workers_;
  std::vector<bool> taken_;      // by CPU number: a worker is pinned there
  int64_t stepped_aside_ns_ = 0;
  std::mutex turn_;
  Function function_ = nullptr;  // nullptr: workers leave
  void* context_ = nullptr;
  alignas(64) std::atomic<int> epoch_{0};
  alignas(64) std::atomic<int> running_{0};
};

}  // namespace lava
