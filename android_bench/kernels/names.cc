#include "kernels/names.h"

#include <set>

namespace tfkit {
namespace {

const std::set<std::string_view>& Names() {
  static const std::set<std::string_view> names = {
#define TFKIT_KERNEL(name) #name,
#include "kernels/add/kernels.inc"
#include "kernels/bconv2d/kernels.inc"
#include "kernels/bmaxpool/kernels.inc"
#include "kernels/dequantize/kernels.inc"
#include "kernels/kbit_conv2d/kernels.inc"
#include "kernels/kbit_maxpool/kernels.inc"
#include "kernels/kbit_quantize/kernels.inc"
#include "kernels/quantize/kernels.inc"
#include "kernels/sparse_conv2d/kernels.inc"
#undef TFKIT_KERNEL
  };
  return names;
}

}  // namespace

bool IsKernelName(std::string_view name) { return Names().count(name) != 0; }

std::string KernelNames() {
  std::string joined;
  for (std::string_view name : Names()) {
    joined += joined.empty() ? "" : ", ";
    joined += name;
  }
  return joined;
}

}  // namespace tfkit
