"""Layers that stand for operators and activations that Keras has no layer for, each one int8 op in TFLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfkit._keras import legacy_keras

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class HardSwish(keras.layers.Layer):  # type: ignore[name-defined]
    """y = x · min(max(x + 3, 0), 6) / 6, in the form that TFLite's converter makes one HARD_SWISH op of.

    Howard et al., https://arxiv.org/abs/1905.02244, section 5.2.
    """

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        return inputs * (tf.nn.relu6(inputs + 3.0) * (1.0 / 6.0))


@keras.utils.register_keras_serializable(package="tfkit")
class Gelu(keras.layers.Layer):  # type: ignore[name-defined]
    """y = x · Phi(x) with the normal distribution function Phi, or its approximation by tanh.

    Hendrycks and Gimpel, https://arxiv.org/abs/1606.08415, section 2.
    """

    def __init__(self, approximate: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.approximate = approximate

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        return tf.nn.gelu(inputs, approximate=self.approximate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "approximate": self.approximate}


@keras.utils.register_keras_serializable(package="tfkit")
class Slice(keras.layers.Layer):  # type: ignore[name-defined]
    """y = x[:, begin:end:step, ...] with one (begin, end, step) for every axis behind the batch, None as in Python."""

    def __init__(self, slices: Sequence[Sequence[int | None]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slices = [list(part) for part in slices]

    def call(self, inputs: Any) -> Any:
        return inputs[(slice(None), *(slice(*part) for part in self.slices))]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "slices": self.slices}


@keras.utils.register_keras_serializable(package="tfkit")
class Resize(keras.layers.Layer):  # type: ignore[name-defined]
    """``tf.image.resize`` to (height, width) without antialiasing; ``method`` is "nearest" or "bilinear".

    x: (batch, height, width, channels).
    """

    def __init__(self, height: int, width: int, method: str = "bilinear", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width, self.method = height, width, method

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        return tf.image.resize(inputs, (self.height, self.width), self.method)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width, "method": self.method}


@keras.utils.register_keras_serializable(package="tfkit")
class Rearrange(keras.layers.Layer):  # type: ignore[name-defined]
    """``tf.nn.depth_to_space`` (``to="space"``) or ``tf.nn.space_to_depth`` (``to="depth"``), blocks of ``size``."""

    def __init__(self, size: int, to: str = "space", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.to = size, to

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        return (tf.nn.depth_to_space if self.to == "space" else tf.nn.space_to_depth)(inputs, self.size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "to": self.to}


@keras.utils.register_keras_serializable(package="tfkit")
class PadChannels(keras.layers.Layer):  # type: ignore[name-defined]
    """Zeros in front of and behind the channels of (batch, height, width, channels)."""

    def __init__(self, before: int, after: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before, self.after = int(before), int(after)

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        return tf.pad(inputs, [[0, 0]] * (len(inputs.shape) - 1) + [[self.before, self.after]])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "before": self.before, "after": self.after}
