#include "engine/server/jobs.h"

#include <algorithm>

#include "engine/core/ahead.h"

namespace lava::server {
namespace {

constexpr size_t most_ahead = 8;  // preparations that may wait

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

const Error cancelled_error{Error::Kind::cancelled, "The request was cancelled", "", ""};

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

bool Job::follows(const Job& other) const {
  const auto* question = std::get_if<Request>(&work_);
  const auto* preparation = std::get_if<PrepareRequest>(&other.work_);
  return question && preparation && prepares(*preparation, *question);
}

void JobQueue::start(std::function<Answerer*()> make) {
  thread_ = std::thread([this, make = std::move(make)] { work(make); });
}

Result<std::shared_ptr<Job>> JobQueue::submit(Work work) {
  auto job = std::make_shared<Job>(std::move(work));
  std::lock_guard lock(mutex_);
  if (stopped_) return tl::unexpected<Error>(*stopped_);
  std::deque<std::shared_ptr<Job>>& line = job->ahead() ? ahead_ : waiting_;
  const size_t most = job->ahead() ? most_ahead : static_cast<size_t>(limit_);
  if (job->ahead()) forget_left();
  if (line.size() >= most)
    return fail(Error::Kind::busy, "The engine is busy", std::to_string(most) + " requests are waiting already", "Try again in a moment");
  line.push_back(job);
  report_places();
  give_way();
  if (follower() == job.get() && prepared_so_far_) job->push(*prepared_so_far_);
  changed_.notify_all();
  return job;
}

// Clients of preparations come and go with what the user attaches; those that left take no place.
void JobQueue::forget_left() {
  std::erase_if(ahead_, [](const std::shared_ptr<Job>& job) {
    const bool left = job->cancelled();
    if (left) job->push(failure(cancelled_error));
    return left;
  });
}

Job* JobQueue::follower() const {
  if (!running_ || !running_->ahead()) return nullptr;
  const auto first = std::find_if(waiting_.begin(), waiting_.end(), [](const auto& job) { return !job->cancelled(); });
  return first != waiting_.end() && (*first)->follows(*running_) ? first->get() : nullptr;
}

// A question that comes while something is prepared waits only for what it would have to do itself.
void JobQueue::give_way() {
  const bool asked = std::any_of(waiting_.begin(), waiting_.end(), [](const auto& job) { return !job->cancelled(); });
  if (!asked || !running_ || !running_->ahead() || follower()) return;
  running_->overtaken_ = true;
  running_->cancel();
}

void JobQueue::report_places() {
  int ahead = running_ && !running_->ahead() ? 1 : 0;
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
    for (auto* line : {&waiting_, &ahead_}) {
      for (const auto& job : *line) job->push(failure(error));
      line->clear();
    }
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

bool JobQueue::idle() const {
  std::lock_guard lock(mutex_);
  return !running_ && waiting_.empty() && ahead_.empty();
}

std::shared_ptr<Job> JobQueue::next() {
  std::deque<std::shared_ptr<Job>>& line = waiting_.empty() ? ahead_ : waiting_;
  std::shared_ptr<Job> job = std::move(line.front());
  line.pop_front();
  return job;
}

void JobQueue::work(const std::function<Answerer*()>& make) {
  Answerer* answerer = make();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty() || !ahead_.empty(); });
    if (stopped_) return;
    const std::shared_ptr<Job> job = next();
    if (job->cancelled()) {
      job->push(failure(cancelled_error));
      continue;
    }
    running_ = job;
    prepared_so_far_.reset();
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

// A question that waits for this very preparation is told how far it is.
Result<Event> JobQueue::work_on(Answerer& answerer, Job&, PrepareRequest& request) {
  request.on_progress = [this](const char* phase, int done, int total) {
    std::lock_guard lock(mutex_);
    prepared_so_far_ = progress(phase, done, total);
    give_way();  // the question that it was for may have left
    if (Job* question = follower()) question->push(*prepared_so_far_);
  };
  Event event;
  LAVA_TRY(event.prepared, answerer.prepare(request));
  return event;
}

Error JobQueue::ending(const Job& job, const Error& error) const {
  std::lock_guard lock(mutex_);
  if (stopped_) return *stopped_;
  if (job.overtaken_ && error.kind == Error::Kind::cancelled)
    return {Error::Kind::cancelled, "The preparation gave way", "a question came that it was not for", "Prepare again when that is answered"};
  return error;
}

void JobQueue::run(Answerer& answerer, Job& job) {
  const double queue_ms = milliseconds_since(job.arrived_);
  auto event = std::visit([&](auto& request) { return work_on(answerer, job, request); }, job.work_);
  if (!event) return job.push(failure(ending(job, event.error())));
  event->kind = Event::Kind::done;
  event->queue_ms = queue_ms;
  job.push(std::move(*event));
}

}  // namespace lava::server
