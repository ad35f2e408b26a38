#include "kernels/embed/embed_rows.h"
#include "kernels/lane.h"
#include "kernels/linear/pack.h"

namespace lava::reference {

void embed_rows(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const EmbedRowsArgs*>(args);
  const Span rows = lane.share(a.out.rows());
  for (int64_t i = rows.begin; i < rows.end; ++i) widen_row(a.table, a.ids.empty() ? a.step->token : a.ids.as<int32_t>()[i], a.out.row(i));
}

}  // namespace lava::reference
