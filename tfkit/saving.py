"""Save and load Keras models with their metadata; files that would run code or do not hold a model are refused.

A SavedModel is a program: loading one can run whatever its author put in. Load SavedModels you trust.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

from tfkit._errors import ModelError, TfkitError
from tfkit._files import check_model_file, whole_file
from tfkit._keras import legacy_keras
from tfkit._rebuild import rebuilt
from tfkit._untrusted import absurd_archive, absurd_weights, code_in_config
from tfkit.metadata import ModelMetadata, attach_metadata, metadata_of

METADATA_MEMBER = "tfkit.json"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK"
_HINT = "give a .keras or .h5 file or the folder of a SavedModel"


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a ``.keras`` file that holds the model, its weights and its metadata, whole or not at all.

    The optimizer is left out. Quantization-aware and pruned models are written so that they can be read back.

    Raises:
        UsageError: the name does not end in ``.keras``.
        InputError: the folder does not exist or is not writable.
        ModelError: the model cannot be serialized (a layer without ``get_config``, an unregistered class), or is
            being pruned by ``tfkit.pruning.prepare``.
    """
    target = Path(path)
    check_model_file(target)
    _refuse_half_pruned(model)
    try:
        metadata = json.dumps(metadata_of(model).to_json(), indent=1)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"the model's metadata cannot be saved: {error}; keep plain values in its ``extra``"
        ) from error
    with whole_file(target) as temporary:
        try:
            if type(model).__module__.startswith("keras."):
                model.save(temporary)  # Keras 3 writes its own kind of .keras
            else:
                _portable(model).save(temporary)
        except (OSError, TfkitError):
            raise
        except Exception as error:
            raise ModelError(
                f"{getattr(model, 'name', 'the model')!r} cannot be saved: {_first_line(error)}; every layer needs "
                "get_config() and @keras.utils.register_keras_serializable()"
            ) from error
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(METADATA_MEMBER, metadata)


def load(path: str | os.PathLike[str], trust_model: bool = False) -> Any:
    """Load a model: ``.keras`` of tf_keras or Keras 3, ``.h5``, or the folder of a SavedModel.

    tf_keras models come back uncompiled and with their metadata; Larq's, tfkit's and TF-MOT's classes are known.
    A Keras 3 file gives a Keras 3 model, a SavedModel gives what ``tf.saved_model.load`` does.

    Args:
        path: the file or folder.
        trust_model: load Python code that the file carries (Lambda layers). It runs with your rights.

    Raises:
        ModelError: missing, damaged, of another format, or carrying code; nothing of it was executed.
    """
    target = Path(path)
    try:
        if target.is_dir():
            return _load_saved_model(target)
        with target.open("rb") as file:
            magic = file.read(len(_HDF5))
    except FileNotFoundError as error:
        raise ModelError(f"no model {target}; {_HINT}") from error
    except OSError as error:
        raise ModelError(f"cannot read {target}: {error.strerror}") from error
    if magic == _HDF5:
        return _load_h5(target, trust_model)
    if magic.startswith(_ZIP):
        return _load_zip(target, trust_model)
    kind = "empty" if not magic else "a flatbuffer" if magic[4:8] == b"TFL3" else "neither a zip nor an HDF5 file"
    raise ModelError(f"{target} is not a Keras model (it is {kind}); {_HINT}")


def _refuse_half_pruned(model: Any) -> None:
    """What a pruning method keeps beside the weights belongs to a training run, whose checkpoint has it."""
    if type(model).__module__.startswith("keras."):
        return
    from tfkit.pruning.method import pruning_of

    if pruning_of(model) is not None:
        raise ModelError(
            f"{model.name!r} is being pruned; save what tfkit.pruning.finish(model) gives, and use a checkpoint "
            "(fit(..., checkpoint=)) to go on later"
        )


def _portable(model: Any) -> Any:
    """What is written for ``model``: a rebuilt copy where the original would not read back or drags an optimizer."""
    wrapped = any(type(layer).__name__ in _TFMOT_CLASSES for layer in model.layers)
    if not wrapped and getattr(model, "optimizer", None) is None:
        return model
    return rebuilt(model, _custom_objects(wrapped))


# Classes whose presence in a config means that TF-MOT, slow to import, is needed.
_TFMOT_CLASSES = ("QuantizeWrapper", "QuantizeWrapperV2", "QuantizeLayer", "QuantizeAnnotate", "PruneLowMagnitude")


