#include "engine/connectors/connectors.h"

namespace lava {
namespace {

constexpr ConnectorKind kinds[] = {
    {"mlp", "one to four linear layers with GELU, packed flat or as the map of the tiles with newline vectors: LLaVA-1.5, NeXT, OneVision"},
    {"object_words", "the picture and its objects in words of the language model, with marks, places and counts: the default model"},
};

}  // namespace

std::span<const ConnectorKind> connectors() { return kinds; }

}  // namespace lava
