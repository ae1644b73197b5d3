#include "tests/coverage.h"

#include <set>
#include <utility>

#include "kernels/add/select.h"
#include "kernels/bconv2d/select.h"
#include "kernels/bmaxpool/select.h"
#include "kernels/dequantize/select.h"
#include "kernels/kbit_conv2d/select.h"
#include "kernels/kbit_maxpool/select.h"
#include "kernels/kbit_quantize/select.h"
#include "kernels/quantize/select.h"
#include "kernels/sparse_conv2d/select.h"

namespace tfkit::testing {
namespace {

std::set<std::pair<std::string, std::string>>& Runs() {
  static std::set<std::pair<std::string, std::string>> runs;
  return runs;
}

// Every kernel has shapes that it refuses; these are ordinary ones.
bconv2d::Geometry OrdinaryConvolution() {
  bconv2d::Geometry geometry;
  geometry.filter = {64, 64, 1, 3, 3};
  geometry.batch = 1;
  geometry.y = geometry.x = *PlaceWindows(8, 3, 1, 1, Padding::kSame);
  return geometry;
}

kbit_conv2d::Geometry OrdinaryFewBits() {
  kbit_conv2d::Geometry geometry;
  geometry.filter = {64, 64, 3, 3, {2, 1, -2}, {2, 1, 0}, false};
  geometry.batch = 1;
  geometry.y = geometry.x = *PlaceWindows(8, 3, 1, 1, Padding::kSame);
  return geometry;
}

bmaxpool::Shape OrdinaryPool() {
  const WindowAxis axis = *PlaceWindows(8, 2, 2, 1, Padding::kValid);
  return {1, axis, axis, 2};
}

kbit_maxpool::Shape OrdinaryLevelPool() {
  const WindowAxis axis = *PlaceWindows(8, 2, 2, 1, Padding::kValid);
  return {1, axis, axis, 64, 2};
}

template <typename Kernel, typename Shape>
void ExpectCovered(const std::string& op, const std::vector<const Kernel*>& kernels,
                   const Shape& shape) {
  for (const Kernel* kernel : kernels) {
    if (FitOf(*kernel, shape, HostCpu()) == Fit::kCannot) continue;
    EXPECT_EQ(Runs().count({op, kernel->name}), 1u)
        << op << " has the kernel '" << kernel->name
        << "', which this CPU can run and no test has run";
  }
}

}  // namespace

void RecordRun(const std::string& op, const std::string& kernel) { Runs().emplace(op, kernel); }

void ExpectAllKernelsCovered() {
  ExpectCovered("add", add::Kernels(), add::Shape{64});
  ExpectCovered("quantize", quantize::Kernels(), quantize::Shape{4, 64});
  ExpectCovered("dequantize", dequantize::Kernels(), dequantize::Shape{4, 64});
  ExpectCovered("bmaxpool", bmaxpool::Kernels(), OrdinaryPool());
  ExpectCovered("kbit_conv2d", kbit_conv2d::Kernels(), OrdinaryFewBits());
  ExpectCovered("kbit_maxpool", kbit_maxpool::Kernels(), OrdinaryLevelPool());
  ExpectCovered("kbit_quantize", kbit_quantize::Kernels(), kbit_quantize::Shape{4, 64, 2});
  ExpectCovered("sparse_conv2d", sparse_conv2d::Kernels(), sparse_conv2d::Shape{64, 32, 32, 100});
  ExpectCovered("bconv2d", bconv2d::Kernels(), OrdinaryConvolution());
}

}  // namespace tfkit::testing
