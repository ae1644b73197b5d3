#include "kernels/bconv2d/tile_4x2.h"

namespace tfkit::bconv2d {

const Kernel kernels::portable = {"portable", Isa::kBaseline, TiledFit,  PackTiles, TiledWorkspace,
                                  1,          TiledUnits,     RunTile4x2};

}  // namespace tfkit::bconv2d
