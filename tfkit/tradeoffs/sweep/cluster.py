"""Steps on the workers of a dask cluster; measurements stay on this host.

dask and not Ray: ``Client.get_executor`` is an executor of ``concurrent.futures``, so the scheduler here drives it as
it drives processes of this machine; it is pure Python, installs on Arm boards and any Python, and its workers are
started by one command over ssh. What Ray brings beyond that - actors, a shared object store - steps of minutes do not
need.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from tfkit._errors import DeviceError, MissingToolError, UsageError
from tfkit.data import Dataset
from tfkit.tradeoffs.sweep.steps import Outcome

_CONNECT_S = 30


class ClusterPool:
    """One place for each worker of the scheduler at ``address``, such as ``tcp://host:8786``.

    Data and artifacts travel as bytes: workers share no folder with this host. ``dataset`` is sent to each once; None
    for images in a folder, which is to have the same name on every worker.

    Raises:
        MissingToolError: the package distributed is not installed.
        UsageError: an address of another form.
        DeviceError: no scheduler answers there, or it has no workers.
    """

    on_this_host = False

    def __init__(self, address: str, dataset: Dataset | None) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise MissingToolError(
                "a cluster takes the package distributed, which is not installed; run: pip install 'tfkit[cluster]'"
            ) from error
        try:
            self._client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        except ValueError as error:
            raise UsageError(f"{address!r} is no address of a dask scheduler; give tcp://HOST:8786: {error}") from error
        except OSError as error:
            raise DeviceError(
                f"no dask scheduler answers at {address}: {error}; start one with `dask scheduler`, and `dask worker "
                f"{address} --nthreads 1` on each machine that is to work"
            ) from error
        self.places = len(self._client.scheduler_info()["workers"])
        if not self.places:
            self.stop()
            raise DeviceError(f"the scheduler at {address} has no workers; start some with: dask worker {address}")
        # retries=0: a step that took its worker along is no accident that goes away
        self._executor = self._client.get_executor(pure=False, retries=0)
        self._shared = {} if dataset is None else {"data": self._client.scatter(dataset, broadcast=True)}

    def submit(self, function: Callable[..., Outcome], *arguments: Any) -> Future[Outcome]:
        """As ``Pool.submit``."""
        future: Future[Outcome] = self._executor.submit(function, *arguments, **self._shared)
        return future

    def renew(self) -> None:
        """As ``Pool.renew``: dask's nannies start workers anew."""

    def stop(self) -> None:
        """As ``Pool.stop``; a step that a worker is in the middle of ends there, and its outcome is dropped."""
        self._client.close()
