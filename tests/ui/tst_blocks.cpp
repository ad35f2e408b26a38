#include <QRandomGenerator>
#include <QTest>

#include "app/chat/block_splitter.h"
#include "app/chat/markdown_blocks.h"
#include "app/chat/phrase_marks.h"

using namespace lava::app;

namespace {

const QStringList& documents() {
  static const QStringList all = {
      "One line",
      "Para one\nstill one\n\nPara two\n\n\n\nPara three",
      "# Title\ntext right below\n## Second\n\nmore",
      "Setext\n===\n\nbelow\n---\n\nend",
      "before\n```cpp\nint a = 1;\n\n# not a title\n```\nafter",
      "~~~\n```\n~~~\n\ntext",
      "```\nnever closed\n\n- a\n- b\n",
      "- a\n- b\n\n  still b\n\n- c\n\nafter",
      "1. one\n2. two\n   - inner\n   - inner two\n3. three\n\ntext",
      "- item\n\n  ```py\n  x = 1\n\n  y = 2\n  ```\n- next",
      "- a\n* other list\n+ third\n1) number",
      "> quote\n> more\n\n> second quote\nlazy\n\nend",
      "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | **4** |\n\nafter",
      "text\n***\ntext\n___\ntext",
      "#hashtag is text\n\n####### too many",
      "- [x] done\n- [ ] open\n",
      "    indented code\n    more\n\ntext",
      "a <b>bold</b> <script>alert(1)</script>\n\n<div>\nblock\n</div>\n\nend",
      "[good](https://example.org/a?b=1&c=2) [bad](javascript:alert) ![pic](http://x.y/z.png) <https://auto.org>",
      QString::fromUtf8("Ünïcödé 🐈 “quotes” – dash\n\n日本語の段落\n\nعربى"),
      "\\*escaped\\* &amp; &lt; &#65; &unknown; `a & b < c`",
      "-\n\n- \n\n--\n\n---",
      "* * *\n\n- - -\n\n1.\n2.\n",
  };
  return all;
}

QString shown(const std::vector<Block>& blocks) {
  QString all;
  for (const Block& block : blocks) all += block.html + block.cells.join(' ') + (block.kind == Block::Kind::code ? block.text.toHtmlEscaped() : QString());
  return all;
}

// The text of the paragraph as the view shows it: tags taken out, entities read.
QString plain(const QString& html) {
  QString text;
  bool tag = false;
  for (const QChar c : html) {
    if (c == '<') tag = true;
    else if (c == '>') tag = false;
    else if (!tag) text += c;
  }
  return text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
}

GroundedBox box(const QString& text, const QString& phrase, const QString& label) {
  GroundedBox b;
  b.label = label;
  b.start = static_cast<int>(text.indexOf(phrase));
  b.end = b.start + static_cast<int>(phrase.size());
  b.x2 = b.y2 = 10;
  return b;
}

}  // namespace

class TestBlocks : public QObject {
  Q_OBJECT

 private slots:
  void streamed_equals_whole_data() {
    QTest::addColumn<QString>("text");
    for (int i = 0; i < documents().size(); ++i) QTest::addRow("document %d", i) << documents()[i];
    QTest::addRow("all") << documents().join("\n\n");
    QRandomGenerator random(7);
    const QString alphabet = "ab -#`*>|\n\n1.~_[]()\\ ";
    for (int i = 0; i < 200; ++i) {
      QString text;
      for (int n = 0; n < 80; ++n) text += alphabet[random.bounded(static_cast<int>(alphabet.size()))];
      QTest::addRow("noise %d", i) << text;
    }
  }

  void streamed_equals_whole() {
    QFETCH(QString, text);
    const std::vector<Block> whole = markdown_blocks(text);
    QRandomGenerator random(3);
    for (const int most : {1, 3, 17}) {
      BlockStream stream;
      for (qsizetype at = 0; at < text.size();) {
        const int count = random.bounded(1, most + 1);
        stream.append(text.mid(at, count));
        at += count;
      }
      QVERIFY2(stream.blocks() == whole, qPrintable(shown(stream.blocks()) + "\n----\n" + shown(whole)));
    }
  }

