// Pictures kept by hash: what goes in, what comes out, and what is refused.
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QtTest>
#include <thread>

#include "app/media/media_store.h"

using namespace lava::app;

namespace {
const QString chelsea = LAVA_SOURCE_DIR "/tests/fixtures/default/chelsea.png";

QByteArray bytes_of(const QString& path) {
  QFile file(path);
  return file.open(QFile::ReadOnly) ? file.readAll() : QByteArray();
}
QString text(const std::string& s) { return QString::fromStdString(s); }
}  // namespace

class MediaStoreTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_{QDir::tempPath() + "/lava-mediä-XXXXXX"};

 private slots:
  void a_picture_goes_in_and_out();
  void the_same_picture_is_kept_once();
  void refused_data();
  void refused();
  void a_changed_file_is_noticed();
  void a_cut_file_is_written_again();
  void names_that_are_no_hash();
  void a_folder_that_cannot_be_made();
  void many_threads();
  void a_picture_takes_the_memory_it_needs();
};

void MediaStoreTest::a_picture_takes_the_memory_it_needs() {
  const auto picture = load_picture(chelsea);
  QVERIFY(picture);
  QCOMPARE(picture->bytes, bytes_of(chelsea));
  QVERIFY2(picture->bytes.capacity() < 2 * picture->bytes.size(), qPrintable(QString::number(picture->bytes.capacity())));
}

void MediaStoreTest::a_picture_goes_in_and_out() {
  const MediaStore store(folder_.filePath("one"));
  const auto a = store.add_file(chelsea);
  QVERIFY2(a, a ? "" : a.error().message().c_str());
  QCOMPARE(a->name, QString("chelsea.png"));
  QCOMPARE(a->mime, QString("image/png"));
  QCOMPARE(QSize(a->width, a->height), QSize(300, 300));
  QCOMPARE(a->sha256, QString::fromLatin1(QCryptographicHash::hash(bytes_of(chelsea), QCryptographicHash::Sha256).toHex()));
  QCOMPARE(store.path(a->sha256), folder_.filePath("one") + "/" + a->sha256.left(2) + "/" + a->sha256);
  QCOMPARE(*store.read(a->sha256), bytes_of(chelsea));
}

void MediaStoreTest::the_same_picture_is_kept_once() {
  const MediaStore store(folder_.filePath("same"));
  const auto a = store.add(bytes_of(chelsea), "a.png");
  const QDateTime written = QFileInfo(store.path(a->sha256)).lastModified();
  QTest::qWait(20);
  const auto b = store.add(bytes_of(chelsea), "b.jpg");
  QCOMPARE(a->sha256, b->sha256);
  QCOMPARE(b->name, QString("b.jpg"));
  QCOMPARE(b->mime, QString("image/png"));  // by content, not by name
  QCOMPARE(QFileInfo(store.path(a->sha256)).lastModified(), written);
}

void MediaStoreTest::refused_data() {
  QTest::addColumn<QByteArray>("content");
  QTest::newRow("nothing") << QByteArray();
  QTest::newRow("text") << QByteArray("this is no picture\n");
  QTest::newRow("half") << bytes_of(chelsea).left(40000);
  QTest::newRow("head alone") << bytes_of(chelsea).left(60);
}

void MediaStoreTest::refused() {
  QFETCH(QByteArray, content);
  const MediaStore store(folder_.filePath("refused"));
  const QString path = folder_.filePath("holiday.png");
  QFile file(path);
  QVERIFY(file.open(QFile::WriteOnly));
  file.write(content);
  file.close();
  const auto a = store.add_file(path);
  QVERIFY(!a);
  QVERIFY2(text(a.error().message()).contains("holiday.png"), a.error().message().c_str());
  QVERIFY(!QDir(folder_.filePath("refused")).exists());
  QVERIFY(!store.add_file(folder_.filePath("missing.png")));
  QVERIFY(!store.add_file(folder_.path()));
}

void MediaStoreTest::a_changed_file_is_noticed() {
  const MediaStore store(folder_.filePath("changed"));
  const auto a = store.add_file(chelsea);
  QFile file(store.path(a->sha256));
  QVERIFY(file.open(QFile::ReadWrite));
  file.seek(1000);
  file.write("x");
  file.close();
  const auto read = store.read(a->sha256);
  QVERIFY(!read);
  QVERIFY(text(read.error().message()).contains("damaged"));
}

void MediaStoreTest::a_cut_file_is_written_again() {
  const MediaStore store(folder_.filePath("cut"));
  const auto a = store.add_file(chelsea);
  QVERIFY(QFile::resize(store.path(a->sha256), 100));
  QVERIFY(store.add_file(chelsea));
  QCOMPARE(*store.read(a->sha256), bytes_of(chelsea));
}

void MediaStoreTest::names_that_are_no_hash() {
  const MediaStore store(folder_.filePath("names"));
  for (const char* name : {"", "..", "../../etc/passwd", "ABCDEF", "g000000000000000000000000000000000000000000000000000000000000000"}) {
    QVERIFY(store.path(name).isEmpty());
    QVERIFY(!store.read(name));
  }
  QVERIFY(store.path(QString(64, 'a') + "\n").isEmpty());
  QVERIFY(!store.read(QString(64, 'a')));
}

void MediaStoreTest::a_folder_that_cannot_be_made() {
  const QString file = folder_.filePath("plain");
  QVERIFY(QFile(file).open(QFile::WriteOnly));
  const auto a = MediaStore(file + "/media").add_file(chelsea);
  QVERIFY(!a);
  QVERIFY(text(a.error().message()).contains("plain"));
}

void MediaStoreTest::many_threads() {
  const MediaStore store(folder_.filePath("threads"));
  std::vector<std::thread> threads;
  std::atomic<int> fine = 0;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { fine += store.add_file(chelsea).has_value(); });
  for (std::thread& thread : threads) thread.join();
  QCOMPARE(fine.load(), 8);
  QCOMPARE(QDir(QFileInfo(store.path(store.add_file(chelsea)->sha256)).path()).entryList(QDir::Files).size(),
           1);  // no temporary file stays
}

QTEST_GUILESS_MAIN(MediaStoreTest)
#include "tst_media_store.moc"
