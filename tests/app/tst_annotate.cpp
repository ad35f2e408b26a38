// Boxes drawn on pictures, checked by their pixels.
#include <QtTest>
#include <cmath>
#include <set>

#include "app/cli/annotate.h"

using namespace lava;
using namespace lava::app;

namespace {

std::array<int, 3> pixel(const media::Picture& p, int x, int y) { return {p.row(y)[x * 3], p.row(y)[x * 3 + 1], p.row(y)[x * 3 + 2]}; }
std::array<int, 3> rgb(Colour c) { return {c[0], c[1], c[2]}; }
GroundedBox box(const QString& label, double x1, double y1, double x2, double y2) { return {label, x1, y1, x2, y2}; }

int count(const media::Picture& p, Colour colour, int left, int top, int right, int bottom) {
  int n = 0;
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) n += pixel(p, x, y) == rgb(colour);
  return n;
}

}  // namespace

class AnnotateTest : public QObject {
  Q_OBJECT
 private slots:
  void line_halo_fill_and_outside();
  void the_line_stays_whole_at_the_border();
  void the_tag_stands_above_with_text();
  void the_tag_goes_inside_at_the_top();
  void tags_avoid_each_other();
  void a_colour_belongs_to_a_label();
  void odd_boxes_stay_inside_data();
  void odd_boxes_stay_inside();
  void large_pictures_get_thicker_lines();
  void letters_of_other_scripts();
};

void AnnotateTest::line_halo_fill_and_outside() {
  media::Picture p = media::blank_picture({300, 200}, 200, 200, 200);
  draw_boxes(p, {box("cat", 50, 60, 150, 160)});
  const auto line = rgb(label_colour("cat").fill);
  for (const auto& [x, y] : {std::pair{100, 59}, {100, 60}, {100, 159}, {100, 160}, {49, 100}, {50, 100}, {149, 100}, {150, 100}})
    QCOMPARE(pixel(p, x, y), line);
  for (const auto& [x, y] : {std::pair{100, 161}, {48, 100}, {151, 100}}) QVERIFY(pixel(p, x, y)[0] < 120);  // dark halo
  QCOMPARE(pixel(p, 100, 163), (std::array{200, 200, 200}));
  QCOMPARE(pixel(p, 46, 100), (std::array{200, 200, 200}));
  const auto inside = pixel(p, 100, 110);
  for (int c = 0; c < 3; ++c) QCOMPARE(inside[c], static_cast<int>(std::lround(200 + (line[c] - 200) * 0.12)));
}

void AnnotateTest::the_line_stays_whole_at_the_border() {
  media::Picture p = media::blank_picture({300, 200}, 200, 200, 200);
  draw_boxes(p, {box("", -5, 0, 300, 200)});
  const auto line = rgb(label_colour("").fill);
  for (const auto& [x, y] : {std::pair{0, 100}, {1, 100}, {298, 100}, {299, 100}, {150, 0}, {150, 1}, {150, 198}, {150, 199}})
    QCOMPARE(pixel(p, x, y), line);
}

void AnnotateTest::the_tag_stands_above_with_text() {
  media::Picture p = media::blank_picture({300, 200}, 200, 200, 200);
  draw_boxes(p, {box("Hello", 50, 60, 150, 160)});
  const LabelColour colour = label_colour("Hello");
  QVERIFY(count(p, colour.fill, 50, 40, 100, 57) > 200);  // the tag
  int ink = 0;
  for (int y = 40; y < 58; ++y)
    for (int x = 50; x < 100; ++x)
      ink += std::abs(pixel(p, x, y)[0] - colour.ink[0]) < 60 && std::abs(pixel(p, x, y)[1] - colour.ink[1]) < 60;
  QVERIFY2(ink > 60, qPrintable(QString::number(ink)));
  QCOMPARE(count(p, colour.fill, 0, 0, 300, 36), 0);
}

void AnnotateTest::the_tag_goes_inside_at_the_top() {
  media::Picture p = media::blank_picture({300, 200}, 200, 200, 200);
  draw_boxes(p, {box("cat", 50, 2, 150, 160)});
  QVERIFY(count(p, label_colour("cat").fill, 52, 5, 90, 22) > 100);
}

void AnnotateTest::tags_avoid_each_other() {
  media::Picture p = media::blank_picture({300, 200}, 200, 200, 200);
  draw_boxes(p, {box("cat", 50, 60, 150, 160), box("dog", 50, 60, 150, 160)});
  QVERIFY(rgb(label_colour("cat").fill) != rgb(label_colour("dog").fill));
  QVERIFY(count(p, label_colour("cat").fill, 52, 40, 90, 57) > 100);
  QVERIFY(count(p, label_colour("dog").fill, 52, 61, 90, 80) > 100);
}

void AnnotateTest::a_colour_belongs_to_a_label() {
  QCOMPARE(rgb(label_colour("Cat").fill), rgb(label_colour("cat").fill));
  std::set<std::array<int, 3>> colours;
  for (int i = 0; i < 200; ++i) colours.insert(rgb(label_colour(QString::number(i)).fill));
  QCOMPARE(colours.size(), 12u);
}

void AnnotateTest::odd_boxes_stay_inside_data() {
  QTest::addColumn<double>("x1");
  QTest::addColumn<double>("y1");
  QTest::addColumn<double>("x2");
  QTest::addColumn<double>("y2");
  QTest::newRow("whole") << 0. << 0. << 40. << 30.;
  QTest::newRow("far outside") << -1e9 << -1e300 << 1e9 << 1e300;
  QTest::newRow("right of it") << 500. << 500. << 600. << 600.;
  QTest::newRow("swapped") << 30. << 20. << 5. << 5.;
  QTest::newRow("a point") << 20. << 15. << 20. << 15.;
  QTest::newRow("the last corner") << 40. << 30. << 40. << 30.;
}

void AnnotateTest::odd_boxes_stay_inside() {
  QFETCH(double, x1);
  QFETCH(double, y1);
  QFETCH(double, x2);
  QFETCH(double, y2);
  for (const auto& size : {Size{40, 30}, Size{1, 1}, Size{3, 200}}) {
    media::Picture p = media::blank_picture(size, 200, 200, 200);
    const size_t bytes = p.rgb.size();
    draw_boxes(p, {box("a label that is much longer than the whole picture is wide, and then some more", x1, y1, x2, y2),
                   box("", x1, y1, x2, y2)});
    QCOMPARE(p.rgb.size(), bytes);
    QVERIFY(std::any_of(p.rgb.begin(), p.rgb.end(), [](uint8_t v) { return v != 200; }));
  }
}

void AnnotateTest::large_pictures_get_thicker_lines() {
  media::Picture p = media::blank_picture({2700, 1800}, 200, 200, 200);
  draw_boxes(p, {box("cat", 500, 600, 1500, 1600)});
  QCOMPARE(count(p, label_colour("cat").fill, 1000, 1590, 1001, 1620), 6);
}

void AnnotateTest::letters_of_other_scripts() {
  const LabelFont font(14);
  for (const QString& word : {QString::fromUtf8("Kätzchen"), QString::fromUtf8("кошка"), QString::fromUtf8("γάτα"), QString::fromUtf8("猫"),
                              QString::fromUtf8("🐈")})
    QVERIFY(font.width(word) > 5);
  QVERIFY(font.width("WWWW") > 2 * font.width("iiii"));
}

QTEST_GUILESS_MAIN(AnnotateTest)
#include "tst_annotate.moc"