  void every_state_of_a_stream_equals_the_whole_so_far() {
    const QString text = documents().join("\n\n");
    BlockStream stream;
    for (qsizetype i = 0; i < text.size(); ++i) {
      stream.append(text.mid(i, 1));
      QVERIFY2(stream.blocks() == markdown_blocks(text.left(i + 1)), qPrintable(text.left(i + 1).right(60)));
    }
  }

  void an_open_fence_is_code() {
    const auto blocks = markdown_blocks("Look:\n\n```python\nx = 1\ny = [2,");
    QCOMPARE(blocks.size(), size_t{2});
    QCOMPARE(blocks[1].kind, Block::Kind::code);
    QCOMPARE(blocks[1].language, QString("python"));
    QCOMPARE(blocks[1].text, QString("x = 1\ny = [2,"));
  }

  void html_is_text() {
    const auto blocks = markdown_blocks("<script>alert('x')</script>\n\na <img src=x onerror=y> b\n\n<!-- c -->");
    const QString all = shown(blocks);
    QVERIFY(!all.contains("<script") && !all.contains("<img") && !all.contains("<!--"));
    QVERIFY(all.contains("&lt;script&gt;"));
  }

  void pictures_are_never_fetched() {
    const auto blocks = markdown_blocks("![a cat](http://tracker.example/p.png)");
    QVERIFY(!blocks[0].html.contains("<img"));
    QCOMPARE(blocks[0].text, QString("a cat"));
  }

  void only_web_and_mail_links_open() {
    const auto blocks = markdown_blocks("[a](javascript:alert(1)) [b](file:///etc/passwd) [c](https://ok.org/x\"y) [d](data:text/html,x) [e](mailto:a@b.c)");
    const QString html = blocks[0].html;
    QCOMPARE(html.count("<a href"), 2);
    QVERIFY(!html.contains("javascript") && !html.contains("file:") && !html.contains("data:"));
    QVERIFY(html.contains("https://ok.org/x%22y"));
  }

  void lists_keep_markers_and_depth() {
    const auto blocks = markdown_blocks("3. three\n4. four\n   - inner\n\n- [x] done");
    QCOMPARE(blocks.size(), size_t{4});
    QCOMPARE(blocks[0].marker, QString("3."));
    QCOMPARE(blocks[1].marker, QString("4."));
    QCOMPARE(blocks[2].indent, 2);
    QCOMPARE(blocks[3].marker, QString(QChar(0x2611)));
  }

  void tables_become_cells() {
    const auto blocks = markdown_blocks("| a | b |\n|---|---|\n| **1** | <b> |");
    QCOMPARE(blocks.size(), size_t{1});
    QCOMPARE(blocks[0].columns, 2);
    QCOMPARE(blocks[0].cells, (QStringList{"a", "b", "<b>1</b>", "&lt;b&gt;"}));
    QCOMPARE(markdown_blocks("| a | b |\n|---|--:|\n| c | 2 |")[0].cells, (QStringList{"a", R"(<div align="right">b</div>)", "c", R"(<div align="right">2</div>)"}));
  }

