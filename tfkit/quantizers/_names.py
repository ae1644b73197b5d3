"""Quantizers by name: ``kernel_quantizer="lsq_w2"`` is the method, what it is for, and the bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tfkit._errors import UsageError
from tfkit._keras import legacy_keras
from tfkit._larq import larq
from tfkit._registry import Registry, unknown_name
from tfkit.quantizers._base import ACTIVATIONS, KERNEL, Quantizer

keras = legacy_keras()

Class = TypeVar("Class", bound=type)

_ARGUMENT = {KERNEL: "kernel_quantizer", ACTIVATIONS: "input_quantizer"}


class Alias:
    """A name that stands for a class with arguments. Keras makes objects of it as of a class."""

    def __init__(self, cls: type, arguments: dict[str, Any]) -> None:
        self._cls, self._arguments = cls, arguments

    def from_config(self, config: dict[str, Any]) -> Any:
        """A new quantizer; ``config`` is empty for a name alone."""
        return self._cls(**{**self._arguments, **config})


ALIASES: Registry[Alias] = Registry("quantizer")


def alias(name: str, cls: type, **arguments: Any) -> None:
    """Let ``name`` stand for ``cls(**arguments)`` in tfkit's, Larq's and Keras' layers."""
    ALIASES.add(name, Alias(cls, arguments))
    if cls.__module__.startswith("tfkit.") or arguments or name not in keras.utils.get_custom_objects():
        keras.utils.get_custom_objects()[name] = ALIASES[name]


def quantizer(name: str, bits: Iterable[int] = ()) -> Callable[[Class], Class]:
    """Class decorator: registered with Keras and under ``name``, in which ``{bits}`` takes each of ``bits``."""

    def decorate(cls: Class) -> Class:
        registered: Class = keras.utils.register_keras_serializable(package="tfkit")(cls)
        keras.utils.get_custom_objects()[cls.__name__] = cls  # an .h5 file names the class without its package
        if not bits:
            alias(name, registered)
        for number in bits:
            alias(name.format(bits=number), registered, bits=number)
        return registered

    return decorate


def get(identifier: Any, role: str | None = None) -> Any:
    """The quantizer that a name, a config, a function or an object stands for; None stays None.

    Args:
        identifier: an alias such as "lsq_w2" or "ste_sign", a Keras config, a callable, or None.
        role: "kernel" or "activations" to refuse what is made for the other.

    Raises:
        UsageError: the name is unknown, or the quantizer is made for the other role.

    >>> get("lsq_w2").precision
    2
    >>> get("lsq_w2", role="activations")
    Traceback (most recent call last):
        ...
    tfkit._errors.UsageError: LSQWeights is made for kernels and was given as input_quantizer; use 'lsq_a2'
    """
    if isinstance(identifier, str) and identifier not in ALIASES and identifier not in _known_to_keras():
        raise UsageError(unknown_name("quantizer", identifier, ALIASES))
    found = larq.quantizers.get(identifier)
    if role is not None and isinstance(found, Quantizer) and found.role != role:
        kind = "kernels" if found.role == KERNEL else "activations"
        others = _counterparts(found, role)
        raise UsageError(
            f"{type(found).__name__} is made for {kind} and was given as {_ARGUMENT[role]}; use {' or '.join(others)}"
        )
    return found


def _known_to_keras() -> dict[str, Any]:
    return {**vars(larq.quantizers), **keras.utils.get_custom_objects()}


def _counterparts(found: Quantizer, role: str) -> list[str]:
    """Names of the same method for the other role, or good ones of another method."""
    family = type(found).__module__
    own = [
        repr(name)
        for name, entry in ALIASES.items()
        if entry._cls.__module__ == family
        and getattr(entry._cls, "role", None) == role
        and entry._arguments.get("bits", found.precision) == found.precision
    ]
    return own[:2] or (["'lsq_w2'", "'ste_sign'"] if role == KERNEL else ["'lsq_a2'", "'ste_sign'"])
