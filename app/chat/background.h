// One background thread for reads, decoding and small files. Values come back on the thread of `context`, or not at all once it is gone.
#pragma once
#include <QThreadPool>
#include <QtConcurrent/QtConcurrentRun>

namespace lava::app {

class Background {
 public:
  Background() {
    pool_.setMaxThreadCount(1);
    pool_.setExpiryTimeout(-1);
  }
  ~Background() { pool_.waitForDone(); }

  template <class Work, class Then>
  void run(QObject* context, Work work, Then then) {
    QtConcurrent::run(&pool_, std::move(work)).then(context, std::move(then));
  }
  template <class Work>
  void run(Work work) {
    pool_.start(std::move(work));
  }
  void wait() { pool_.waitForDone(); }

 private:
  QThreadPool pool_;
};

}  // namespace lava::app
