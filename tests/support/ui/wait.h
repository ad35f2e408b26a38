// Waiting for what the event loop brings about.
#pragma once
#include <QTest>
#include <functional>

namespace lava::test {

// Whether it comes true within 20 s: long enough for a busy machine, and only a failure waits that long.
inline bool wait(const std::function<bool()>& until) { return QTest::qWaitFor(until, 20000); }

}  // namespace lava::test
