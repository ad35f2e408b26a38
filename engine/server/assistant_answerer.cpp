#include "engine/server/assistant_answerer.h"

namespace lava::server {
namespace {

class AssistantAnswerer : public Answerer {
 public:
  AssistantAnswerer(std::unique_ptr<Device> device, std::unique_ptr<Assistant> assistant)
      : device_(std::move(device)), assistant_(std::move(assistant)) {}
  const ModelReport& report() const override { return assistant_->report(); }
  const DeviceInfo& device() const override { return device_->info(); }
  std::string notice() const override { return assistant_->notice(); }
  Result<Answer> answer(const Request& request) override { return assistant_->answer(request); }
  Result<Prepared> prepare(const Request& request) override { return assistant_->prepare(request); }
  Result<Detections> detect(const DetectRequest& request) override { return assistant_->detect(request); }
  Result<std::pair<std::vector<View>, int>> preview(Size image, int pictures) const override { return assistant_->preview(image, pictures); }

 private:
  std::unique_ptr<Device> device_;  // outlives the model on it
  std::unique_ptr<Assistant> assistant_;
};

}  // namespace

Result<std::unique_ptr<Answerer>> make_assistant_answerer(const ModelChoice& choice, const Progress& progress) {
  LAVA_TRY(auto device, make_cpu_device(choice.cpu));
  LAVA_TRY(auto assistant, Assistant::load(*device, choice.assistant, progress));
  return std::make_unique<AssistantAnswerer>(std::move(device), std::move(assistant));
}

}  // namespace lava::server
