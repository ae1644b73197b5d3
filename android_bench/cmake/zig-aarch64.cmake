# Toolchain file: cross-compile for 64-bit Arm Linux, glibc 2.28 or newer, with the ziglang wheel.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TFKIT_PYTHON)
include("${CMAKE_CURRENT_LIST_DIR}/zig.cmake")
tfkit_use_zig(aarch64-linux-gnu.2.28)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
