// Functions that files with their own instruction-set flags may use must be inlined there: the
// linker keeps one out-of-line copy, and that one might need instructions which the CPU lacks.
#pragma once

#define TFKIT_ALWAYS_INLINE [[gnu::always_inline]] inline
