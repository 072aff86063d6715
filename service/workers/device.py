"""A worker without a front end: it owns the device, and calls the graphs of all others' requests."""

__all__ = ["LaneOnly"]

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from pentimento.bundle.store import BundleError
from pentimento.service.app import StartError, make_runtime
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.reloading import Reloading
from pentimento.service.catalog.served import Reload
from pentimento.service.catalog.trials import Trials, Verdict
from pentimento.service.engine.sharing import Sharing
from pentimento.service.errors import PentimentoError
from pentimento.service.group import Group
from pentimento.service.settings import Settings
from pentimento.service.telemetry.log_writer import flush_log
from pentimento.service.telemetry.metrics import Metrics


class LaneOnly:
    """Bundles and a lane, within `async with`; as `Server` for its parent.

    Args:
        settings: Everything that can be set.
        group: Of this worker.
        tried: What came of trials of graphs.

    Raises:
        StartError: On entering, when it cannot start.
    """

    def __init__(self, settings: Settings, group: Group, tried: Mapping[str, Verdict]) -> None:
        self.settings, self.group = settings, group
        self._tried = tried
        self.metrics = Metrics()

    async def __aenter__(self) -> Self:
        try:
            self.runtime = make_runtime(self.settings, computes=True)
            self.trials = Trials(self.runtime, self.settings, self._tried)
            self.catalog = Catalog.load(
                self.settings.bundles,
                self.runtime,
                default=self.settings.default_model,
                trials=self.trials,
                present=self.group.default,
            )
        except (BundleError, RuntimeError, OSError) as error:
            raise StartError(str(error), code=2 if isinstance(error, BundleError) else 1) from None
        self.catalog.watch(self.metrics.keep_models)
        self.sharing = Sharing(
            self.group, self.runtime.device, lambda call: self.metrics.batch(**call._asdict())
        )
        assert self.sharing.hosts is not None and self.sharing.lane is not None
        self.sharing.lane.start(self.sharing.hosts.hand_over, _lose)
        self.catalog.watch(lambda _: self.sharing.keep(self.catalog.graphs()))
        self.sharing.keep(self.catalog.graphs())
        self._reloading = Reloading(self.catalog)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The others' drawings need it to their end: they drain at the same time.
        assert self.sharing.hosts is not None and self.sharing.lane is not None
        await self.sharing.hosts.gone(self.settings.drain_grace_s)
        await self.sharing.lane.close()
        self.trials.close()

    async def open(self) -> None:
        """Does nothing: clients do not come here."""

    async def reload_here(self) -> Reload:
        """Reads the bundle folder again."""
        return await self._reloading()


def _lose(error: PentimentoError) -> None:
    """The lane is gone by a defect: the process ends, and the parent starts another."""
    flush_log()
    os._exit(1)
