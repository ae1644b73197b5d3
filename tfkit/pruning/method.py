"""What a pruning method is, and one of them at work on a network: the interface that training drives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import legacy_keras, set_untracked
from tfkit.pruning.choice import choose, require_functional
from tfkit.pruning.reparameterized import Reparameterized, unwrapped, wrapped, wrappers_of

keras = legacy_keras()

_ATTRIBUTE = "_tfkit_pruning"


@dataclass(frozen=True)
class Method:
    """One way to find out what a network can do without.

    Attributes:
        name: how the command line calls it.
        summary: one line.
        source: the paper.
        aim: "sparsity" when single weights become zero, "macs" when whole structures do.
        trains: whether it finds out while the network trains, or from a trained network.
        tunes: whether what is left is to be trained after the cut; otherwise that is part of the pruning.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    aim: ClassVar[str] = "sparsity"
    trains: ClassVar[bool] = True
    tunes: ClassVar[bool] = False

    def settings(self) -> dict[str, Any]:
        """What decides the result, JSON-ready."""
        return {"method": self.name, **{item.name: getattr(self, item.name) for item in fields(self)}}

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        """A copy of ``model`` that learns, while it trains, what it can do without."""
        raise NotImplementedError

    def before_epoch(self, pruning: Pruning, epoch: int) -> None:
        """Called when an epoch (from 0) begins."""

    def after_step(self, pruning: Pruning, step: Any, rate: Any) -> None:
        """Called, inside a graph, after step ``step`` (from 1) with learning rate ``rate``."""
        for wrapper in pruning.wrappers:
            wrapper.after_step(step, rate)

    def finish(self, pruning: Pruning) -> Any:
        """The model that is left, without wrappers; for "macs" in its old shape."""
        return unwrapped(pruning.network)

    def filters(self, pruning: Pruning, model: Any) -> dict[str, np.ndarray]:
        """For "macs": layer -> what each of its output channels is worth, for ``tfkit.pruning.select``.

        ``model`` is what ``finish`` gave.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Pruning:
    """A method at work on a network that is about to be trained.

    Attributes:
        method: the method.
        network: what is trained: a copy of the model with the method in it.
        epochs: how many epochs the training will have.
        steps: steps per epoch.
        size: how many training samples there are.
        samples: network inputs, for methods that look at data.
        wrappers: the layers of the network that the method put around others.
        graphs: what acts after a step, traced for one optimizer.
    """

    method: Method
    network: Any
    epochs: int
    steps: int
    size: int
    samples: np.ndarray | None = None
    wrappers: tuple[Any, ...] = field(default=())
    graphs: dict[str, Any] = field(default_factory=dict)

    @property
    def acts_after_steps(self) -> bool:
        """Whether anything is to be done after a step."""
        if type(self.method).after_step is not Method.after_step:
            return True
        return any(type(wrapper).after_step is not Reparameterized.after_step for wrapper in self.wrappers)


def prepare(
    model: Any,
    method: Method,
    *,
    epochs: int,
    steps: int,
    size: int | None = None,
    samples: np.ndarray | None = None,
    layers: str | Sequence[str] = "all",
) -> Any:
    """A copy of ``model`` with ``method`` in it, to be trained by ``tfkit.training.fit``; then call ``finish``.

    Args:
        model: a functional or sequential tf_keras model; it is left alone.
        method: one of ``tfkit.pruning.METHODS``, made with its settings.
        epochs: of the training; schedules are shares of it.
        steps: per epoch.
        size: how many training samples there are, for methods that weigh a prior against them; 32 per step if None.
        samples: network inputs (batch, ...), for methods that look at data.
        layers: "all"; "float" to leave layers with binary kernels as they are; or the names of the layers to prune.

    Raises:
        UsageError: ``layers`` names no layer, or a number makes no sense.
        UnsupportedError: a kernel that was asked for is binary or of an unknown layer, or the model is pruned already.
    """
    require_functional(model, "prepare")
    if epochs < 1 or steps < 1:
        raise UsageError(f"pruning takes at least 1 epoch of at least 1 step; got {epochs} and {steps}")
    if pruning_of(model) is not None:
        raise UnsupportedError(f"{model.name!r} is being pruned already; call tfkit.pruning.finish(model) first")
    network = method.wrap(model, layers)
    pruning = Pruning(method, network, epochs, steps, size or 32 * steps, samples, tuple(wrappers_of(network)))
    set_untracked(network, _ATTRIBUTE, pruning)
    return network


def pruning_of(model: Any) -> Pruning | None:
    """The method at work in a network made by ``prepare``; None for any other model."""
    return getattr(model, "__dict__", {}).get(_ATTRIBUTE)


def finish(network: Any) -> Any:
    """The model that a network made by ``prepare`` has become, without wrappers; others are returned as they are."""
    pruning = pruning_of(network)
    return network if pruning is None else pruning.method.finish(pruning)


def chosen_layers(model: Any, layers: str | Sequence[str]) -> dict[str, Any]:
    """name -> layer of what is to be pruned."""
    return {name: model.get_layer(name) for name in choose(model, layers)}


def wrap_kernels(model: Any, layers: str | Sequence[str], wrapper: Any, **settings: Any) -> Any:
    """A copy of ``model`` with every chosen layer inside ``wrapper``."""
    return wrapped(model, {name: lambda layer: wrapper(layer, **settings) for name in choose(model, layers)})


class PruningSteps(keras.callbacks.Callback):  # type: ignore[name-defined]
    """Lets the method of a network act when an epoch begins and after every step."""

    def __init__(self, pruning: Pruning) -> None:
        super().__init__()
        self._pruning = pruning

    def on_train_begin(self, logs: Any = None) -> None:
        graphs, optimizer = self._pruning.graphs, self.model.optimizer
        if graphs.get("optimizer") is not optimizer:
            graphs.update(optimizer=optimizer, after=tf.function(self._after_step, autograph=False))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._pruning.method.before_epoch(self._pruning, epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._pruning.acts_after_steps:
            self._pruning.graphs["after"]()

    def _after_step(self) -> None:
        optimizer = self._pruning.graphs["optimizer"]
        self._pruning.method.after_step(self._pruning, optimizer.iterations, learning_rate(optimizer))


def learning_rate(optimizer: Any) -> Any:
    """The learning rate of the step that was just made."""
    rate = optimizer.learning_rate
    return rate(optimizer.iterations - 1) if callable(rate) else tf.identity(rate)
