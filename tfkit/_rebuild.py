"""A Keras model taken apart and put together again, as a ``.keras`` file would do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.metadata import attach_metadata, metadata_of


def rebuilt(model: Any, custom_objects: Mapping[str, Any]) -> Any:
    """A copy with the same weights and metadata and no optimizer, whose layers hold variables as a loaded model's do.

    TF-MOT's wrappers keep one variable more when they wrap a layer that is built already; a file written
    from such a model cannot be read back. What came out of a file once can.
    """
    keras = legacy_keras()
    with keras.utils.custom_object_scope(dict(custom_objects)):
        config = keras.saving.serialize_keras_object(model)
        config["compile_config"] = None
        copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(model.get_weights())
    return attach_metadata(copy, metadata_of(model))
