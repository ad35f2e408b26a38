// Drawing a region in the picture viewer, with the mouse and with keys.
#include <QCursor>
#include <QTest>

#include "tests/support/ui/window_fixture.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using lava::test::FakeAsking;
using lava::test::WindowFixture;

namespace {

using lava::test::wait;

QRectF box(double x1, double y1, double x2, double y2) {
  return {QPointF(x1, y1), QPointF(x2, y2)};
}

// The viewer over a chat with one picture, drawing.
QQuickItem* drawing_viewer(WindowFixture& f) {
  if (!f.ask_with_box()) return nullptr;
  f.find("phrase")->forceActiveFocus(Qt::TabFocusReason);
  f.key(Qt::Key_Return);
  if (!f.wait_for("viewer")) return nullptr;
  f.key(Qt::Key_R);
  return f.wait_for("draw_layer");
}

// Where a pixel of the picture lies in the window.
QPoint at_pixel(QQuickItem* layer, QPointF pixel) {
  const QRectF place = layer->property("place").toRectF();
  const QSizeF size = layer->property("picture").toSizeF();
  return layer->mapToScene(place.topLeft() + QPointF(pixel.x() * place.width() / size.width(), pixel.y() * place.height() / size.height())).toPoint();
}

void drag(WindowFixture& f, QPoint from, QPoint to) {
  QTest::mousePress(f.window, Qt::LeftButton, Qt::NoModifier, from);
  QTest::mouseMove(f.window, (from + to) / 2);
  QTest::mouseMove(f.window, to);
  QTest::mouseRelease(f.window, Qt::LeftButton, Qt::NoModifier, to);
}

bool near(const QRectF& region, const QRectF& wanted, double pixels) {
  const auto close = [&](double a, double b) { return std::abs(a - b) <= pixels; };
  return close(region.left(), wanted.left()) && close(region.top(), wanted.top()) && close(region.right(), wanted.right()) && close(region.bottom(), wanted.bottom());
}

}  // namespace

class TestDrawing : public QObject {
  Q_OBJECT

 private slots:
  void a_drawn_box_reaches_the_engine() {
    WindowFixture f;
    QQuickItem* layer = drawing_viewer(f);
    QVERIFY(layer);
    drag(f, at_pixel(layer, {300, 200}), at_pixel(layer, {100, 50}));  // from the lower right to the upper left
    QVERIFY(f.wait_for("region_asker"));
    QVERIFY(wait([&] { return f.find("region_field")->hasActiveFocus(); }));
    f.type("what color is it?");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    QVERIFY(!f.find("viewer"));
    const auto& turns = f.engine.questions[1].turns;
    QCOMPARE(turns.size(), size_t{3});
    QCOMPARE(turns[0].pictures.size(), size_t{1});
    QCOMPARE(turns[0].regions.size(), size_t{1});
    QVERIFY(near(turns[0].regions[0], box(100, 50, 300, 200), 2));
    QVERIFY(turns[2].pictures.empty() && turns[2].regions.empty());
    QCOMPARE(turns[2].text, QString("what color is it [region]?"));
    QCOMPARE(f.entry("user")["text"].toString(), QString("what color is it?"));
    f.engine.last()->finish("Brown.");
    QVERIFY(wait([&] { return f.idle() && f.find("pointed"); }));
    f.click(f.find("pointed")->childItems()[0]);
    QVERIFY(f.wait_for("viewer"));
    QVERIFY(!f.find("draw_layer"));
    QCOMPARE(f.warnings, QStringList());
  }

  void the_button_draws_and_one_click_asks() {
    WindowFixture f;
    QVERIFY(f.ask_with_box());
    f.find("phrase")->forceActiveFocus(Qt::TabFocusReason);
    f.key(Qt::Key_Return);
    QVERIFY(f.wait_for("draw_button"));
    f.click(f.find("draw_button"));
    QQuickItem* layer = f.wait_for("draw_layer");
    QVERIFY(layer);
    QCOMPARE(layer->childItems()[0]->cursor().shape(), Qt::CrossCursor);
    drag(f, at_pixel(layer, {20, 20}), at_pixel(layer, {90, 90}));
    QVERIFY(f.wait_for("what_is_this"));
    f.click(f.find("what_is_this"));
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    QCOMPARE(f.engine.questions[1].turns[2].text, QString("What is this [region]?"));
  }

