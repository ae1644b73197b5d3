"""Programs for Android's own C library, which the user built with the NDK (``cmake --preset android-arm64``)."""

from __future__ import annotations

import os
from pathlib import Path

from tfkit import _native
from tfkit._errors import MissingToolError
from tfkit.bench.artifacts import RUNNER, Artifacts
from tfkit.devices.userland import Userland
from tfkit.runtime import delegate
from tfkit.runtime.libraries import LIBRARY

LABEL = "bionic build"
VARIABLE = "TFKIT_ANDROID_DIR"
PLATFORM = "android-aarch64"
# ANDROID_PLATFORM of the preset.
OLDEST_API_LEVEL = 24


def installed(userland: Userland) -> Artifacts | None:
    """The build for this phone, in ``$TFKIT_ANDROID_DIR`` or beside the other platforms' files; None: there is none.

    Raises:
        MissingToolError: the folder is there, but not all of its files.
    """
    if not userland.android or (userland.api_level or 0) < OLDEST_API_LEVEL:
        return None
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else _native.folder(PLATFORM)
    if not named and not folder.is_dir():
        return None
    missing = [name for name in (RUNNER, delegate.LIBRARY, LIBRARY) if not (folder / name).is_file()]
    if missing:
        raise MissingToolError(
            f"{folder} lacks {', '.join(missing)}: the first two come from `cmake --preset android-arm64`, {LIBRARY} "
            "from jni/arm64-v8a of the AAR com.google.ai.edge.litert:litert. Put them there, or "
            + (f"unset {VARIABLE}" if named else "remove the folder")
        )
    return Artifacts(folder / RUNNER, folder / delegate.LIBRARY, folder / LIBRARY, litert_version=None)