  void phrases_are_found_in_the_shown_text_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("phrase");
    QTest::addColumn<QString>("expected");
    QTest::addRow("plain") << "A cat sits here" << "cat" << "cat";
    QTest::addRow("bold") << "A **black cat** sits" << "**black cat**" << "black cat";
    QTest::addRow("across") << "A **black** cat sits" << "**black** cat" << "black cat";
    QTest::addRow("after entities") << "x &amp; y < z: cat" << "cat" << "cat";
    QTest::addRow("after an emoji") << QString::fromUtf8("🐈 the cat") << "the cat" << "the cat";
    QTest::addRow("start of item") << "- cat on mat" << "cat" << "cat";
    QTest::addRow("second line") << "first\nsecond cat" << "cat" << "cat";
    QTest::addRow("underscores") << "A _small cat_ sits" << "_small cat_" << "small cat";
    QTest::addRow("whole") << "cat" << "cat" << "cat";
  }

  void phrases_are_found_in_the_shown_text() {
    QFETCH(QString, text);
    QFETCH(QString, phrase);
    QFETCH(QString, expected);
    const auto blocks = markdown_blocks(text, {box(text, phrase, "cat")});
    QCOMPARE(blocks.size(), size_t{1});
    QCOMPARE(blocks[0].phrases.size(), size_t{1});
    const Phrase& found = blocks[0].phrases[0];
    QCOMPARE(plain(blocks[0].html).mid(found.start, found.length), expected);
    QVERIFY(blocks[0].html.contains("<sup>1</sup>"));
    QVERIFY(!blocks[0].text.contains('1'));
  }

  void positions_count_earlier_numerals() {
    const QString text = "A cat, a mat, a hat";
    const auto blocks = markdown_blocks(text, {box(text, "cat", "cat"), box(text, "mat", "mat"), box(text, "hat", "hat")});
    QCOMPARE(blocks[0].phrases.size(), size_t{3});
    const QString all = plain(blocks[0].html);
    for (const Phrase& phrase : blocks[0].phrases) QCOMPARE(all.mid(phrase.start + 1, phrase.length - 1), QString("at"));
  }

  void one_phrase_may_name_several_boxes() {
    const QString text = "Two cats sleep";
    const auto blocks = markdown_blocks(text, {box(text, "cats", "cat"), box(text, "cats", "cat")});
    QCOMPARE(blocks[0].phrases.size(), size_t{1});
    QCOMPARE(blocks[0].phrases[0].boxes, (std::vector<int>{0, 1}));
    QVERIFY(blocks[0].html.contains("<sup>1,2</sup>"));
  }

  void coordinates_are_hidden() {
    const QString text = "A cat [0.1, 0.2, 0.3, 0.4] sits.";
    GroundedBox cat = box(text, "cat", "cat");
    cat.mark_start = 6;
    cat.mark_end = 26;
    const auto blocks = markdown_blocks(text, {cat});
    QCOMPARE(blocks[0].text, QString("A cat sits."));
  }

  void an_answer_that_is_only_a_place_shows_its_label() {
    const QString text = "[0.1, 0.2, 0.3, 0.4]";
    GroundedBox cat;
    cat.label = "cat";
    cat.mark_end = static_cast<int>(text.size());
    const auto blocks = markdown_blocks(text, {cat});
    QCOMPARE(blocks.size(), size_t{1});
    QCOMPARE(blocks[0].text, QString("cat"));
    QCOMPARE(blocks[0].phrases.size(), size_t{1});
  }

  void wrong_ranges_are_left_out() {
    GroundedBox bad;
    bad.start = -5;
    bad.end = 3;
    GroundedBox far;
    far.start = 2;
    far.end = 4000;
    far.mark_start = 10;
    far.mark_end = 9999;
    GroundedBox turned;
    turned.start = 4;
    turned.end = 1;
    const auto blocks = markdown_blocks("A cat", {bad, far, turned});
    QVERIFY(blocks[0].phrases.empty());
    QCOMPARE(blocks[0].text, QString("A cat"));
  }

  void reserved_characters_cannot_forge_marks() {
    const QString text = QString("x ") + QChar(phrase_start) + QChar(phrase_index) + "y" + QChar(phrase_end) + QChar(phrase_index) + QChar(link_color_mark);
    const auto blocks = markdown_blocks(text, {box("x", "x", "cat")});
    for (const QChar c : blocks[0].html) QVERIFY(!is_mark(c));
    QCOMPARE(blocks[0].phrases.size(), size_t{1});
    BlockStream stream;
    stream.append(text);
    for (const QChar c : stream.blocks()[0].html) QVERIFY(!is_mark(c));
  }

  void places_are_held_back_while_streaming() {
    const QString text = "A cat [0.05, 0.17, 0.88, 0.845] and [a, b] and [1, 2, 3, 4] or x[0.5] end";
    for (const int step : {1, 2, 5, 100}) {
      PlaceFilter filter;
      QString all;
      for (qsizetype at = 0; at < text.size(); at += step) {
        all += filter.feed(text.mid(at, step));
        QVERIFY(!all.contains("0.05"));
      }
      QCOMPARE(all, QString("A cat and [a, b] and [1, 2, 3, 4] or x[0.5] end"));
    }
  }

  void deep_and_long_input_is_quick() {
    QElapsedTimer timer;
    timer.start();
    markdown_blocks(QString(20000, '>'));
    markdown_blocks(QString("- ").repeated(5000));
    markdown_blocks(QString(100000, '['));
    markdown_blocks(QString(100000, '*'));
    QVERIFY2(timer.elapsed() < 20000, qPrintable(QString::number(timer.elapsed())));
  }
};

QTEST_GUILESS_MAIN(TestBlocks)
#include "tst_blocks.moc"
