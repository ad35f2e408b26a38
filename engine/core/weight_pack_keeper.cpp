#include "engine/core/weight_pack_keeper.h"

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#endif

#include <algorithm>
#include <cstring>
#include <exception>

#include "engine/core/weight_pack_notes.h"
#include "engine/io/crc32c.h"
#include "engine/io/new_file.h"
#include "engine/io/pack_check.h"
#include "engine/media/sha256.h"

namespace lava {
namespace {

namespace fs = std::filesystem;

constexpr size_t read_bytes = size_t{1} << 20;
constexpr size_t write_bytes = size_t{8} << 20;   // at once and from multiples of it: the page cache then holds the file in big pages
constexpr uint64_t flush_bytes = uint64_t{64} << 20;  // at most so much waits for the disk, so that stopping is quick

// Answers come first: this thread gets what nobody else wants.
void step_back() {
#ifdef __linux__
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
  setpriority(PRIO_PROCESS, 0, 19);  // of this thread alone, on Linux
#endif
}

tl::unexpected<Error> stopped() { return fail(Error::Kind::cancelled, "The model is being closed"); }

// Not through the mapping: that would bring the whole file into this process's memory.
Result<io::Digest> hash_of(const io::MappedFile& file, const std::stop_token& stop) {
  std::vector<std::byte> block(read_bytes);
  media::Sha256 hash;
  for (uint64_t at = 0; at < file.size(); at += block.size()) {
    if (stop.stop_requested()) return stopped();
    const auto part = std::span(block).first(std::min<uint64_t>(block.size(), file.size() - at));
    LAVA_CHECK_OK(file.read(at, part));
    hash.add(part);
  }
  return hash.finish();
}

bool unchanged(const PackedSource& source) {
  return std::all_of(source.files.begin(), source.files.end(), [](const io::MappedFile& file) { return file.unchanged(); });
}

// Gathers what is written into large aligned pieces.
class PackWriter {
 public:
  PackWriter(io::NewFile& file, const std::stop_token& stop) : file_(file), stop_(stop) { piece_.reserve(write_bytes); }

  Result<void> put(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min(bytes.size(), write_bytes - piece_.size()));
      piece_.insert(piece_.end(), part.begin(), part.end());
      bytes = bytes.subspan(part.size());
      at_ += part.size();
      if (piece_.size() == write_bytes) LAVA_CHECK_OK(write());
    }
    return {};
  }
  Result<void> pad_to(uint64_t offset) {
    static constexpr std::byte zeros[64] = {};
    return put(std::span(zeros).first(offset - at_));
  }
  Result<void> write() {
    if (stop_.stop_requested()) return stopped();
    LAVA_CHECK_OK(file_.write(piece_));
    waiting_ += piece_.size();
    piece_.clear();
    if (waiting_ < flush_bytes) return {};
    waiting_ = 0;
    return file_.flush();
  }

 private:
  io::NewFile& file_;
  const std::stop_token& stop_;
  std::vector<std::byte> piece_;
  uint64_t at_ = 0, waiting_ = 0;
};

io::PackHeader header_of(const PackedSource& source, const io::Digest& content) {
  io::PackHeader header;
  header.content = content;
  for (const PackedMatrix& one : source.matrices)
    header.entries.push_back({one.name, one.first_row, one.matrix.out, one.matrix.in, one.source_format, one.matrix.format, one.matrix.layout});
  io::lay_out(header);
  return header;
}

Result<void> sum_up(const PackedSource& source, io::PackHeader& header, const std::stop_token& stop) {
  for (size_t i = 0; i < header.entries.size(); ++i) {
    if (stop.stop_requested()) return stopped();
    header.entries[i].checksum = io::crc32c({source.matrices[i].matrix.data, header.entries[i].bytes});
  }
  return {};
}

Result<void> write_pack(const WeightPackStore& store, const PackedSource& source, const io::Digest& content, const std::stop_token& stop) {
  io::PackHeader header = header_of(source, content);
  LAVA_CHECK_OK(sum_up(source, header, stop));
  LAVA_CHECK_OK(store.make_room(header.file_bytes, content));
  const fs::path path = store.pack_path(content);
  LAVA_TRY(io::NewFile file, io::NewFile::create(path, header.file_bytes));
  PackWriter writer(file, stop);
  const std::string front = io::pack_header_bytes(header);
  LAVA_CHECK_OK(writer.put(std::as_bytes(std::span(front))));
  for (size_t i = 0; i < header.entries.size(); ++i) {
    LAVA_CHECK_OK(writer.pad_to(header.entries[i].offset));
    LAVA_CHECK_OK(writer.put({source.matrices[i].matrix.data, header.entries[i].bytes}));
  }
  LAVA_CHECK_OK(writer.write());
  LAVA_CHECK_OK(file.flush());
  const auto read_back = [&](uint64_t offset, std::span<std::byte> target) { return file.read_back(offset, target); };
  LAVA_CHECK_OK(io::check_matrices(header, read_back, 1, path.string(), stop));
  if (!unchanged(source)) return {};  // what was packed may be neither the old content nor the new
  LAVA_CHECK_OK(file.finish());
  const auto stamp = io::MappedFile::stamp_of(path);
  return stamp ? write_check(path, *stamp) : Result<void>();
}

