// The portable loop with x86-64's POPCNT, which the baseline instruction set lacks.
#include "kernels/bconv2d/tile_4x2.h"

#if !defined(__POPCNT__)
#error "kernels/CMakeLists.txt compiles this file with -mpopcnt"
#endif

namespace tfkit::bconv2d {

const Kernel kernels::popcnt = {"popcnt", Isa::kPopcnt, TiledFit,  PackTiles, TiledWorkspace,
                                1,        TiledUnits,   RunTile4x2};

}  // namespace tfkit::bconv2d
