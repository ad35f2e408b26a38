#include "engine/core/prompt_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "engine/core/prompt_marks.h"
#include "engine/media/sha256.h"
#include "engine/text/grounding.h"

namespace lava {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

template <class Encoded>
text::Turn turn_of(const ChatMessage& message, std::vector<Encoded>& pictures) {
  text::Turn turn;
  turn.role = message.role == ChatMessage::Role::system ? text::Role::system
              : message.role == ChatMessage::Role::user ? text::Role::user
                                                        : text::Role::assistant;
  for (const MessagePart& part : message.parts) {
    const bool picture = part.kind == MessagePart::Kind::picture;
    turn.parts.push_back({picture ? std::string() : part.text, picture});
    if (picture) pictures.push_back({part.picture, part.regions});
  }
  return turn;
}

tl::unexpected<Error> cannot_see(const ModelFiles& files) {
  return fail(Error::Kind::unsupported, "This model cannot see pictures",
              files.mmproj_note.empty() ? "it has no vision part" : files.mmproj_note,
              files.gguf ? "Put its mmproj file beside it, name it with --mmproj, or choose a model that sees"
                         : "Remove the pictures, or choose a model that sees");
}

Result<void> check_rows(int64_t rows, int64_t picture_rows, int context) {
  if (rows < context) return {};
  return fail(Error::Kind::too_large, "The prompt is too long",
              fmt::format("it has {} tokens, {} of them for pictures; the context holds {}", rows, picture_rows, context),
              "Start a new conversation, remove pictures, or give the model a larger context");
}

// A text that no vocabulary could fit into the context is refused before it is split, which takes long and cannot be cancelled.
Result<void> check_text(const Request& request, int context) {
  constexpr size_t most_bytes_of_a_token = 1024;
  size_t bytes = request.raw_prompt.size();
  for (const ChatMessage& message : request.messages)
    for (const MessagePart& part : message.parts) bytes += part.text.size();
  if (bytes / most_bytes_of_a_token < static_cast<size_t>(context)) return {};
  return fail(Error::Kind::too_large, "The prompt is too long",
              fmt::format("it has {} MB of text; the context holds {} tokens", bytes >> 20, context),
              "Shorten it, start a new conversation, or give the model a larger context");
}

// Clients may have rounded, so half a pixel outside is not yet an error.
Result<void> check_regions(const std::vector<PictureRegion>& regions, Size size) {
  if (regions.size() > most_objects)
    return fail(Error::Kind::too_large, "There are too many regions of a picture", fmt::format("it has {} of at most {}", regions.size(), most_objects),
                "Point at fewer places");
  for (const PictureRegion& r : regions) {
    const bool inside = r.x1 >= -0.5f && r.y1 >= -0.5f && r.x2 <= static_cast<float>(size.width) + 0.5f && r.y2 <= static_cast<float>(size.height) + 0.5f;
    if (!inside || !(r.x2 - r.x1 >= 1) || !(r.y2 - r.y1 >= 1))
      return fail(Error::Kind::invalid, "A region does not lie in its picture",
                  fmt::format("[{}, {}, {}, {}] in {} x {} pixels", r.x1, r.y1, r.x2, r.y2, size.width, size.height),
                  "Give left, top, right and bottom in pixels of the upright picture");
  }
  return {};
}

Box place_of(const PictureRegion& region, Size size) {
  const float pixels[4] = {region.x1, region.y1, region.x2, region.y2};
  Box box = text::to_square(pixels, size.width, size.height);
  for (float* v : {&box.x1, &box.y1, &box.x2, &box.y2}) *v = std::clamp(*v, 0.0f, 1.0f);
  return box;
}

// With several pictures it must be clear which one is broken.
template <class T>
Result<T> numbered(Result<T> read, size_t index) {
  if (read) return read;
  std::string& cause = read.error().cause;
  cause = fmt::format("picture {}{}{}", index + 1, cause.empty() ? "" : ", ", cause);
  return read;
}

}  // namespace

Result<std::vector<text::PromptPiece>> PromptBuilder::encode_text(const Request& request, std::vector<Encoded>& pictures) const {
  LAVA_CHECK_OK(check_text(request, model_.text.decoder->context()));
  std::vector<text::Segment> segments;
  if (request.messages.empty()) {
    segments = text::segments_from_raw(request.raw_prompt);
    for (const auto& file : request.raw_pictures) pictures.push_back({file, {}});
  } else {
    if (!model_.chat)
      return fail(Error::Kind::unsupported, "This model cannot hold a conversation", model_.chat_error, "Send it a raw prompt instead");
    std::vector<text::Turn> turns;
    for (const ChatMessage& message : request.messages) turns.push_back(turn_of(message, pictures));
    segments = text::render_chat(*model_.chat, turns, model_.tokenizer->table().text(model_.tokenizer->special().bos));
  }
  LAVA_TRY(std::vector<text::PromptPiece> pieces, text::encode_prompt(*model_.tokenizer, segments));
  size_t markers = 0;
  for (const text::PromptPiece& piece : pieces) markers += piece.picture >= 0;
  if (markers != pictures.size())
    return fail(Error::Kind::invalid, "The prompt and the pictures do not fit together",
                fmt::format("{} places for {} pictures", markers, pictures.size()), "Write <image> once for each picture");
  return pieces;
}

