#include "app/grounding/label_colour.h"

#include <array>

namespace lava::app {
namespace {

constexpr media::Colour dark{0x11, 0x11, 0x11}, white{0xff, 0xff, 0xff};
constexpr std::array<LabelColour, 12> colours = {{{{0xE6, 0x9F, 0x00}, dark},
                                                  {{0x56, 0xB4, 0xE9}, dark},
                                                  {{0x00, 0x9E, 0x73}, dark},
                                                  {{0xF0, 0xE4, 0x42}, dark},
                                                  {{0x00, 0x72, 0xB2}, white},
                                                  {{0xD5, 0x5E, 0x00}, dark},
                                                  {{0xCC, 0x79, 0xA7}, dark},
                                                  {{0x44, 0xAA, 0x99}, dark},
                                                  {{0x99, 0x99, 0x33}, dark},
                                                  {{0x88, 0x22, 0x55}, white},
                                                  {{0x33, 0x22, 0x88}, white},
                                                  {{0xBB, 0xBB, 0xBB}, dark}}};

}  // namespace

LabelColour series_colour(int number) { return colours[static_cast<size_t>(number) % colours.size()]; }

LabelColour label_colour(const QString& label) {
  uint32_t hash = 2166137388u;  // FNV-1a from a start that keeps frequent labels apart
  for (const char byte : label.toLower().toUtf8()) hash = (hash ^ static_cast<uint8_t>(byte)) * 16777619u;
  return colours[(hash >> 8) % colours.size()];
}

}  // namespace lava::app
