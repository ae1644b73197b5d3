"""The convolutions that are counted: 3x3, "same" padding, as many channels out as in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """Square image, channels and groups."""

    size: int
    channels: int
    groups: int = 1

    @classmethod
    def parse(cls, text: str) -> Layer:
        """The layer that "56x56x64" or "56x56x64/2" (groups) names.

        >>> str(Layer.parse("28x28x128/4"))
        '28x28x128/4'
        """
        shape, _, groups = text.partition("/")
        height, width, channels = map(int, shape.split("x"))
        if height != width:
            raise ValueError(f"{text!r} is not square; give SIZExSIZExCHANNELS, for example 56x56x64")
        return cls(height, channels, int(groups or 1))

    def __str__(self) -> str:
        groups = f"/{self.groups}" if self.groups > 1 else ""
        return f"{self.size}x{self.size}x{self.channels}{groups}"

    @property
    def elements(self) -> int:
        """Of the input."""
        return self.size * self.size * self.channels

    @property
    def outputs(self) -> int:
        """Elements of the output."""
        return self.elements

    @property
    def products(self) -> int:
        """Binary multiplications, those with the padding included."""
        return self.elements * 9 * self.channels // self.groups

    @property
    def arguments(self) -> list[str]:
        """What tfkit_kernel_runs (android_bench/bench) takes for it."""
        return [str(number) for number in (self.size, self.size, self.channels, self.channels, self.groups, 3)]


@dataclass(frozen=True)
class Pointwise:
    """A 1x1 convolution on a square image; of a single pixel, a dense layer."""

    size: int
    inputs: int
    channels: int  # out

    def __str__(self) -> str:
        return f"{self.size}x{self.size}x{self.inputs} to {self.channels}"

    @property
    def weights(self) -> int:
        """How many."""
        return self.inputs * self.channels

    @property
    def products(self) -> int:
        """Multiplications, zeros included."""
        return self.size * self.size * self.weights

    @property
    def arguments(self) -> list[str]:
        """What tfkit_kernel_runs takes for it."""
        return [str(number) for number in (self.size, self.size, self.inputs, self.channels, 1, 1)]


QUICKNET = tuple(map(Layer.parse, ("56x56x64", "28x28x128", "14x14x256", "7x7x512")))
ALL = (Layer.parse("56x56x32"), *QUICKNET)
GROUPED = tuple(map(Layer.parse, ("56x56x64/2", "28x28x128/2", "28x28x128/4", "56x56x128/4")))
# MobileNetV1's, each once, and its dense layer.
MOBILENET = tuple(
    Pointwise(*numbers)
    for numbers in (
        *((112, 32, 64), (56, 64, 128), (56, 128, 128), (28, 128, 256), (28, 256, 256)),
        *((14, 256, 512), (14, 512, 512), (7, 512, 1024), (7, 1024, 1024), (1, 1024, 1000)),
    )
)
