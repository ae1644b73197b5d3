# zig (a PyPI wheel) as C++ compiler and archiver, for a machine that has none or for another machine.
# Included before project().
#
# TFKIT_PYTHON names the Python that has the ziglang package; scikit-build-core passes its own.

# CMake wants a program, not a command line, as a tool: write one that runs `python -m ziglang ARGUMENTS`.
function(tfkit_zig_tool variable name)
  if(${variable})
    return()
  endif()
  set(python "${TFKIT_PYTHON}")
  if(NOT python)
    set(python python3)
  endif()
  list(JOIN ARGN " " arguments)
  set(program "${CMAKE_BINARY_DIR}/zig-${name}")
  file(WRITE "${program}" "#!/bin/sh\nexec '${python}' -m ziglang ${arguments} \"$@\"\n")
  file(CHMOD "${program}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  set(${variable} "${program}" CACHE FILEPATH "zig as ${name}")
endfunction()

function(tfkit_use_zig target)
  tfkit_zig_tool(CMAKE_CXX_COMPILER c++ c++ -target ${target})
  tfkit_zig_tool(CMAKE_AR ar ar)
  tfkit_zig_tool(CMAKE_RANLIB ranlib ranlib)
endfunction()
