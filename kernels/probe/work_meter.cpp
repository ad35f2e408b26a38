#include "kernels/probe/work_meter.h"

#include "kernels/linear/prepared.h"
#include "kernels/ops.h"

namespace lava {
namespace {

Work linear_work(const LinearArgs& args) {
  Work work;
  for (int i = 0; i < args.targets; ++i) {
    const Matrix& w = args.target[i].weight;
    work.streamed += static_cast<double>(packed_bytes(w.format, w.layout, w.out, w.in));
    const double operations = 2.0 * static_cast<double>(args.x.rows()) * w.out * w.in;
    if (takes_prepared(w)) {
      work.int8 += operations;
    } else if (w.format == DType::bf16 || takes_bf16(w, args.x.rows())) {
      work.bf16 += operations;
    } else {
      work.f32 += operations;
    }
  }
  return work;
}

// The cost of attention is its queries and results, and the keys and values that they see.
double streamed_by(const AttentionArgs& args) { return args.cost().bytes - 8.0 * static_cast<double>(args.q.elements()); }

double share(double operations, double rate) { return operations > 0 && rate > 0 ? operations / rate : 0; }

}  // namespace

double Work::compute_seconds(const Roofs& roofs) const {
  return share(f32, roofs.f32) + share(bf16, roofs.best_bf16()) + share(int8, roofs.best_int8());
}

Work& Work::operator+=(const Work& other) {
  bytes += other.bytes, streamed += other.streamed;
  f32 += other.f32, bf16 += other.bf16, int8 += other.int8;
  return *this;
}

Work work_of(const OpCall& call) {
  const Cost cost = op_info(call.id).cost(call.args);
  Work work;
  if (call.id == OpId::linear) {
    work = linear_work(*static_cast<const LinearArgs*>(call.args));
  } else if (call.id == OpId::rope_attention) {
    const auto& args = *static_cast<const RopeAttentionArgs*>(call.args);
    work.f32 = cost.flops, work.streamed = streamed_by(args.attention());
  } else {
    const bool bf16 = call.id == OpId::attention && static_cast<const AttentionArgs*>(call.args)->precision != Precision::exact;
    (bf16 ? work.bf16 : work.f32) = cost.flops;
    if (call.id == OpId::attention) work.streamed = streamed_by(*static_cast<const AttentionArgs*>(call.args));
    if (call.id == OpId::embed_rows) work.streamed = cost.bytes - 4.0 * static_cast<double>(static_cast<const EmbedRowsArgs*>(call.args)->out.elements());
  }
  work.bytes = cost.bytes;
  return work;
}

class WorkMeter::Metered final : public Recording {
 public:
  explicit Metered(WorkMeter& owner) : owner_(owner) {}
  void replay() override {
    for (size_t i = 0; owner_.on && i < calls.size(); ++i) owner_.total += work_of(calls[i]);  // by the position of this step
    inner->replay();
  }
  CallList calls;
  std::unique_ptr<Recording> inner;

 private:
  WorkMeter& owner_;
};

void WorkMeter::execute(const OpCall& call) {
  if (recording_) {
    recording_->append(call);
  } else if (on) {
    total += work_of(call);
  }
  inner_.execute(call);
}

std::unique_ptr<Recording> WorkMeter::record(const std::function<void()>& body) {
  LAVA_CHECK(recording_ == nullptr);
  auto recording = std::make_unique<Metered>(*this);
  recording_ = &recording->calls;
  recording->inner = inner_.record(body);
  recording_ = nullptr;
  return recording;
}

}  // namespace lava
