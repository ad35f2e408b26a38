// Compute pipelines, made when first needed from a shader and its constants, and kept on disk in the driver's form between runs.
#pragma once
#include <array>
#include <map>

#include "kernels/vulkan/gpu.h"
#include "kernels/vulkan/shader.h"

namespace lava::vulkan {

constexpr uint32_t push_bytes = 128;  // every device has as much
constexpr size_t max_constants = 13;

// The first constant is the size of the workgroup, the others are those of the shader (constant_id 1 and up).
using Constants = std::array<uint32_t, max_constants>;

class Pipelines {
 public:
  static Result<std::unique_ptr<Pipelines>> create(Gpu& gpu);
  ~Pipelines();
  Pipelines(const Pipelines&) = delete;
  Pipelines& operator=(const Pipelines&) = delete;

  VkPipelineLayout layout() const { return layout_; }
  Result<VkPipeline> get(const Shader& shader, const Constants& constants);
  void save();  // if there are new ones; a folder that cannot be written costs time at the next start, nothing else

 private:
  explicit Pipelines(Gpu& gpu) : gpu_(gpu) {}
  Result<VkPipeline> make(const Shader& shader, const Constants& constants);

  Gpu& gpu_;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  std::map<std::pair<const Shader*, Constants>, VkPipeline> made_;
  std::string file_;
  bool fresh_ = false;
};

}  // namespace lava::vulkan
