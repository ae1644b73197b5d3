// What the library's statics registered for the end of the process runs when the library is
// unloaded. GCC's start files see to that; zig links without them, and exit() would call into
// memory that is gone. Handlers that ran are forgotten, so doing it twice does no harm.

extern "C" {
extern void* __dso_handle;
void __cxa_finalize(void*);
}

namespace {

__attribute__((destructor)) void RunExitHandlers() { __cxa_finalize(&__dso_handle); }

}  // namespace