// Before any picture is encoded, from their sizes alone.
Result<void> PromptBuilder::check_length(const std::vector<text::PromptPiece>& pieces, const std::vector<Encoded>& pictures) const {
  int64_t rows = 0, picture_rows = 0;
  for (const text::PromptPiece& piece : pieces) rows += static_cast<int64_t>(piece.ids.size());
  for (size_t i = 0; i < pictures.size(); ++i) {
    if (!pictures[i].file) return fail(Error::Kind::invalid, "A picture is missing");
    LAVA_TRY(const media::SourceInfo info, numbered(media::picture_info(bytes_of(*pictures[i].file)), i));
    LAVA_CHECK_OK(numbered(check_regions(pictures[i].regions, info.upright), i));
    LAVA_TRY(const auto plan, model_.vision->plan(info.upright, static_cast<int>(pictures.size())));
    if (plan.second.exact) picture_rows += plan.second.rows;
  }
  return check_rows(rows + picture_rows, picture_rows, model_.text.decoder->context());
}

Result<BuiltPrompt> PromptBuilder::build(Run& run, const Request& request) {
  BuiltPrompt built;
  std::vector<Encoded> pictures;
  LAVA_TRY(std::vector<text::PromptPiece> pieces, encode_text(request, pictures));
  if (!pictures.empty() && !model_.vision) return cannot_see(model_.files);
  LAVA_CHECK_OK(check_length(pieces, pictures));
  LAVA_CHECK_OK(add_pictures(run, request, pictures, built));
  if (model_.grounding() == "marks" && !pictures.empty() && speaks_of_places(request)) {
    std::vector<Encoded> same;
    LAVA_TRY(pieces, encode_text(with_marks(request, built.pictures), same));
  }
  for (const text::PromptPiece& piece : pieces) {
    if (piece.picture < 0) {
      LAVA_CHECK_OK(append_text(piece.ids, built.prompt));
      built.ids.insert(built.ids.end(), piece.ids.begin(), piece.ids.end());
      continue;
    }
    append_picture(*built.pictures[static_cast<size_t>(piece.picture)], piece.picture, built.prompt);
    if (model_.image_id >= 0) built.ids.push_back(model_.image_id);
  }
  if (built.prompt.size() == 0) return fail(Error::Kind::invalid, "The prompt is empty", {}, "Write something");
  LAVA_CHECK_OK(check_rows(built.prompt.size(), built.picture_rows, model_.text.decoder->context()));
  return built;
}

Result<void> PromptBuilder::add_pictures(Run& run, const Request& request, const std::vector<Encoded>& pictures, BuiltPrompt& built) {
  const int count = static_cast<int>(pictures.size());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    if (request.on_progress) request.on_progress("picture", i, count);
    LAVA_CHECK_OK(add_picture(run, pictures, static_cast<size_t>(i), built));
  }
  if (count > 0 && request.on_progress) request.on_progress("picture", count, count);
  built.encode_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return {};
}

Result<void> PromptBuilder::add_picture(Run& run, const std::vector<Encoded>& files, size_t index, BuiltPrompt& built) {
  if (run.cancelled()) return fail(Error::Kind::cancelled, "The request was cancelled");
  PictureReport report;
  LAVA_TRY(auto rows, rows_of(run, files, index, report));
  if (rows->width != model_.text.decoder->config().width)
    return fail(Error::Kind::invalid, "The vision part does not fit the language model",
                fmt::format("rows of {} and {} values", rows->width, model_.text.decoder->config().width));
  report.tokens = static_cast<int>(rows->info.size());
  built.picture_rows += report.tokens;
  built.pictures.push_back(std::move(rows));
  built.reports.push_back(report);
  return {};
}

// From the cache when it was encoded before; then the file is not even decoded.
Result<std::shared_ptr<const PictureRows>> PromptBuilder::rows_of(Run& run, const std::vector<Encoded>& files, size_t index, PictureReport& report) {
  const std::string& file = *files[index].file;
  const int count = static_cast<int>(files.size());
  PictureRequest wanted{media::sha256_hex(bytes_of(file)), {}};
  LAVA_TRY(const media::SourceInfo info, numbered(media::picture_info(bytes_of(file)), index));
  report.size = info.upright;
  for (const PictureRegion& region : files[index].regions) wanted.places.push_back(place_of(region, info.upright));
  LAVA_TRY(const std::string key, model_.vision->key(info.upright, count, wanted));
  if (auto known = cache_.find(key)) {
    report.cached = true;
    return known;
  }
  LAVA_TRY(const media::Picture picture, numbered(media::decode_picture(bytes_of(file)), index));
  if (run.cancelled()) return fail(Error::Kind::cancelled, "The request was cancelled");
  LAVA_TRY(PictureRows rows, model_.vision->encode(run, picture, count, wanted));
  return cache_.put(std::move(rows));
}

Result<void> PromptBuilder::append_text(const std::vector<int32_t>& ids, Prompt& prompt) const {
  for (const int32_t id : ids) {
    if (id < 0 || id >= model_.text.decoder->config().vocabulary)
      return fail(Error::Kind::invalid, "The vocabulary does not fit the model",
                  fmt::format("token {} of {}", id, model_.text.decoder->config().vocabulary), "Download all files of the model again");
    const RowKind kind = model_.tokenizer->is_control(id) ? RowKind::special : RowKind::text;
    prompt.info.push_back({.kind = kind, .token = id, .position = prompt.size()});
    prompt.embeddings.push_back(nullptr);
    prompt.keys.push_back({0, id});
  }
  return {};
}

void PromptBuilder::append_picture(const PictureRows& rows, int index, Prompt& prompt) {
  const uint64_t id = cache_.id_of(rows.key);
  for (size_t i = 0; i < rows.info.size(); ++i) {
    RowInfo info = rows.info[i];
    info.token = -1;
    info.media = static_cast<int16_t>(index);
    info.position = prompt.size();
    prompt.info.push_back(info);
    prompt.embeddings.push_back(rows.rows.data() + i * static_cast<size_t>(rows.width));
    prompt.keys.push_back({id, static_cast<int32_t>(i)});
  }
}

}  // namespace lava
