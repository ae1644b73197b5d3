"""The Android road without a phone: the JNI part of the example at work, and what presets and files promise."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tfkit import _native

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "examples" / "android"
JNI = EXAMPLE / "app/src/main/cpp/tfkit_jni.cc"
KOTLIN = EXAMPLE / "app/src/main/java/org/tfkit/example/TfkitDelegate.kt"
WARNINGS = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-fPIC")

# As much of jni.h as the example uses, over vectors: what a virtual machine would do behind it.
STUB = r"""
#pragma once
#include <cstdint>
#include <string>
#include <vector>
using jlong = std::int64_t;
using jsize = std::int32_t;
struct Object { std::string text; std::vector<Object*> items; };
using jobject = Object*; using jclass = Object*; using jstring = Object*; using jobjectArray = Object*;
#define JNIEXPORT __attribute__((visibility("default")))
#define JNICALL
struct JNIEnv {
  std::string thrown;
  int borrowed = 0;
  jsize GetArrayLength(jobjectArray a) { return static_cast<jsize>(a->items.size()); }
  jobject GetObjectArrayElement(jobjectArray a, jsize i) { return a->items[static_cast<std::size_t>(i)]; }
  const char* GetStringUTFChars(jstring s, bool*) { ++borrowed; return s->text.c_str(); }
  void ReleaseStringUTFChars(jstring, const char*) { --borrowed; }
  void DeleteLocalRef(jobject) {}
  jclass FindClass(const char* name) { static Object type; type.text = name; return &type; }
  int ThrowNew(jclass type, const char* message) { thrown = type->text + ": " + message; return 0; }
};
"""
DRIVER = r"""
#include <cstdio>
#include "tfkit_jni.cc"
int main(int argc, char** argv) {
  JNIEnv env;
  Object keys, values;
  for (int i = 1; i < argc; ++i) (i % 2 ? keys : values).items.push_back(new Object{argv[i], {}});
  const jlong delegate = Java_org_tfkit_example_TfkitDelegate_create(&env, nullptr, &keys, &values);
  std::printf("%s %s %d\n", delegate ? "made" : "none", env.thrown.c_str(), env.borrowed);
  Java_org_tfkit_example_TfkitDelegate_destroy(&env, nullptr, delegate);
}
"""
# What Kotlin's compiler makes of the companion's functions: static native methods of the class.
JAVA = r"""
package org.tfkit.example;
public final class TfkitDelegate {
  private static native long create(String[] keys, String[] values);
  private static native void destroy(long handle);
  public static void main(String[] arguments) {
    System.load(arguments[0]);
    long handle = create(new String[] {"num_threads", "kernel"}, new String[] {"2", "reference"});
    System.out.println(handle != 0 ? "made" : "none");
    destroy(handle);
    try {
      create(new String[] {"num_threads"}, new String[] {"many"});
    } catch (IllegalArgumentException error) {
      System.out.println(error.getMessage());
    }
  }
}
"""


def compiled(command: list[str | Path]) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def said(command: list[str | Path]) -> str:
    libraries = {"LD_LIBRARY_PATH": str(_native.path("libtfkit_delegate.so").parent)}
    done = subprocess.run(
        list(map(str, command)), env=os.environ | libraries, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def gxx() -> str:
    found = shutil.which("g++")
    assert found, "g++ is missing; install it with: apt-get install -y g++"
    return found


def test_the_jni_part_behind_a_stub(tmp_path: Path) -> None:
    (tmp_path / "jni.h").write_text(STUB)
    (tmp_path / "driver.cc").write_text(DRIVER)
    program = tmp_path / "driver"
    compiled([gxx(), *WARNINGS, "-I", tmp_path, "-I", JNI.parent, tmp_path / "driver.cc", "-o", program, "-ldl"])
    assert said([program]) == "made  0\n"
    assert said([program, "num_threads", "2", "kernel", "reference"]) == "made  0\n"
    refused = said([program, "num_threads", "many"])
    assert refused.startswith("none java/lang/IllegalArgumentException: ")
    assert "num_threads" in refused
    assert "keys and values differ in number" in said([program, "num_threads"])


def test_the_jni_part_in_a_java_machine(tmp_path: Path) -> None:
    javac, java = shutil.which("javac"), shutil.which("java")
    if javac is None or java is None:
        pytest.skip("no JDK here; the stub above stands in")
    include = Path(javac).resolve().parents[1] / "include"
    library = tmp_path / "libtfkit_jni.so"
    compiled([gxx(), *WARNINGS, "-shared", "-I", include, "-I", include / "linux", JNI, "-o", library, "-ldl"])
    source = tmp_path / "org/tfkit/example/TfkitDelegate.java"
    source.parent.mkdir(parents=True)
    source.write_text(JAVA)
    compiled([javac, "-d", tmp_path / "classes", source])
    lines = said([java, "-cp", tmp_path / "classes", "org.tfkit.example.TfkitDelegate", library]).splitlines()
    assert lines[0] == "made"
    assert "num_threads" in lines[1]


def test_kotlin_declares_what_the_library_defines() -> None:
    """Every external function of the Kotlin file, in its package and class, and no other."""
    kotlin = KOTLIN.read_text()
    package = re.search(r"^package (.+)$", kotlin, re.MULTILINE)
    assert package is not None
    prefix = f"Java_{package[1].replace('.', '_')}_{KOTLIN.stem}_"
    declared = {prefix + name for name in re.findall(r"external fun (\w+)\(", kotlin)}
    assert declared == set(re.findall(r"JNICALL (Java_\w+)\(", JNI.read_text()))
    assert kotlin.count("@JvmStatic") == len(declared)


def test_the_preset_is_for_android_7_and_pages_of_16_kib() -> None:
    presets = json.loads((REPOSITORY / "android_bench/CMakePresets.json").read_text())
    (preset,) = presets["configurePresets"]
    assert preset["name"] == "android-arm64"
    assert preset["toolchainFile"].startswith("$env{ANDROID_NDK_HOME}/")
    variables = preset["cacheVariables"]
    assert (variables["ANDROID_PLATFORM"], variables["ANDROID_STL"]) == ("android-24", "c++_static")
    for kind in ("SHARED", "EXE"):
        assert variables[f"CMAKE_{kind}_LINKER_FLAGS"] == "-Wl,-z,max-page-size=16384"
    assert "minSdk = 24" in (EXAMPLE / "app/build.gradle.kts").read_text()


@pytest.mark.parametrize("part", ["runner", "delegate", "kernels"])
def test_sources_use_no_function_that_came_after_android_7(part: str) -> None:
    """Those of bionic's list (libc.map.txt, "introduced=" above 24) that a Linux program is likely to call."""
    later = (
        "aligned_alloc|getloadavg|timespec_get|timespec_getres|memfd_create|getrandom|getentropy|glob|globfree"
        "|posix_spawn|mlock2|copy_file_range|renameat2|statx|gettid_np|pthread_setaffinity_np|pthread_getaffinity_np"
        "|fexecve|syncfs|getlogin_r|iconv|nl_langinfo|strtod_l|strtof_l|strtol_l|hcreate|qsort_r|reallocarray"
        "|sem_clockwait|pthread_cond_clockwait|pthread_mutex_clocklock|catopen|aio_read|backtrace|ctermid|wcsftime_l"
    )
    call = re.compile(rf"(?<![\w.>])(?:std::|::)?({later})\s*\(")
    found = [
        f"{file.relative_to(REPOSITORY)}: {match[1]}"
        for file in sorted((REPOSITORY / "android_bench" / part).rglob("*.[ch]*"))
        if file.suffix in (".h", ".cc", ".inc")
        for match in call.finditer(re.sub(r"//.*", "", file.read_text()))
    ]
    assert found == []


def test_cmake_takes_the_preset(tmp_path: Path) -> None:
    """With a toolchain file that does nothing in the NDK's place, as far as naming the folder of the results."""
    cmake = shutil.which("cmake")
    assert cmake, "cmake is missing; install it with: pip install cmake"
    toolchain = tmp_path / "build/cmake/android.toolchain.cmake"
    toolchain.parent.mkdir(parents=True)
    toolchain.write_text("")
    command = [cmake, "--preset", "android-arm64", "-N", "-B", str(tmp_path / "b")]
    environment = os.environ | {"ANDROID_NDK_HOME": str(tmp_path)}
    done = subprocess.run(
        command, cwd=REPOSITORY / "android_bench", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 'ANDROID_ABI="arm64-v8a"' in done.stdout


def test_the_documentation_says_that_nobody_ran_it() -> None:
    text = (EXAMPLE / "README.md").read_text()
    assert "Nobody has run this on a phone" in text
    for name in re.findall(r"`(app/[^`]+\.(?:cc|kt|kts|txt|xml))`", text):
        assert (EXAMPLE / name).is_file()