  void what_lies_outside_is_cut_off_and_a_click_is_no_box() {
    WindowFixture f;
    QQuickItem* layer = drawing_viewer(f);
    QVERIFY(layer);
    drag(f, at_pixel(layer, {50, 50}), at_pixel(layer, {50, 50}) + QPoint(3, 3));
    QVERIFY(!layer->property("has_box").toBool() && !f.find("region_asker"));
    drag(f, at_pixel(layer, {0, 0}) - QPoint(20, 20), at_pixel(layer, {60, 40}));
    QVERIFY(f.wait_for("region_asker"));
    QVERIFY(near(layer->property("box").toRectF(), box(0, 0, 60, 40), 2));
    QCOMPARE(layer->property("box").toRectF().topLeft(), QPointF(0, 0));
    QQuickItem* asker = f.find("region_asker");
    const QRectF place = asker->mapRectToScene(asker->boundingRect());
    QVERIFY(QRectF(0, 0, f.window->width(), f.window->height()).contains(place));
  }

  void escape_leaves_step_by_step() {
    WindowFixture f;
    QQuickItem* layer = drawing_viewer(f);
    QVERIFY(layer);
    drag(f, at_pixel(layer, {100, 50}), at_pixel(layer, {300, 200}));
    QVERIFY(f.wait_for("region_asker"));
    f.key(Qt::Key_Escape);
    QVERIFY(!f.find("region_asker") && f.find("draw_layer") && !layer->property("has_box").toBool());
    f.key(Qt::Key_Escape);
    QVERIFY(!f.find("draw_layer") && f.find("viewer"));
    f.key(Qt::Key_Escape);
    QVERIFY(!f.find("viewer"));
    QCOMPARE(f.engine.questions.size(), size_t{1});
  }

  void keys_draw_too() {
    WindowFixture f;
    QQuickItem* layer = drawing_viewer(f);
    QVERIFY(layer);
    f.key(Qt::Key_Return);
    const QRectF middle = layer->property("box").toRectF();
    QVERIFY(middle.width() > 100 && middle.height() > 50);
    f.key(Qt::Key_Right);
    f.key(Qt::Key_Down, Qt::ShiftModifier);
    const QRectF moved = layer->property("box").toRectF();
    QVERIFY(moved.left() > middle.left() && moved.height() > middle.height() && moved.width() == middle.width());
    for (int i = 0; i < 80; ++i) f.key(Qt::Key_Right);
    QCOMPARE(layer->property("box").toRectF().right(), layer->property("picture").toSizeF().width());
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.find("region_field") && f.find("region_field")->hasActiveFocus(); }));
    f.type("r?");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    QCOMPARE(f.engine.questions[1].turns[2].text, QString("r [region]?"));
  }

  void nothing_is_sent_while_an_answer_is_written() {
    WindowFixture f;
    QVERIFY(f.ask_with_box());
    FakeAsking* asking = f.ask("And now?");
    QVERIFY(asking);
    f.find("phrase")->forceActiveFocus(Qt::TabFocusReason);
    f.key(Qt::Key_Return);
    QVERIFY(f.wait_for("viewer"));
    f.key(Qt::Key_R);
    QQuickItem* layer = f.wait_for("draw_layer");
    QVERIFY(layer);
    drag(f, at_pixel(layer, {100, 50}), at_pixel(layer, {200, 200}));
    QVERIFY(f.wait_for("region_field"));
    f.type("what");
    f.key(Qt::Key_Return);
    QVERIFY(f.find("viewer") && !f.find("what_is_this")->isEnabled());
    QCOMPARE(f.engine.questions.size(), size_t{2});
    asking->finish("Nothing.");
    QVERIFY(wait([&] { return f.idle() && f.find("what_is_this")->isEnabled(); }));
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 3; }));
    QCOMPARE(f.engine.questions[2].turns.back().text, QString("what [region]"));
  }

  void the_mini_composer_fits_a_small_window_and_large_words() {
    WindowFixture f;
    f.window->resize(480, 520);
    QQuickItem* layer = drawing_viewer(f);
    QVERIFY(layer);
    for (int i = 0; i < 10; ++i) f.key(Qt::Key_Equal, Qt::ControlModifier);
    drag(f, at_pixel(layer, {180, 150}), at_pixel(layer, {290, 280}));
    QQuickItem* asker = f.wait_for("region_asker");
    QVERIFY(asker);
    const QRectF place = asker->mapRectToScene(asker->boundingRect());
    QVERIFY(QRectF(0, 0, 480, 520).contains(place));
    f.key(Qt::Key_0, Qt::ControlModifier);
  }
};

QTEST_MAIN(TestDrawing)
#include "tst_drawing.moc"
