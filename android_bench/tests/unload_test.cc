// The shared library itself: loaded, used with threads, and unloaded without a trace.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "tests/fake_runtime.h"

namespace tfkit {
namespace {

using testing::FakeGraph;
using testing::FakeRuntime;
using testing::FakeTensor;

using Create = TfLiteDelegate* (*)(const char* const*, const char* const*, std::size_t,
                                   void (*)(const char*));
using Destroy = void (*)(TfLiteDelegate*);

std::size_t Threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

// Whether this many are left. A thread that was joined is listed until the kernel, or the emulator,
// has cleared it away, hence the patience.
bool ThreadsBecome(std::size_t count) {
  for (int attempt = 0; attempt < 1000 && Threads() != count; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return Threads() == count;
}

// The number once it has not changed for a second: tests before this one have joined threads too.
std::size_t SettledThreads() {
  std::size_t count = Threads();
  for (int unchanged = 0; unchanged < 100; ++unchanged) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (Threads() == count) continue;
    count = Threads();
    unchanged = 0;
  }
  return count;
}

bool IsLoaded() {
  std::ifstream maps("/proc/self/maps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  return text.find("libtfkit_delegate.so") != std::string::npos;
}

// Large enough to be worth threads.
FakeGraph Quantize() {
  FakeTensor input;
  input.shape = {1, 512, 512, 8};
  FakeTensor output;
  output.type = kTfLiteInt32;
  output.shape = {1, 512, 512, 1};
  FakeGraph graph;
  graph.tensors = {input, output};
  graph.nodes = {{"LceQuantize", {0}, {1}, {}}};
  graph.outputs = {1};
  return graph;
}

TEST(Library, IsUnloadedWithItsThreads) {
  // Emulators list neither threads nor libraries of their guest.
  const std::size_t threads = SettledThreads();
  std::size_t most = 0;
  for (int round = 0; round < 5; ++round) {
    void* library = dlopen(TFKIT_DELEGATE_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    const auto create = reinterpret_cast<Create>(dlsym(library, "tflite_plugin_create_delegate"));
    const auto destroy =
        reinterpret_cast<Destroy>(dlsym(library, "tflite_plugin_destroy_delegate"));
    ASSERT_TRUE(create && destroy);
    const char* key = "num_threads";
    const char* value = "3";
    TfLiteDelegate* delegate = create(&key, &value, 1, nullptr);
    ASSERT_NE(delegate, nullptr);
    {
      FakeRuntime first(Quantize());
      FakeRuntime second(Quantize());
      for (FakeRuntime* runtime : {&first, &second}) {
        ASSERT_TRUE(runtime->Apply(delegate) && runtime->Allocate() && runtime->Invoke())
            << runtime->errors();
      }
      most = std::max(most, Threads());
      if (round % 2 == 0) destroy(delegate);  // before the interpreters, as Python may do
    }
    if (round % 2 != 0) destroy(delegate);
    EXPECT_TRUE(ThreadsBecome(threads)) << Threads() << " threads, " << threads << " at first";
    dlclose(library);
    EXPECT_FALSE(IsLoaded());
  }
  EXPECT_EQ(most, threads + 2);
}

}  // namespace
}  // namespace tfkit
