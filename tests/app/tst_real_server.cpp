// The window's engine with the real one as the other computer: our server with the default model on a port of its own; skipped where one is not there.
#include <QFileInfo>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "app/chat/chosen_engine.h"
#include "app/library/model_library.h"
#include "tests/support/app/recorded.h"

using namespace lava;
using namespace lava::app;
using State = EngineLink::State;

namespace {

constexpr int patience_ms = 120000;
const QString token = "token-of-the-other-computer";

class OtherComputer {
 public:
  ~OtherComputer() { crash(); }
  bool start(const QString& port = "0") {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("LAVASCOPE_TOKEN", token);
    process_.setProcessEnvironment(environment);
    process_.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process_.start(QCoreApplication::applicationDirPath() + "/lavascope-engine", {"serve", "--model", "default", "--port", port});
    if (!process_.waitForReadyRead(patience_ms)) return false;
    place_ = {QUrl(QJsonDocument::fromJson(process_.readLine()).object()["listening"].toString()), token};
    return place_.address.port() > 0;
  }
  void crash() {
    process_.kill();
    process_.waitForFinished();
  }
  const ServerPlace& place() const { return place_; }

 private:
  QProcess process_;
  ServerPlace place_;
};

}  // namespace

class RealServerTest : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  MediaStore media_{home_.filePath("media")};

  AskTurn about_the_cat(const QString& words) const {
    return {Role::user, words, {media_.add_file(LAVA_SOURCE_DIR "/tests/fixtures/default/chelsea.png").value()}, {}};
  }

 private slots:
  void initTestCase() {
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    if (!QFileInfo(QCoreApplication::applicationDirPath() + "/lavascope-engine").isExecutable()) QSKIP("the engine is not built");
    if (const QString problem = default_model().problem; !problem.isEmpty()) QSKIP(qPrintable(problem));
  }

  void it_answers_as_an_engine_here_does() {
    OtherComputer other;
    QVERIFY(other.start());
    ChosenEngine engine(media_);
    engine.start({.program = "/no/engine/here"}, other.place());
    QTRY_COMPARE_WITH_TIMEOUT(engine.state(), State::ready, patience_ms);
    QVERIFY(engine.ours() && engine.vision() && engine.takes_regions());
    QVERIFY(!engine.backend().isEmpty() && !engine.device().isEmpty() && engine.memory_used() > 0);
    std::optional<int> tokens;
    engine.count_tokens(300, 300, this, [&](std::optional<int> told) { tokens = told; });
    QTRY_VERIFY_WITH_TIMEOUT(tokens > 0, patience_ms);
    Preparing* preparing = engine.prepare({about_the_cat({})}, this);
    QSignalSpy prepared(preparing, &Preparing::done);
    QTRY_COMPARE_WITH_TIMEOUT(prepared.size(), 1, patience_ms);
    Asking* asking = engine.ask({about_the_cat("Where is the cat?")}, {}, this);
    QSignalSpy done(asking, &Asking::done), progress(asking, &Asking::progress);
    QTRY_COMPARE_WITH_TIMEOUT(done.size(), 1, patience_ms);
    const auto answer = done[0][0].value<AnswerDone>();
    QCOMPARE(answer.text, recorded("chelsea.png", "Where is the cat?")["with_boxes"].toString());
    QCOMPARE(answer.boxes.at(0).label, QString("cat"));
    QVERIFY(answer.timings["cached_tokens"].toInt() > 0);  // it had looked ahead
    QVERIFY(!progress.isEmpty());
  }

  void it_dies_in_an_answer_and_is_found_again() {
    OtherComputer other;
    QVERIFY(other.start());
    ChosenEngine engine(media_);
    engine.start({}, other.place());
    QTRY_COMPARE_WITH_TIMEOUT(engine.state(), State::ready, patience_ms);
    AskOptions options;
    options.max_tokens = 4000;
    Asking* asking = engine.ask({{Role::user, "Write a long story about a dragon, a knight and a castle.", {}, {}}}, options, this);
    QSignalSpy failed(asking, &Asking::failed), finished(asking, &Asking::done);
    connect(asking, &Asking::text, this, [&] { other.crash(); }, Qt::SingleShotConnection);
    QTRY_VERIFY_WITH_TIMEOUT(failed.size() + finished.size() == 1, patience_ms);
    QCOMPARE(failed.size(), 1);
    QTRY_COMPARE_WITH_TIMEOUT(engine.state(), State::failed, patience_ms);
    QVERIFY(engine.lost());
    QVERIFY(other.start(QString::number(other.place().address.port())));
    QTRY_COMPARE_WITH_TIMEOUT(engine.state(), State::ready, patience_ms);  // nobody pressed anything
    Asking* next = engine.ask({about_the_cat("Where is the cat?")}, {}, this);
    QSignalSpy done(next, &Asking::done);
    QTRY_COMPARE_WITH_TIMEOUT(done.size(), 1, patience_ms);
  }
};

QTEST_GUILESS_MAIN(RealServerTest)
#include "tst_real_server.moc"
