// Requests wait in a queue of stated length and run one at a time on the model's own thread; their events travel to the connection.
// Preparations wait in a line of their own and hold up nobody: they run when no question waits, and end when one comes that they are not for.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "engine/server/answerer.h"

namespace lava::server {

struct Event {
  enum class Kind { progress, text, done, failed } kind = Kind::progress;
  std::string phase;  // progress
  int done = 0, total = 0;
  std::string text;
  std::optional<TokenLogprob> logprob;
  std::vector<TokenLogprob> top;
  Answer answer;  // done
  Detections detections;  // done, of a DetectRequest
  Prepared prepared;      // done, of a PrepareRequest
  double queue_ms = 0;
  Error error;    // failed
};

struct PrepareRequest : Request {};  // for Answerer::prepare()

using Work = std::variant<Request, DetectRequest, PrepareRequest>;

class Job {
 public:
  explicit Job(Work work) : work_(std::move(work)) {
    std::visit([this](auto& request) { request.cancel = &cancel_; }, work_);
  }
  void cancel() { cancel_.store(true); }
  bool cancelled() const { return cancel_.load(); }
  bool ahead() const { return std::holds_alternative<PrepareRequest>(work_); }
  // The next event, or nothing when none came within the time.
  std::optional<Event> wait(std::chrono::milliseconds time);

 private:
  friend class JobQueue;
  void push(Event event);
  // Whether this is a question that `other` prepares.
  bool follows(const Job& other) const;

  Work work_;
  std::atomic<bool> cancel_{false}, overtaken_{false};
  std::chrono::steady_clock::time_point arrived_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
};

class JobQueue {
 public:
  explicit JobQueue(int limit) : limit_(limit) {}
  ~JobQueue() { stop({Error::Kind::internal, "The engine is shutting down", "", ""}); }

  // Makes the model on the worker thread, then serves jobs until stop(). `make` reports its own failure.
  void start(std::function<Answerer*()> make);
  Result<std::shared_ptr<Job>> submit(Work work);
  // Ends running and waiting jobs with the error.
  void stop(const Error& error);
  bool idle() const;

 private:
  void work(const std::function<Answerer*()>& make);
  void run(Answerer& answerer, Job& job);
  static Result<Event> work_on(Answerer& answerer, Job& job, Request& request);
  static Result<Event> work_on(Answerer& answerer, Job& job, DetectRequest& request);
  Result<Event> work_on(Answerer& answerer, Job& job, PrepareRequest& request);
  Error ending(const Job& job, const Error& error) const;
  // With mutex_ held:
  std::shared_ptr<Job> next();
  void report_places();
  Job* follower() const;  // the question at the head of the queue, when it is the one that the running preparation is for
  void give_way();
  void forget_left();

  const int limit_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> waiting_, ahead_;
  std::shared_ptr<Job> running_;
  std::optional<Event> prepared_so_far_;  // the last progress of the running preparation
  std::optional<Error> stopped_;
  std::thread thread_;
};

}  // namespace lava::server
