"""The table of architectures: single ones by name, families by the form of the name."""

from __future__ import annotations

from tfkit._errors import UsageError
from tfkit._registry import Registry, unknown_name
from tfkit.models._spec import ModelFamily, ModelSpec


class ModelRegistry(Registry[ModelSpec]):
    """Architectures by name; names that a family understands resolve without being listed.

    Iteration gives the registered architectures, which are what ``tfkit models`` prints and the tests build.
    """

    def __init__(self) -> None:
        super().__init__("model")
        self.families: dict[str, ModelFamily] = {}

    def add_family(self, family: ModelFamily) -> None:
        """Register a family; raises ``ValueError`` when its pattern is taken."""
        if family.pattern in self.families:
            raise ValueError(f"family {family.pattern!r} is registered twice")
        self.families[family.pattern] = family

    def __getitem__(self, name: str) -> ModelSpec:
        """The spec called ``name``.

        Raises:
            UsageError: no model and no family has this name, or the family has no such member.
        """
        if super().__contains__(name):
            return super().__getitem__(name)
        for family in self.families.values():
            found = family.find(name)
            if found is not None:
                return found
        raise UsageError(unknown_name("model", name, {**self._entries, **self.families}))

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and self[name] is not None
        except UsageError:
            return False
