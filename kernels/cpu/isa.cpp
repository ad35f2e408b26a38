#include "kernels/cpu/isa.h"

#include <cstdlib>
#include <fstream>

namespace lava {
namespace {

#if defined(__x86_64__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("aes") &&
         __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("f16c");
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vnni");
}
#endif

bool runs_here(std::string_view level) {
#if defined(__x86_64__)
  if (level == "baseline") return __builtin_cpu_supports("ssse3");
  if (level == "avx2") return has_avx2();
  if (level == "avx512") return has_avx512();
  if (level == "avx512_bf16") return has_avx512() && __builtin_cpu_supports("avx512bf16");
#endif
  return level == "reference" || level == "baseline" || level == "neon";  // the tables hold only levels of this architecture
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::vector<std::string> runnable_levels() {
  std::vector<std::string> levels;
  for (int i = 0; i < kernel_table_count; ++i) {
    if (runs_here(kernel_tables[i].level)) levels.emplace_back(kernel_tables[i].level);
  }
  return levels;
}

Result<const KernelTable*> choose_level(std::string_view wanted) {
  const char* variable = std::getenv("LAVASCOPE_ISA");
  if (wanted.empty() && variable) wanted = variable;
  const KernelTable* best = nullptr;
  for (int i = 0; i < kernel_table_count; ++i) {
    const KernelTable& table = kernel_tables[i];
    if (wanted.empty() && runs_here(table.level)) best = &table;
    if (wanted != table.level) continue;
    if (runs_here(table.level)) return &table;
    return fail(Error::Kind::unsupported, "This processor cannot run the instruction set '" + std::string(wanted) + "'", cpu_name(),
                "Choose one of: " + join(runnable_levels()));
  }
  if (best) return best;
  return fail(Error::Kind::invalid, "There is no instruction set named '" + std::string(wanted) + "'", {},
              "Choose one of: " + join(runnable_levels()));
}

const Kernel* reference_kernels() { return kernel_tables[0].kernels; }

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

}  // namespace lava