// What the files hold: as noted, or read. Nothing when that cannot be told for sure.
Result<std::vector<SourceNote>> recognise(const WeightPackStore& store, const PackedSource& source, const std::stop_token& stop) {
  std::vector<SourceNote> notes;
  std::vector<io::Digest> contents;
  for (const io::MappedFile& file : source.files) {
    const auto known = find_note(store.folder(), file.identity());
    if (!known && !file.settled()) return std::vector<SourceNote>();
    SourceNote note{file.identity(), {}, {}, fs::absolute(file.path())};
    if (known) {
      note.content = known->content;
    } else {
      LAVA_TRY(note.content, hash_of(file, stop));
    }
    contents.push_back(note.content);
    notes.push_back(std::move(note));
  }
  if (!unchanged(source)) return std::vector<SourceNote>();
  for (SourceNote& note : notes) note.pack = digest_of_model(contents);
  for (const SourceNote& note : notes)
    if (find_note(store.folder(), note.identity) != note) LAVA_CHECK_OK(write_note(store.folder(), note));
  return notes;
}

// Whether a pack on disk has what this opening needed, and has it whole, so that it need not be written.
Result<bool> is_kept(const WeightPackStore& store, const PackedSource& source, const io::Digest& content, const std::stop_token& stop) {
  const auto pack = WeightPack::open(store.pack_path(content), content);
  if (!pack || !std::all_of(source.matrices.begin(), source.matrices.end(),
                            [&](const PackedMatrix& one) { return pack->find(one.name, one.first_row, one.source_format, one.matrix) != nullptr; }))
    return false;
  if (store.is_checked(*pack)) return true;
  if (!source.pack || source.pack->stamp() != pack->stamp()) {  // else it was checked on opening
    const Result<void> checked = pack->check(1, stop);
    if (!checked && checked.error().kind == Error::Kind::cancelled) return tl::unexpected<Error>(checked.error());
    if (!checked) return false;
  }
  LAVA_CHECK_OK(write_check(pack->path(), pack->stamp()));
  return true;
}

// First what these files are, then the sweep, so that a pack whose model has moved is not taken for one without a model.
Result<void> look_after(const WeightPackStore& store, const std::vector<const PackedSource*>& sources, const std::stop_token& stop) {
  const auto is_large = [&](const PackedSource* source) { return source->bytes >= store.limits().least_pack; };
  const bool nothing_to_keep = std::none_of(sources.begin(), sources.end(), is_large);
  std::error_code ignored;
  if (nothing_to_keep && !fs::exists(store.folder(), ignored)) return {};
  const Result<io::FolderLock> lock = store.lock();
  if (!lock && nothing_to_keep) return {};
  if (!lock) return tl::unexpected<Error>(lock.error());
  std::vector<std::pair<const PackedSource*, io::Digest>> known;
  for (const PackedSource* source : sources) {
    if (!is_large(source)) continue;
    LAVA_TRY(const auto notes, recognise(store, *source, stop));
    if (!notes.empty()) known.emplace_back(source, notes.front().pack);
  }
  store.sweep();
  for (const auto& [source, content] : known) {
    LAVA_TRY(const bool kept, is_kept(store, *source, content, stop));
    if (!kept) LAVA_CHECK_OK(write_pack(store, *source, content, stop));
    store.mark_used(content);
  }
  return {};
}

}  // namespace

WeightPackKeeper::WeightPackKeeper(WeightPackStore store, std::vector<const PackedSource*> sources, std::function<void(const std::string&)> on_notice)
    : store_(std::move(store)), sources_(std::move(sources)), on_notice_(std::move(on_notice)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

WeightPackKeeper::~WeightPackKeeper() = default;

void WeightPackKeeper::wait() {
  if (thread_.joinable()) thread_.join();
}

std::string WeightPackKeeper::notice() const {
  std::lock_guard lock(mutex_);
  return notice_;
}

void WeightPackKeeper::run(const std::stop_token& stop) {
  step_back();
  Result<void> done;
  try {
    done = look_after(store_, sources_, stop);
  } catch (const std::exception& error) {
    done = fail(Error::Kind::internal, "Something unexpected happened", error.what());
  }
  if (done || done.error().kind == Error::Kind::busy || done.error().kind == Error::Kind::cancelled) return;
  Error shown = done.error();
  shown.cause = shown.what + (shown.cause.empty() ? "" : ": " + shown.cause);
  shown.what = "The model opens more slowly than it could, because its packed weights cannot be kept on disk";
  if (shown.remedy.empty()) shown.remedy = "Set LAVASCOPE_CACHE to a folder of yours, or to \"off\"";
  {
    std::lock_guard lock(mutex_);
    notice_ = shown.message();
  }
  if (on_notice_) on_notice_(shown.message());
}

}  // namespace lava
