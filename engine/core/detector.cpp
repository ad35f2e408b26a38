#include "engine/core/detector.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "engine/core/user_folders.h"
#include "engine/io/safetensors.h"
#include "engine/partition/partition_config.h"
#include "engine/text/grounding.h"

namespace lava {
namespace {

constexpr const char* detector_file = "models/ssdlite/ssdlite-mobilenet-v2-coco.safetensors";

Result<std::filesystem::path> find_detector() {
  const std::vector<std::filesystem::path> folders = resource_folders();
  std::error_code error;
  for (const std::filesystem::path& folder : folders)
    if (std::filesystem::is_regular_file(folder / detector_file, error)) return folder / detector_file;
  return fail(Error::Kind::not_found, "The detector is not installed",
              folders.empty() ? "" : (folders.front() / detector_file).string() + " does not exist", "Install the program again");
}

Result<void> check_rules(const DetectRules& rules) {
  if (!(rules.threshold >= 0 && rules.threshold <= 1))
    return fail(Error::Kind::invalid, "The threshold of the detector cannot be used", fmt::format("it is {}", rules.threshold),
                "Give a number from 0 to 1");
  if (rules.max < 1 || rules.max > DetectRules::most)
    return fail(Error::Kind::invalid, "The number of objects cannot be used", fmt::format("it is {}", rules.max),
                fmt::format("Give a number from 1 to {}", DetectRules::most));
  return {};
}

}  // namespace

Result<std::unique_ptr<Detector>> Detector::open(Device& device) {
  LAVA_TRY(const std::filesystem::path file, find_detector());
  std::unique_ptr<Detector> detector(new Detector(device, nullptr));
  LAVA_TRY(detector->source_, io::Safetensors::open(file));
  detector->weights_ = std::make_unique<Weights>(device);
  LAVA_TRY(detector->own_, SsdliteMobilenetV2::load(*detector->weights_, *detector->source_));
  detector->tower_ = detector->own_.get();
  LAVA_CHECK_OK(detector->allocate());
  return detector;
}

Result<std::unique_ptr<Detector>> Detector::borrow(Device& device, const SsdliteMobilenetV2& tower) {
  std::unique_ptr<Detector> detector(new Detector(device, &tower));
  LAVA_CHECK_OK(detector->allocate());
  return detector;
}

Result<void> Detector::allocate() {
  constexpr Size square = {SsdliteMobilenetV2::side, SsdliteMobilenetV2::side};
  LAVA_TRY(views_, make_partitioner(detector_views()));
  LAVA_TRY(const std::vector<View> views, views_->views(square, 1));
  const std::unique_ptr<Device> plan = make_plan_device();
  Arena planned;
  Run run{*plan, planned};
  LAVA_CHECK_OK(tower_->detections(run, views.front(), {}, 0, 0));
  LAVA_TRY(memory_, device_.allocate(planned.high_water()));
  arena_ = Arena(memory_->data(), planned.high_water());
  return {};
}

Result<Detections> Detector::detect(const DetectRequest& request) {
  if (!request.picture) return fail(Error::Kind::invalid, "The picture is missing", {}, "Send one");
  LAVA_CHECK_OK(check_rules(request.rules));
  LAVA_TRY(const media::Picture picture, media::decode_picture(std::as_bytes(std::span(request.picture->data(), request.picture->size()))));
  return detect(picture, request.rules, request.cancel);
}

Result<Detections> Detector::detect(const media::Picture& picture, const DetectRules& rules, const std::atomic<bool>* cancel) {
  LAVA_CHECK_OK(check_rules(rules));
  LAVA_TRY(const std::vector<View> views, views_->views(picture.size(), 1));
  Run run{device_, arena_, nullptr, cancel};
  LAVA_TRY(const std::vector<Object> found,
           tower_->detections(run, views.front(), picture, rules.threshold, SsdliteMobilenetV2::max_detections));
  Detections result{picture.size(), {}};
  for (const Object& object : found) {
    Detection detection{object.label, {}, object.score};
    // What stands in the padding alone is nowhere in the picture.
    const bool inside = text::to_pixels(object.box, picture.width, picture.height, detection.box);
    if (inside && static_cast<int>(result.objects.size()) < rules.max) result.objects.push_back(std::move(detection));
  }
  return result;
}

}  // namespace lava
