// libtfkit_delegate.so for Java and Kotlin: TfkitDelegate.kt declares these functions.
#include <dlfcn.h>
#include <jni.h>

#include <cstddef>
#include <string>
#include <vector>

namespace {

using CreateFn = void* (*)(const char* const*, const char* const*, std::size_t,
                           void (*)(const char*));
using DestroyFn = void (*)(void*);

// Loaded once and kept: interpreters may outlive the object that asked for the library.
struct Library {
  CreateFn create = nullptr;
  DestroyFn destroy = nullptr;
  std::string error;

  Library() {
    void* handle = dlopen("libtfkit_delegate.so", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      error = dlerror();
      return;
    }
    create = reinterpret_cast<CreateFn>(dlsym(handle, "tflite_plugin_create_delegate"));
    destroy = reinterpret_cast<DestroyFn>(dlsym(handle, "tflite_plugin_destroy_delegate"));
    if (create == nullptr || destroy == nullptr) error = "libtfkit_delegate.so lacks its functions";
  }
};

const Library& TheLibrary() {
  static const Library library;
  return library;
}

// The plugin's interface has no user data for its error callback.
thread_local std::string last_error;

void KeepError(const char* message) {
  if (!last_error.empty()) last_error += "; ";
  last_error += message;
}

std::string Text(JNIEnv* env, jobjectArray array, jsize index) {
  const auto text = static_cast<jstring>(env->GetObjectArrayElement(array, index));
  if (text == nullptr) return "";
  const char* bytes = env->GetStringUTFChars(text, nullptr);
  const std::string copy = bytes == nullptr ? "" : bytes;
  if (bytes != nullptr) env->ReleaseStringUTFChars(text, bytes);
  env->DeleteLocalRef(text);
  return copy;
}

void Throw(JNIEnv* env, const std::string& message) {
  const jclass type = env->FindClass("java/lang/IllegalArgumentException");
  if (type != nullptr) env->ThrowNew(type, message.c_str());
}

}  // namespace

extern "C" {

// The TfLiteDelegate*, as the number that LiteRT's Java interface wants; keys and values are
// options of the delegate, of one length. Throws IllegalArgumentException.
JNIEXPORT jlong JNICALL Java_org_tfkit_example_TfkitDelegate_create(JNIEnv* env, jclass,
                                                                    jobjectArray keys,
                                                                    jobjectArray values) {
  const Library& library = TheLibrary();
  if (!library.error.empty()) {
    Throw(env, library.error);
    return 0;
  }
  const jsize count = env->GetArrayLength(keys);
  if (env->GetArrayLength(values) != count) {
    Throw(env, "keys and values differ in number");
    return 0;
  }
  std::vector<std::string> texts;
  for (jsize i = 0; i < count; ++i) {
    texts.push_back(Text(env, keys, i));
    texts.push_back(Text(env, values, i));
  }
  std::vector<const char*> names, settings;
  for (std::size_t i = 0; i < texts.size(); i += 2) {
    names.push_back(texts[i].c_str());
    settings.push_back(texts[i + 1].c_str());
  }
  last_error.clear();
  void* delegate = library.create(names.data(), settings.data(), names.size(), KeepError);
  if (delegate == nullptr) Throw(env, last_error.empty() ? "no delegate" : last_error);
  return reinterpret_cast<jlong>(delegate);
}

JNIEXPORT void JNICALL Java_org_tfkit_example_TfkitDelegate_destroy(JNIEnv*, jclass,
                                                                    jlong delegate) {
  if (delegate != 0) TheLibrary().destroy(reinterpret_cast<void*>(delegate));
}

}  // extern "C"
