#include "engine/text/sentencepiece_file.h"

#include <cstring>
#include <functional>
#include <optional>

#include "engine/text/token_table.h"

namespace lava::text {

namespace {

struct Field {
  uint64_t number = 0;
  uint32_t wire = 0;
  uint64_t value = 0;      // varint or fixed
  std::string_view bytes;  // length-delimited
};

class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}
  bool done() const { return at_ == data_.size(); }

  std::optional<Field> next() {
    const auto tag = varint();
    if (!tag || (*tag >> 3) == 0) return std::nullopt;
    Field field{.number = *tag >> 3, .wire = static_cast<uint32_t>(*tag & 7)};
    switch (field.wire) {
      case 0:
        return with_value(field, varint());
      case 1:
        return with_value(field, fixed(8));
      case 5:
        return with_value(field, fixed(4));
      case 2: {
        const auto length = varint();
        if (!length || *length > data_.size() - at_) return std::nullopt;
        field.bytes = data_.substr(at_, *length);
        at_ += *length;
        return field;
      }
      default:
        return std::nullopt;
    }
  }

 private:
  std::string_view data_;
  size_t at_ = 0;

  static std::optional<Field> with_value(Field field, std::optional<uint64_t> value) {
    if (!value) return std::nullopt;
    field.value = *value;
    return field;
  }

  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ < data_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(data_[at_++]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::optional<uint64_t> fixed(size_t bytes) {
    if (data_.size() - at_ < bytes) return std::nullopt;
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(data_[at_ + i])) << (8 * i);
    at_ += bytes;
    return value;
  }
};

// Calls `each` for every field; false when the bytes are not a protobuf message.
bool for_each_field(std::string_view message, const std::function<bool(const Field&)>& each) {
  Reader reader(message);
  while (!reader.done()) {
    const auto field = reader.next();
    if (!field || !each(*field)) return false;
  }
  return true;
}

bool read_piece(std::string_view message, SentencePieceFile& file) {
  std::string text;
  float score = 0;
  int32_t type = 1;
  const bool ok = for_each_field(message, [&](const Field& field) {
    if (field.number == 1 && field.wire == 2) text = field.bytes;
    if (field.number == 2 && field.wire == 5) {
      const auto bits = static_cast<uint32_t>(field.value);
      std::memcpy(&score, &bits, sizeof score);
    }
    if (field.number == 3 && field.wire == 0) type = field.value >= 1 && field.value <= 6 ? static_cast<int32_t>(field.value) : -1;
    return true;
  });
  if (!ok || type < 0 || file.pieces.size() >= static_cast<size_t>(TokenTable::max_tokens)) return false;
  file.pieces.push_back(std::move(text));
  file.scores.push_back(score);
  file.types.push_back(type);
  return true;
}

bool read_trainer(std::string_view message, SentencePieceFile& file) {
  return for_each_field(message, [&](const Field& field) {
    if (field.wire != 0) return true;
    const auto value = static_cast<int64_t>(field.value);
    if (field.number == 3) file.model_type = value;
    if (field.number == 40) file.unk_id = value;
    if (field.number == 41) file.bos_id = value;
    if (field.number == 42) file.eos_id = value;
    if (field.number == 43) file.pad_id = value;
    return true;
  });
}

bool read_normalizer_spec(std::string_view message, SentencePieceFile& file) {
  return for_each_field(message, [&](const Field& field) {
    if (field.number == 1 && field.wire == 2) file.normalizer_name = field.bytes;
    if (field.number == 2 && field.wire == 2) file.has_charsmap = !field.bytes.empty();
    if (field.number == 3 && field.wire == 0) file.add_dummy_prefix = field.value != 0;
    if (field.number == 4 && field.wire == 0) file.remove_extra_whitespaces = field.value != 0;
    if (field.number == 5 && field.wire == 0) file.escape_whitespaces = field.value != 0;
    return true;
  });
}

}  // namespace

Result<SentencePieceFile> read_sentencepiece(std::string_view protobuf) {
  SentencePieceFile file;
  const bool ok = for_each_field(protobuf, [&](const Field& field) {
    if (field.wire != 2) return true;
    if (field.number == 1) return read_piece(field.bytes, file);
    if (field.number == 2) return read_trainer(field.bytes, file);
    if (field.number == 3) return read_normalizer_spec(field.bytes, file);
    return true;
  });
  if (!ok || file.pieces.empty())
    return fail(Error::Kind::invalid, "The SentencePiece file cannot be read",
                ok ? "it has no pieces" : "it is not a SentencePiece model or ends early", "Download the file again");
  return file;
}

}  // namespace lava::text
