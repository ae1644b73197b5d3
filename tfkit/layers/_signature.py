"""Constructors with the parameters of the Keras layer and the quantizers, without writing them all out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from tfkit.layers._binary import warn_not_binary

Layer = TypeVar("Layer", bound=type)


def keras_signature(parent: type, *added: str) -> Callable[[Layer], Layer]:
    """Class decorator: the constructor takes the parameters of ``parent``, in its order, then ``added`` (default None).

    Larq's constructors put their parameters in between, which moves Keras' positions. Every argument is passed on by
    name, so that mixins find theirs however it was given. What the method ``_why_not_binary`` of the class then gives,
    (reason, remedy) or None, is warned of in the name of the caller.
    """
    given = inspect.signature(parent.__init__)  # type: ignore[misc]
    parameters = list(given.parameters.values())
    end = len(parameters) - (parameters[-1].kind is inspect.Parameter.VAR_KEYWORD)
    extra = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None) for name in added]
    signature = given.replace(parameters=[*parameters[:end], *extra, *parameters[end:]])

    def decorate(cls: Layer) -> Layer:
        base_init = cls.__init__  # type: ignore[misc]

        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            bound = signature.bind(self, *args, **kwargs)
            named = dict(list(bound.arguments.items())[1:])
            named.update(named.pop("kwargs", {}))
            base_init(self, **named)
            warn_not_binary(self, self._why_not_binary())

        __init__.__signature__ = signature  # type: ignore[attr-defined]
        cls.__init__ = __init__  # type: ignore[misc]
        return cls

    return decorate
