# Included before project(): where there is no C++ compiler, zig (a PyPI wheel) is one.
#
# TFKIT_PYTHON names the Python that has the ziglang package; scikit-build-core passes its own.

function(tfkit_zig_wrapper out_path target)
  set(python "${TFKIT_PYTHON}")
  if(NOT python)
    set(python python3)
  endif()
  set(wrapper "${CMAKE_BINARY_DIR}/zig-${target}")
  # CMake wants a program, not a command line, as compiler.
  file(WRITE "${wrapper}" "#!/bin/sh\nexec '${python}' -m ziglang c++ -target ${target} \"$@\"\n")
  file(CHMOD "${wrapper}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  set(${out_path} "${wrapper}" PARENT_SCOPE)
endfunction()
