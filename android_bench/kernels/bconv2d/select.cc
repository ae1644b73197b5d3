#include "kernels/bconv2d/select.h"

namespace tfkit::bconv2d {

const std::vector<const Kernel*>& Kernels() {
  static const std::vector<const Kernel*> all = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/bconv2d/kernels.inc"
#undef TFKIT_KERNEL
  };
  return all;
}

Selection<Kernel> Select(const Geometry& shape, const Cpu& cpu, const std::string& forced) {
  return SelectFrom(Kernels(), shape, cpu, forced);
}

}  // namespace tfkit::bconv2d
