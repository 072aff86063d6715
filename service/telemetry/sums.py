"""Metrics of several processes as those of one: samples with the same name and labels are added up.

What a process counted before it ended stays counted, as a sum that falls would look like a restart.
"""

__all__ = ["Counts", "Sums", "counts_of"]

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

_LEAST = frozenset({"process_start_time_seconds", "process_max_fds"})  # of all, rather than their sum
_ALIKE = frozenset({"python_info"})  # the same of each
_NAMES = ("model", "bundle")  # labels that say whose a sample is

_Labels = tuple[tuple[str, str], ...]


class Family(NamedTuple):
    """A metric: its type, its text, and its samples by name and labels, in the order they are shown in."""

    kind: str
    text: str
    samples: dict[tuple[str, _Labels], float]


Counts = dict[str, Family]
"""Metrics of one process, by name."""


def counts_of(registry: CollectorRegistry) -> Counts:
    """What a registry holds now."""
    return {
        metric.name: Family(
            metric.type,
            metric.documentation,
            {(sample.name, tuple(sample.labels.items())): sample.value for sample in metric.samples},
        )
        for metric in registry.collect()
    }


class Sums:
    """Adds up what processes counted, those that have ended included."""

    def __init__(self) -> None:
        self._ended: Counts = {}

    def end(self, counts: Counts) -> None:
        """Keeps what a process counted that has ended; what it used is no more."""
        lasting = {
            name: family
            for name, family in counts.items()
            if family.kind in ("counter", "histogram", "unknown") and name not in _LEAST | _ALIKE
        }
        self._ended = _add([self._ended, lasting])

    def expose(self, processes: Sequence[Counts]) -> bytes:
        """The sums in the text format that Prometheus reads.

        Args:
            processes: What each that runs has counted.
        """
        present = {
            value
            for counts in processes
            for family in counts.values()
            for _, labels in family.samples
            for name, value in labels
            if name in _NAMES
        }
        self._forget_but(present)
        registry = CollectorRegistry()
        registry.register(_Shown(_add([*processes, self._ended])))
        return generate_latest(registry)

    def _forget_but(self, present: set[str]) -> None:
        """Forgets what was counted of bundles that no process knows any more."""
        for family in self._ended.values():
            for key in list(family.samples):
                if any(name in _NAMES and value not in present for name, value in key[1]):
                    del family.samples[key]


def _add(parts: Sequence[Counts]) -> Counts:
    total: Counts = {}
    for counts in parts:
        for name, family in counts.items():
            sums = total.setdefault(name, Family(family.kind, family.text, {})).samples
            for key, value in family.samples.items():
                if key not in sums or name in _ALIKE:
                    sums[key] = value
                elif name in _LEAST:
                    sums[key] = min(sums[key], value)
                else:
                    sums[key] += value
    return total


class _Shown(Collector):
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """All metrics; called by the registry."""
        for name, family in self._counts.items():
            metric = Metric(name, family.text, family.kind)
            for (sample, labels), value in family.samples.items():
                metric.add_sample(sample, dict(labels), value)
            yield metric
