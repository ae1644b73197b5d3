"""What every quantizer of tfkit is: a Larq quantizer that knows its role, its bits and its levels."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit.quantizers._levels import Levels
from tfkit.quantizers.gradients import PSEUDO_GRADIENTS

keras = legacy_keras()

KERNEL, ACTIVATIONS = "kernel", "activations"


class Quantizer(larq.quantizers.Quantizer):
    """Base of all quantizers: a Keras layer from values to values of the same shape that few bits can tell apart.

    It computes in float32 whatever the dtype policy, since steps and scales do not survive 16 bits, and gives the
    dtype that it was given. Its variables are weights of the layer that uses it.

    Attributes:
        role: what it is for, "kernel" or "activations".
        precision: bits of one value.
        is_sign: whether the values are -1 and +1 up to one positive scale per output channel, so that a binary
            kernel can compute with them.
        recipe: how a network that has it is trained: a name in ``tfkit.training.RECIPES``; with sign kernels "binary".
    """

    role: str = KERNEL
    precision: int
    is_sign: bool = False
    recipe: str = "few_bit"
    default_gradient: str = "clipped"

    def __init__(self, *, pseudo_gradient: str | None = None, **kwargs: Any) -> None:
        self.pseudo_gradient = self.default_gradient if pseudo_gradient is None else pseudo_gradient
        self._derivative = PSEUDO_GRADIENTS[self.pseudo_gradient]
        super().__init__(**{"dtype": "float32", "autocast": False, **kwargs})

    def call(self, inputs: Any, training: Any = None) -> Any:
        import tensorflow as tf

        outputs = self.quantize(tf.cast(inputs, tf.float32), training)
        return tf.cast(outputs, inputs.dtype)

    def quantize(self, x: Any, training: Any) -> Any:
        """The quantized float32 values of ``x``, with the pseudo-gradient of the method."""
        raise NotImplementedError

    def levels(self, values: Any = None) -> Levels:
        """The values that it gives at inference.

        Args:
            values: the latent kernel; needed where the scales are computed from it.
        """
        raise NotImplementedError

    def start(self, values: np.ndarray) -> None:
        """Set what is learned to where the method begins for ``values``; nothing unless the method says so."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pseudo_gradient": self.pseudo_gradient}

    def get_build_config(self) -> dict[str, Any]:
        """Nothing: the layer that it belongs to builds it."""
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Leave it unbuilt: the layer that it belongs to builds it."""

    def _needed(self, values: Any) -> np.ndarray:
        if values is None:
            raise UsageError(f"the scales of {type(self).__name__} come from the kernel: levels(kernel)")
        return np.asarray(values, np.float32)


class LearnedQuantizer(Quantizer):
    """A quantizer with variables that begin at values found in the first data it sees.

    The first training step finds them; until then, and at inference, they are what ``start`` or a file gave.
    """

    def build(self, input_shape: Any) -> None:
        self.started = self.add_weight("started", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def add_weight(self, name: str, shape: Any, *, trainable: bool = True, **kwargs: Any) -> Any:
        """A variable that training steps may assign: several replicas agree on the mean.

        As the moving averages of a batch normalization, what is not trained is kept by each replica for itself.
        """
        import tensorflow as tf

        if not trainable:
            kwargs["synchronization"] = tf.VariableSynchronization.ON_READ
        mean = tf.VariableAggregation.MEAN
        return super().add_weight(name, shape, trainable=trainable, aggregation=mean, **kwargs)

    def call(self, inputs: Any, training: Any = None) -> Any:
        import tensorflow as tf

        if training is None or (isinstance(training, bool | int) and not training):
            return super().call(inputs, False)
        x = tf.stop_gradient(tf.cast(inputs, tf.float32))
        first = tf.logical_and(tf.cast(training, tf.bool), tf.equal(self.started, 0.0))
        if tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context():
            begun = self._begin(x, first)  # replicas agree on a value, which TensorFlow forbids inside of a condition
        else:
            begun = tf.cond(first, lambda: self._begin(x), lambda: tf.constant(False))
        with tf.control_dependencies([begun]):
            return super().call(tf.identity(inputs), training)

    def _begin(self, x: Any, when: Any = True) -> Any:
        import tensorflow as tf

        for variable, value in [*self.initial_values(x), (self.started, 1.0)]:
            variable.assign(value if when is True else tf.where(when, value, variable))
        return tf.constant(True)

    def initial_values(self, x: Any) -> list[tuple[Any, Any]]:
        """(variable, where it begins) for data like ``x``."""
        raise NotImplementedError

    def start(self, values: np.ndarray) -> None:
        import tensorflow as tf

        for variable, value in self.initial_values(tf.constant(values, tf.float32)):
            variable.assign(value)


def checked_bits(method: str, bits: Any, lowest: int = 1, highest: int = 8, hint: str = "") -> int:
    """``bits`` when the method has that many; the refusal says which it has and ``hint``, what else there is."""
    if isinstance(bits, bool) or not isinstance(bits, int | np.integer) or not lowest <= bits <= highest:
        advice = hint or f"choose from {lowest} to {highest}"
        raise UsageError(f"{method} takes {lowest} to {highest} bits, got {bits!r}; {advice}")
    return int(bits)


def one_of(method: str, name: str, value: Any, known: tuple[str, ...], hint: str = "") -> str:
    """``value`` when it is among ``known``."""
    if value not in known:
        accepted = ", ".join(map(repr, known))
        raise UsageError(f"{method} takes {name} {accepted}, got {value!r}{'; ' + hint if hint else ''}")
    return str(value)


def positive(method: str, name: str, value: Any) -> float:
    """``value`` as a positive number."""
    if not isinstance(value, int | float | np.number) or not value > 0:
        raise UsageError(f"{method} takes a positive {name}, got {value!r}; the default is a good start")
    return float(value)


class AtLeast(keras.constraints.Constraint):  # type: ignore[name-defined]
    """Keep a learned scale positive: below ``smallest`` there is nothing that it could scale."""

    def __init__(self, smallest: float = 1e-6) -> None:
        self.smallest = smallest

    def __call__(self, w: Any) -> Any:
        import tensorflow as tf

        return tf.maximum(w, self.smallest)


def channel_axes(x: Any, axis: int) -> list[int]:
    """All axes of ``x`` but the channels'."""
    rank = len(x.shape)
    return [a for a in range(rank) if a != axis % rank]
