#include "kernels/kbit_maxpool/select.h"

namespace tfkit::kbit_maxpool {

const std::vector<const Kernel*>& Kernels() {
  static const std::vector<const Kernel*> all = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/kbit_maxpool/kernels.inc"
#undef TFKIT_KERNEL
  };
  return all;
}

Selection<Kernel> Select(const Shape& shape, const Cpu& cpu, const std::string& forced) {
  return SelectFrom(Kernels(), shape, cpu, forced);
}

}  // namespace tfkit::kbit_maxpool
