"""The base of the methods that look at a trained network and some data, and need no training of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfkit._errors import UnsupportedError, UsageError
from tfkit._keras import call_count, legacy_keras
from tfkit.pruning.choice import choose
from tfkit.pruning.method import Method
from tfkit.pruning.reparameterized import wrapped
from tfkit.pruning.shrink import CoupledSet, Member, coupled_channels, select
from tfkit.pruning.structures import maker_of, of_sets

keras = legacy_keras()


@dataclass(frozen=True)
class AfterTraining(Method):
    """What these methods share: ``reduced`` instead of ``wrap``."""

    trains: ClassVar[bool] = False
    tunes: ClassVar[bool] = True

    def wrap(self, model: Any, layers: str | Sequence[str]) -> Any:
        raise UsageError(f"{self.name} works on a trained network without training it: call its reduced()")

    def reduced(
        self, model: Any, samples: np.ndarray, *, macs: float, multiple_of: int, layers: str | Sequence[str]
    ) -> tuple[Any, dict[str, list[int]] | None]:
        """A copy of ``model`` whose weights make up for what goes, and what is kept, for ``tfkit.shrink``.

        For "sparsity" the copy has its zeros, and nothing is to be cut out: None.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class ChannelsAfterTraining(AfterTraining):
    """The share of channels that goes is the same in every set; which of them, a method ranks.

    Args:
        structure: "channel".
        samples: training images that are looked at.
        positions: values of a feature map that are looked at.
        seed: of the positions.
    """

    aim: ClassVar[str] = "macs"
    structures: ClassVar[tuple[str, ...]] = ("channel",)

    structure: str = "channel"
    samples: int = 128
    positions: int = 2048
    seed: int = 0

    def __post_init__(self) -> None:
        if self.structure != "channel":
            raise UsageError(f"{self.name} prunes channels; got {self.structure!r}")
        if min(self.samples, self.positions) < 1:
            raise UsageError(
                f"{self.name} looks at 1 sample and 1 position at least; got {self.samples} and {self.positions}"
            )

    def rank(self, model: Any, coupled: CoupledSet, samples: np.ndarray, kept: int | None) -> np.ndarray:
        """What the channels of a set are worth, when ``kept`` of them will be kept (None: not known yet)."""
        raise NotImplementedError

    def make_up(self, smaller: Any, model: Any, reader: Member, kept: np.ndarray, samples: np.ndarray) -> None:
        """Change the kernel of a reader in ``smaller``, in which the channels that go are not read any more."""
        raise NotImplementedError

    def reduced(
        self, model: Any, samples: np.ndarray, *, macs: float, multiple_of: int, layers: str | Sequence[str]
    ) -> tuple[Any, dict[str, list[int]] | None]:
        samples = samples[: self.samples]
        sets = list(_free_sets(model, choose(model, layers)))
        if not any(coupled is not None for coupled in sets):
            raise UnsupportedError(_why_none(model, choose(model, layers)))
        even = of_sets(model, [None if c is None else np.ones(c.size) for c in sets])
        counts = select(model, even, macs, multiple_of=multiple_of, scope="uniform")
        worths = [None if c is None else self.rank(model, c, samples, len(_kept(c, counts))) for c in sets]
        keep = select(model, of_sets(model, worths), macs, multiple_of=multiple_of, scope="uniform")
        smaller = wrapped(model, {})
        for coupled in sets:
            if coupled is None:
                continue
            kept = np.isin(np.arange(coupled.size), _kept(coupled, keep))
            if kept.all():
                continue
            for reader in coupled.readers:
                kernel = smaller.get_layer(reader.layer).kernel
                values = kernel.numpy()
                values[..., reader.indices[~kept].ravel(), :] = 0
                kernel.assign(values)
                self.make_up(smaller, model, reader, kept, samples)
        return smaller, keep


def _free_sets(model: Any, chosen: Sequence[str]) -> Iterator[CoupledSet | None]:
    """Every coupled set, None in place of those that stay: fixed ones, and those that a kernel reads in groups."""
    for coupled in coupled_channels(model):
        yield coupled if _why_fixed(model, coupled, chosen) is None else None


def _why_fixed(model: Any, coupled: CoupledSet, chosen: Sequence[str]) -> str | None:
    """Why the channels of a set stay; None where they may go."""
    if coupled.fixed is not None:
        return coupled.fixed
    for reader in (model.get_layer(one.layer) for one in coupled.readers):
        label = f"{reader.name!r} ({type(reader).__name__}) reads them"
        if reader.name not in chosen:
            return f"{label} and is not to be pruned"
        if not isinstance(reader, (keras.layers.Conv2D, keras.layers.Dense)) or getattr(reader, "groups", 1) > 1:
            return f"{label} and is no dense layer or plain 2D convolution"
        if call_count(reader) > 1:
            return f"{label} and is called {call_count(reader)} times, so what it reads is not one array"
    return None if coupled.readers else f"no kernel reads those of {coupled.name!r}"


def _why_none(model: Any, chosen: Sequence[str]) -> str:
    """The message when every set stays."""
    reasons = dict.fromkeys(_why_fixed(model, coupled, chosen) for coupled in coupled_channels(model))
    listed = "".join(f"\n  - {reason}" for reason in list(reasons)[:6])
    return f"{model.name!r} has no channels that can be removed and are read by a kernel; what keeps them:{listed}"


def _kept(coupled: CoupledSet, keep: dict[str, list[int]]) -> np.ndarray:
    """Which channels of a set are kept."""
    maker = maker_of(coupled)
    if maker.layer not in keep:
        return np.arange(coupled.size)
    return np.flatnonzero(np.isin(maker.indices[:, 0], keep[maker.layer]))


def read_by(model: Any, name: str, samples: np.ndarray) -> np.ndarray:
    """What a layer reads: (samples, ..., inputs)."""
    return np.asarray(keras.Model(model.inputs, model.get_layer(name).input)(samples, training=False))


def windows(layer: Any, inputs: np.ndarray, positions: int, seed: int) -> np.ndarray:
    """What ``positions`` outputs of a layer, drawn at random, see: (positions, taps, inputs)."""
    if isinstance(layer, keras.layers.Dense):
        rows = inputs.reshape(-1, 1, inputs.shape[-1])
    else:
        height, width = layer.kernel_size
        patches = tf.image.extract_patches(
            inputs,
            (1, height, width, 1),
            (1, *layer.strides, 1),
            (1, *layer.dilation_rate, 1),
            layer.padding.upper(),
        )
        rows = np.asarray(patches).reshape(-1, height * width, inputs.shape[-1])
    chosen = np.random.default_rng(seed).permutation(len(rows))[:positions]
    return rows[np.sort(chosen)]