def _custom_objects(tfmot: bool) -> dict[str, Any]:
    """What Keras must know to read a model; importing the packages registers Larq's and tfkit's classes."""
    import tfkit.blocks  # noqa: F401  (blocks import layers)

    if not tfmot:
        return {}
    from tfkit import pruning, quantization

    return {**quantization.custom_objects(), **pruning.custom_objects()}


def _registered() -> frozenset[str]:
    """Names that this program has registered: their code is the user's own, not the file's."""
    return frozenset(legacy_keras().utils.get_custom_objects())


def _load_saved_model(path: Path) -> Any:
    if not (path / "saved_model.pb").is_file():
        raise ModelError(f"{path} is a folder without saved_model.pb, not a SavedModel; {_HINT}")
    import tensorflow as tf

    try:
        return tf.saved_model.load(str(path))
    except Exception as error:
        raise ModelError(f"{path} is a damaged SavedModel: {_first_line(error)}") from error


def _load_zip(path: Path, trust_model: bool) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            absurd = absurd_archive(archive)
            if absurd:
                raise ModelError(f"{path} was not unpacked: {absurd}")
            if "config.json" not in archive.namelist():
                raise ModelError(f"{path} is a zip without config.json, not a Keras model; {_HINT}")
            text = archive.read("config.json").decode()
            config = json.loads(text)
            versions = json.loads(archive.read("metadata.json")) if "metadata.json" in archive.namelist() else {}
            extra = json.loads(archive.read(METADATA_MEMBER)) if METADATA_MEMBER in archive.namelist() else None
            _check_weights_member(path, archive)
    except TfkitError:
        raise
    except Exception as error:  # zipfile raises nearly anything on damaged input
        raise ModelError(f"{path} is damaged or cut off: {_first_line(error)}") from error
    if not isinstance(config, dict) or not isinstance(versions, dict):
        raise ModelError(f"{path} is damaged: config.json is not a description of a model")
    objects = _custom_objects(any(name in text for name in _TFMOT_CLASSES))
    _refuse_code(path, config, trust_model)
    if str(versions.get("keras_version", "")).startswith("3"):
        import keras as loader
    else:
        loader = legacy_keras()
    if path.suffix != ".keras":
        raise ModelError(f"{path} holds a .keras model under another name; rename it to {path.stem}.keras")
    try:
        with loader.utils.custom_object_scope(objects):
            model = loader.models.load_model(path, compile=False, safe_mode=not trust_model)
    except Exception as error:
        raise ModelError(f"{path} cannot be loaded: {_explain(error)}") from error
    return model if extra is None else attach_metadata(model, ModelMetadata.from_json(extra))


def _check_weights_member(path: Path, archive: zipfile.ZipFile) -> None:
    import h5py

    for name in archive.namelist():
        if name.endswith(".h5"):
            with archive.open(name) as member, h5py.File(member, "r") as file:
                absurd = absurd_weights(file, archive.getinfo(name).file_size)
            if absurd:
                raise ModelError(f"{path} was not loaded: {absurd}")


def _load_h5(path: Path, trust_model: bool) -> Any:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            raw = file.attrs.get("model_config")
            absurd = absurd_weights(file, path.stat().st_size)
            config = None if raw is None else json.loads(raw)
    except Exception as error:
        raise ModelError(f"{path} is damaged or cut off: {_first_line(error)}") from error
    if absurd:
        raise ModelError(f"{path} was not loaded: {absurd}")
    if config is None:
        raise ModelError(f"{path} holds no architecture, only weights; save the whole model (tfkit.save)")
    objects = _custom_objects(any(name in str(raw) for name in _TFMOT_CLASSES))
    _refuse_code(path, config, trust_model)
    keras = legacy_keras()
    try:
        # tf_keras ignores safe_mode for .h5 files and runs Lambda code: the check above is the only guard.
        with keras.utils.custom_object_scope(objects), h5py.File(path, "r") as file:
            return keras.models.load_model(file, compile=False)
    except Exception as error:
        raise ModelError(f"{path} cannot be loaded: {_explain(error)}") from error


def _refuse_code(path: Path, config: Any, trust_model: bool) -> None:
    try:
        found = [] if trust_model else code_in_config(config, _registered())
    except RecursionError as error:
        raise ModelError(f"{path} is damaged: its layers are nested too deeply") from error
    if found:
        raise ModelError(
            f"{path} carries code that loading would run: {'; '.join(found)}. Nothing was loaded. "
            "Replace it by keras layers, or pass --trust-model (trust_model=True) if you trust its author"
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _explain(error: Exception) -> str:
    message = _first_line(error)
    if "nknown" in message or "Could not locate" in message or "custom" in message.lower():
        message += " (import the module that registers the class before loading)"
    return message
