#include "ui/theme/label_colors.h"

#include <array>

namespace lava::ui {

LabelColor label_color(const QString& label) {
  struct Entry {
    QRgb fill;
    bool dark_ink;
  };
  static constexpr std::array<Entry, 12> colors = {{{0xFFE69F00, true},
                                                    {0xFF56B4E9, true},
                                                    {0xFF009E73, true},
                                                    {0xFFF0E442, true},
                                                    {0xFF0072B2, false},
                                                    {0xFFD55E00, true},
                                                    {0xFFCC79A7, true},
                                                    {0xFF44AA99, true},
                                                    {0xFF999933, true},
                                                    {0xFF882255, false},
                                                    {0xFF332288, false},
                                                    {0xFFBBBBBB, true}}};
  quint32 hash = 2166137388u;  // FNV-1a from a start that keeps frequent labels apart
  for (const char byte : label.toLower().toUtf8()) hash = (hash ^ static_cast<quint8>(byte)) * 16777619u;
  const Entry& entry = colors[(hash >> 8) % colors.size()];
  return {QColor::fromRgba(entry.fill), entry.dark_ink ? QColor(0x11, 0x11, 0x11) : QColor(Qt::white)};
}

}  // namespace lava::ui
