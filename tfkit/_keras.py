"""Which Keras tfkit builds on, the one place that makes sure of it, and what tfkit uses of it beyond its public names.

Larq and TensorFlow Model Optimization need Keras 2, which ships as ``tf_keras`` and is used by
``tf.keras`` only when ``TF_USE_LEGACY_KERAS=1`` is set *before* TensorFlow is first used.

``tests/test_keras.py`` fails when a release moves what the private helpers below use.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tfkit._errors import UsageError


def request_legacy_keras() -> None:
    """Ask TensorFlow for Keras 2; called on ``import tfkit``, costs nothing."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and hasattr(tensorflow, "__version__"):
        _look_for_legacy_keras_first(tensorflow)


def _look_for_legacy_keras_first(tensorflow: ModuleType) -> None:
    """Let ``import tensorflow.keras`` find Keras 2.

    ``tf.keras`` reads the variable when it is first used, but the path of ``import tensorflow.keras`` was set when
    TensorFlow was imported: before tfkit where somebody sorts the imports tf_keras, tfkit.
    """
    import tf_keras.api._v2 as legacy

    (folder,) = legacy.__path__
    if folder not in tensorflow.__path__:
        tensorflow.__path__.insert(0, folder)


def legacy_keras() -> ModuleType:
    """Return ``tf_keras``, or say what to do when TensorFlow already chose Keras 3.

    Raises:
        UsageError: TensorFlow was imported, and used its Keras 3, before tfkit.
    """
    request_legacy_keras()
    import tensorflow as tf
    import tf_keras

    # tf.keras resolves lazily, once; whoever touched it first without the variable got Keras 3.
    if not tf.keras.Model.__module__.startswith("tf_keras"):
        raise UsageError(
            "TensorFlow was imported before tfkit and chose Keras 3; tfkit needs Keras 2 (tf_keras). "
            "Import tfkit first, or set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported."
        )
    return tf_keras


def flat_layers(model: Any) -> list[Any]:
    """Every layer of a model in its order, with those inside nested models and wrappers."""
    return list(model._flatten_layers(include_self=False))


def call_count(layer: Any) -> int:
    """How many times a layer was called on symbolic tensors, over all models that it is part of."""
    return len(getattr(layer, "_inbound_nodes", ()))


def set_untracked(layer: Any, name: str, value: Any) -> None:
    """Set an attribute past Keras' ``__setattr__``, which would make ``value`` a tracked part of the layer."""
    layer.__dict__[name] = value


def is_keras_tensor(value: Any) -> bool:
    """Whether ``value`` is a symbolic tensor of the functional API."""
    try:
        return bool(legacy_keras().backend.is_keras_tensor(value))
    except ValueError:  # Keras' answer for what is no tensor at all
        return False


def node_of(tensor: Any) -> Any:
    """The call that made a symbolic tensor: its ``layer``, ``keras_inputs``, ``outputs``, ``call_args`` and kwargs.

    ``tensor.node`` exists in eager mode only.
    """
    if hasattr(tensor, "node"):
        return tensor.node
    layer, number, _ = tensor._keras_history
    return layer._inbound_nodes[number]


def mapped(structure: Any, function: Callable[[Any], Any]) -> Any:
    """``structure`` with ``function`` of every leaf."""
    import tensorflow as tf

    return tf.nest.map_structure(function, structure)
