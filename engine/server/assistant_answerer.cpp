#include "engine/server/assistant_answerer.h"

namespace lava::server {
namespace {

class AssistantAnswerer : public Answerer {
 public:
  AssistantAnswerer(OpenedDevice opened, std::unique_ptr<Assistant> assistant, std::function<void()> on_device_lost)
      : opened_(std::move(opened)), assistant_(std::move(assistant)), on_device_lost_(std::move(on_device_lost)) {}
  const ModelReport& report() const override { return assistant_->report(); }
  const DeviceInfo& device() const override { return assistant_->device(); }
  std::string notice() const override {
    const std::string more = assistant_->notice();
    return opened_.note + (opened_.note.empty() || more.empty() ? "" : " ") + more;
  }
  Result<Answer> answer(const Request& request) override { return watched(assistant_->answer(request)); }
  Result<Prepared> prepare(const Request& request) override { return watched(assistant_->prepare(request)); }
  Result<Detections> detect(const DetectRequest& request) override { return watched(assistant_->detect(request)); }
  Result<std::pair<std::vector<View>, int>> preview(Size image, int pictures) const override { return assistant_->preview(image, pictures); }

 private:
  template <class T>
  Result<T> watched(Result<T> result) const {
    if (!result && result.error().kind == Error::Kind::device_lost && on_device_lost_) on_device_lost_();
    return result;
  }

  OpenedDevice opened_;  // outlives the model on it
  std::unique_ptr<Assistant> assistant_;
  std::function<void()> on_device_lost_;
};

}  // namespace

Result<std::unique_ptr<Answerer>> make_assistant_answerer(const ModelChoice& choice, const Progress& progress) {
  TrustRules trust = choice.trust;
  if (progress) trust.on_wait = [&](const char* phrase) { progress(0, phrase); };
  LAVA_TRY(OpenedDevice opened, open_trusted_device(choice.device, choice.cpu, trust));
  if (!opened.note.empty() && choice.assistant.on_notice) choice.assistant.on_notice(opened.note);
  auto assistant = Assistant::load(opened.devices(), choice.assistant, progress);
  if (!assistant) {
    if (assistant.error().kind == Error::Kind::device_lost && choice.on_device_lost) choice.on_device_lost();
    return tl::unexpected(assistant.error());
  }
  return std::make_unique<AssistantAnswerer>(std::move(opened), std::move(*assistant), choice.on_device_lost);
}

}  // namespace lava::server
