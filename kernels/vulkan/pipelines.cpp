#include "kernels/vulkan/pipelines.h"

#include "kernels/vulkan/cache_file.h"

namespace lava::vulkan {

Result<std::unique_ptr<Pipelines>> Pipelines::create(Gpu& gpu) {
  std::unique_ptr<Pipelines> made(new Pipelines(gpu));
  VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes};
  VkPipelineLayoutCreateInfo layout{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  layout.pushConstantRangeCount = 1, layout.pPushConstantRanges = &range;
  VkResult result = gpu.CreatePipelineLayout(gpu.device(), &layout, nullptr, &made->layout_);
  if (result != VK_SUCCESS) return fail(Error::Kind::out_of_memory, "The graphics device does not open", result_name(result), "Close other programs that use it");
  made->file_ = cache_file_path(gpu.abilities());
  const std::string known = read_cache_file(made->file_);
  VkPipelineCacheCreateInfo cache{VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
  cache.initialDataSize = known.size(), cache.pInitialData = known.data();
  result = gpu.CreatePipelineCache(gpu.device(), &cache, nullptr, &made->cache_);
  if (result != VK_SUCCESS) made->cache_ = VK_NULL_HANDLE;  // pipelines can be made without
  return made;
}

Pipelines::~Pipelines() {
  save();
  for (const auto& [key, pipeline] : made_) gpu_.DestroyPipeline(gpu_.device(), pipeline, nullptr);
  if (cache_) gpu_.DestroyPipelineCache(gpu_.device(), cache_, nullptr);
  if (layout_) gpu_.DestroyPipelineLayout(gpu_.device(), layout_, nullptr);
}

Result<VkPipeline> Pipelines::get(const Shader& shader, const Constants& constants) {
  const auto found = made_.find({&shader, constants});
  if (found != made_.end()) return found->second;
  LAVA_TRY(const VkPipeline pipeline, make(shader, constants));
  made_.emplace(std::pair{&shader, constants}, pipeline);
  fresh_ = true;
  return pipeline;
}

Result<VkPipeline> Pipelines::make(const Shader& shader, const Constants& constants) {
  const Shader::Code& code = shader.code[gpu_.abilities().subgroups ? 1 : 0];
  VkShaderModuleCreateInfo module_info{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
  module_info.codeSize = code.bytes, module_info.pCode = code.words;
  VkShaderModule module = VK_NULL_HANDLE;
  VkResult result = gpu_.CreateShaderModule(gpu_.device(), &module_info, nullptr, &module);
  VkPipeline pipeline = VK_NULL_HANDLE;
  if (result == VK_SUCCESS) {
    std::array<VkSpecializationMapEntry, max_constants> entries;
    for (uint32_t i = 0; i < max_constants; ++i) entries[i] = {i, 4 * i, 4};
    const VkSpecializationInfo specialization{max_constants, entries.data(), sizeof(constants), constants.data()};
    VkComputePipelineCreateInfo info{VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
    info.stage = {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, nullptr, 0, VK_SHADER_STAGE_COMPUTE_BIT, module, "main", &specialization};
    info.layout = layout_;
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroups{VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO};
    if (shader.matrices) {
      subgroups.requiredSubgroupSize = gpu_.abilities().limits.subgroup;
      info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT, info.stage.pNext = &subgroups;
    }
    result = gpu_.CreateComputePipelines(gpu_.device(), cache_, 1, &info, nullptr, &pipeline);
    gpu_.DestroyShaderModule(gpu_.device(), module, nullptr);
  }
  if (result == VK_SUCCESS) return pipeline;
  return fail(result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY ? Error::Kind::out_of_memory : Error::Kind::unsupported,
              "The graphics driver does not translate a shader", std::string(shader.name) + ": " + result_name(result), "Update the graphics driver");
}

void Pipelines::save() {
  if (!fresh_ || !cache_) return;
  size_t size = 0;
  if (gpu_.GetPipelineCacheData(gpu_.device(), cache_, &size, nullptr) != VK_SUCCESS || size == 0) return;
  std::string data(size, '\0');
  if (gpu_.GetPipelineCacheData(gpu_.device(), cache_, &size, data.data()) != VK_SUCCESS) return;
  data.resize(size);
  write_cache_file(file_, data);
  fresh_ = false;
}

}  // namespace lava::vulkan
