#include "engine/server/jobs.h"

namespace lava::server {
namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Event failure(const Error& error) {
  Event event;
  event.kind = Event::Kind::failed;
  event.error = error;
  return event;
}

Event progress(const char* phase, int done, int total) {
  Event event;
  event.phase = phase;
  event.done = done;
  event.total = total;
  return event;
}

}  // namespace

std::optional<Event> Job::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, time, [&] { return !events_.empty(); })) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void Job::push(Event event) {
  {
    std::lock_guard lock(mutex_);
    // A slow reader need not see every step of a bar.
    if (event.kind == Event::Kind::progress && !events_.empty() && events_.back().kind == Event::Kind::progress && events_.back().phase == event.phase)
      events_.back() = std::move(event);
    else
      events_.push_back(std::move(event));
  }
  changed_.notify_one();
}

void JobQueue::start(std::function<Answerer*()> make) {
  thread_ = std::thread([this, make = std::move(make)] { work(make); });
}

Result<std::shared_ptr<Job>> JobQueue::submit(Work work) {
  auto job = std::make_shared<Job>(std::move(work));
  std::lock_guard lock(mutex_);
  if (stopped_) return tl::unexpected<Error>(*stopped_);
  if (static_cast<int>(waiting_.size()) >= limit_)
    return fail(Error::Kind::busy, "The engine is busy", std::to_string(limit_) + " requests are waiting already", "Try again in a moment");
  waiting_.push_back(job);
  report_places();
  changed_.notify_all();
  return job;
}

void JobQueue::report_places() {
  int ahead = running_ ? 1 : 0;
  for (const auto& job : waiting_) {
    if (ahead > 0) job->push(progress("queued", 0, ahead));
    ++ahead;
  }
}

void JobQueue::stop(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    if (!stopped_) stopped_ = error;
    if (running_) running_->cancel();
    for (const auto& job : waiting_) job->push(failure(error));
    waiting_.clear();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

bool JobQueue::idle() const {
  std::lock_guard lock(mutex_);
  return !running_ && waiting_.empty();
}

void JobQueue::work(const std::function<Answerer*()>& make) {
  Answerer* answerer = make();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
    if (stopped_) return;
    const std::shared_ptr<Job> job = waiting_.front();
    waiting_.pop_front();
    if (job->cancelled()) continue;
    running_ = job;
    report_places();
    lock.unlock();
    if (answerer)
      run(*answerer, *job);
    else
      job->push(failure({Error::Kind::internal, "No model is loaded", "", ""}));
    lock.lock();
    running_ = nullptr;
    report_places();
  }
}

Result<Event> JobQueue::work_on(Answerer& answerer, Job& job, Request& request) {
  request.on_progress = [&job](const char* phase, int done, int total) { job.push(progress(phase, done, total)); };
  request.on_text = [&job](std::string_view text, const TokenLogprob* logprob, const std::vector<TokenLogprob>& top) {
    Event event;
    event.kind = Event::Kind::text;
    event.text = text;
    if (logprob) event.logprob = *logprob;
    event.top = top;
    job.push(std::move(event));
  };
  Event event;
  LAVA_TRY(event.answer, answerer.answer(request));
  return event;
}

Result<Event> JobQueue::work_on(Answerer& answerer, Job&, DetectRequest& request) {
  Event event;
  LAVA_TRY(event.detections, answerer.detect(request));
  return event;
}

void JobQueue::run(Answerer& answerer, Job& job) {
  const double queue_ms = milliseconds_since(job.arrived_);
  auto event = std::visit([&](auto& request) { return work_on(answerer, job, request); }, job.work_);
  if (!event) {
    std::optional<Error> stopped;
    {
      std::lock_guard lock(mutex_);
      stopped = stopped_;
    }
    job.push(failure(stopped ? *stopped : event.error()));
    return;
  }
  event->kind = Event::Kind::done;
  event->queue_ms = queue_ms;
  job.push(std::move(*event));
}

}  // namespace lava::server
