"""Who writes and who reads the tensors of a graph."""

from __future__ import annotations

from collections import defaultdict

from tfkit.converters.graph import Graph


class Links:
    """Numbers of ops by the tensors that they write and read."""

    def __init__(self, graph: Graph) -> None:
        self.writer = {index: number for number, op in enumerate(graph.ops) for index in op.outputs}
        self.readers: dict[int, list[int]] = defaultdict(list)
        for number, op in enumerate(graph.ops):
            for index in dict.fromkeys(op.inputs):
                self.readers[index].append(number)
        self._ends = set(graph.outputs)

    def only_reader(self, tensor: int) -> int | None:
        """The op that alone reads a tensor, which is no output of the graph."""
        readers = self.readers.get(tensor, [])
        return readers[0] if len(readers) == 1 and tensor not in self._ends else None
