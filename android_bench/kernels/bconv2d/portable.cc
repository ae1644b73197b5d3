#include "kernels/bconv2d/tile_4x2.h"

namespace tfkit::bconv2d {
namespace {

bool Runs(const Geometry&, const Cpu&) { return true; }

}  // namespace

const Kernel kernels::portable = {"portable", Runs, PackTiles, TiledWorkspace, RunTile4x2};

}  // namespace tfkit::bconv2d
