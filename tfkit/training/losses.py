"""Cross entropy for integer labels, with label smoothing."""

from __future__ import annotations

from typing import Any

from tfkit._keras import legacy_keras, node_of

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class SmoothedCrossEntropy(keras.losses.Loss):  # type: ignore[name-defined]
    """-Σ_c q_c · log p_c, with q = (1 - smoothing) · one_hot(label) + smoothing / classes.

    Source: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7.
    """

    def __init__(
        self, smoothing: float, from_logits: bool = True, name: str = "smoothed_cross_entropy", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.smoothing = smoothing
        self.from_logits = from_logits

    def call(self, y_true: Any, y_pred: Any) -> Any:
        import tensorflow as tf

        labels = tf.cast(tf.reshape(y_true, tf.shape(y_pred)[:1]), tf.int64)
        targets = tf.one_hot(labels, tf.shape(y_pred)[-1], dtype=y_pred.dtype)
        return keras.losses.categorical_crossentropy(
            targets, y_pred, from_logits=self.from_logits, label_smoothing=self.smoothing
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smoothing": self.smoothing, "from_logits": self.from_logits}


def cross_entropy(model: Any, smoothing: float = 0.0) -> Any:
    """The loss for a classifier that gives logits or a softmax."""
    from_logits = not ends_in_softmax(model)
    if smoothing:
        return SmoothedCrossEntropy(smoothing, from_logits)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)


def ends_in_softmax(model: Any) -> bool:
    """Whether the layer that gives a model's output is or contains a softmax; nested models are opened."""
    last = model
    while isinstance(last, keras.Model) and last.outputs:
        last = node_of(last.outputs[0]).layer
    last = getattr(last, "layer", last)
    if isinstance(last, keras.layers.Softmax):
        return True
    activation = getattr(last, "activation", None)
    return getattr(getattr(activation, "activation", activation), "__name__", "") == "softmax"
