"""Find code and absurd sizes in a model file before Keras reads it. Nothing here is executed or deserialized."""

from __future__ import annotations

import base64
import binascii
import builtins
import zipfile
from collections.abc import Iterator
from typing import Any

# Module prefixes whose classes a config may name: importing a module runs it.
TRUSTED_MODULES = ("keras", "tf_keras", "tensorflow_model_optimization", "larq", "tfkit", "builtins")
# Modules of those packages whose *functions* a config may name: the ones that hold numeric functions only.
_FUNCTION_HOMES = (
    "activations",
    "losses",
    "metrics",
    "initializers",
    "regularizers",
    "constraints",
    "quantizers",
    "math",
    "builtins",
)
# Parts of TensorFlow's name space that reach beyond tensors, as a TFOpLambda layer may name them.
_REACHING_OPS = frozenset(
    {
        "io",
        "raw_ops",
        "data",
        "saved_model",
        "train",
        "summary",
        "profiler",
        "autograph",
        "distribute",
        "config",
        "sysconfig",
        "lookup",
        "queue",
        "gfile",
        "python_io",
        "debugging",
        "print",
        "py_function",
        "numpy_function",
        "py_func",
        "load_op_library",
        "load_library",
        "tpu",
        "feature_column",
        "test",
        "estimator",
        "app",
        "flags",
        "logging",
        "resource_loader",
        "user_ops",
    }
)
_REACHING_NODES = ("File", "PyFunc", "Save", "Restore", "Print", "Library")

_MIB = 1 << 20
MAX_CONFIG_BYTES = 64 * _MIB
MAX_RATIO = 100
MAX_MEMBERS = 10_000


def code_in_config(config: Any, known: frozenset[str] = frozenset()) -> list[str]:
    """What in a model's config would run code when loaded, by layer name; empty when nothing would.

    ``known`` are registered names that the caller put into Keras' registry, and so trusts.
    """
    return list(dict.fromkeys(_walk(config, "the model", known)))


def _walk(node: Any, owner: str, known: frozenset[str]) -> Iterator[str]:
    if isinstance(node, dict):
        yield from _suspect(node, owner, known)
        inner = node.get("config")
        name = inner.get("name") if isinstance(inner, dict) else None
        for value in node.values():
            yield from _walk(value, str(name) if name else owner, known)
    elif isinstance(node, (list, tuple)):
        if _is_marshalled(node):
            yield f"Python bytecode in {owner!r}"
        for value in node:
            yield from _walk(value, owner, known)


def _suspect(node: dict[str, Any], owner: str, known: frozenset[str]) -> Iterator[str]:
    kind = str(node.get("class_name", ""))
    inner = node.get("config")
    settings = inner if isinstance(inner, dict) else {}
    name = str(settings.get("name", owner))
    short = kind.rsplit(">", 1)[-1]
    if short == "Lambda":
        yield f"Lambda layer {name!r}"
    elif kind == "__lambda__":
        yield f"a lambda function in {owner!r}"
    elif short == "TFOpLambda":
        function = str(settings.get("function", ""))
        if _REACHING_OPS & set(function.split(".")):
            yield f"TFOpLambda layer {name!r} calling tf.{function}"
    elif short == "TensorFlowOpLayer" and any(part in str(settings.get("node_def", "")) for part in _REACHING_NODES):
        yield f"TensorFlowOpLayer {name!r} with an operation that reaches outside the graph"
    for key in ("function_type", "output_shape_type", "mask_type"):
        if node.get(key) in ("lambda", "raw_callable"):
            yield f"a {node[key]} function in {owner!r}"
    module = node.get("module")
    if not kind or not isinstance(module, str) or not module:
        return
    parts = module.split(".")
    if kind == "function":  # looked up by its own name first, then in the module
        if inner in known:
            return
        numeric = any(home in parts for home in _FUNCTION_HOMES) and str(inner).isidentifier()
        if parts[0] not in TRUSTED_MODULES or not numeric or (parts == ["builtins"] and hasattr(builtins, str(inner))):
            yield f"function {inner!r} from module {module!r} in {owner!r}"
    elif node.get("registered_name") not in known and (parts[0] not in TRUSTED_MODULES or not kind.isidentifier()):
        yield f"{kind} from module {module!r} in {owner!r}"


def _is_marshalled(node: list[Any] | tuple[Any, ...]) -> bool:
    """Keras writes a Python function as [base64 of marshal, defaults, closure]."""
    if len(node) != 3 or not isinstance(node[0], str) or len(node[0]) < 40:
        return False
    if not all(part is None or isinstance(part, (list, tuple)) for part in node[1:]):
        return False
    try:
        code = base64.b64decode("".join(node[0].split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return code[:1] in (b"\xe3", b"\x63")  # marshal's type code of a code object, with and without the reference flag


def absurd_archive(archive: zipfile.ZipFile) -> str | None:
    """Why a zip must not be unpacked, or None."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        return f"it has {len(members)} members"
    if len({member.filename for member in members}) != len(members):
        return "it has two members of one name"
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if member.filename.startswith(("/", "\\")) or ".." in parts:
            return f"its member {member.filename!r} points outside the archive"
        if member.flag_bits & 1:
            return f"its member {member.filename!r} is encrypted"
        if member.filename.endswith(".json") and member.file_size > MAX_CONFIG_BYTES:
            return f"its member {member.filename!r} would unpack to {member.file_size} bytes"
        if member.file_size > _MIB and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            return (
                f"its member {member.filename!r} would unpack from {member.compress_size} to {member.file_size} bytes"
            )
    return None


def absurd_weights(file: Any, file_bytes: int) -> str | None:
    """Why the datasets of an open ``h5py.File`` must not be read, or None.

    A few bytes of HDF5 can declare terabytes of fill values, or link to another file.
    """
    import h5py

    waiting = [file]
    total = 0
    seen: set[Any] = set()
    while waiting:
        group = waiting.pop()
        if group.id.__hash__() in seen:
            continue
        seen.add(group.id.__hash__())
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                return f"{name!r} links to another file"
            found = group.get(name)
            if isinstance(found, h5py.Group):
                waiting.append(found)
            elif isinstance(found, h5py.Dataset):
                if found.external or found.is_virtual:
                    return f"{name!r} keeps its data in another file"
                total += int(found.size or 0) * found.dtype.itemsize
    if total > 64 * _MIB + MAX_RATIO * file_bytes:
        return f"its weights would take {total} bytes"
    return None
