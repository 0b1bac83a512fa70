"""The Prometheus text format, version 0.0.4: from families of samples to text, purely."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]

_NO_LABELS: Labels = MappingProxyType({})


class Sample(NamedTuple):
    """One value; ``suffix`` follows the family's name, as ``_bucket`` does."""

    value: float
    labels: Labels = _NO_LABELS
    suffix: str = ""


class Family(NamedTuple):
    """What belongs to one name: its meaning and its samples, of which there may be none."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    says: str
    samples: Sequence[Sample]


class Histogram:
    """Durations in buckets; ``bounds`` are upper ones, ascending, in seconds."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def samples(self, labels: Labels) -> list[Sample]:
        """The samples of a histogram: cumulative buckets, sum and count."""
        made: list[Sample] = []
        total = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            total += count
            made.append(Sample(total, {**labels, "le": number(bound)}, "_bucket"))
        return [*made, Sample(self._sum, labels, "_sum"), Sample(total, labels, "_count")]


def expose(families: Iterable[Family]) -> bytes:
    """The text; a family without samples is left out."""
    return "".join(line for family in families if family.samples for line in _lines(family)).encode(
        "utf-8", "replace"
    )


def _lines(family: Family) -> Iterable[str]:
    yield f"# HELP {family.name} {_escaped(family.says)}\n"
    yield f"# TYPE {family.name} {family.kind}\n"
    for sample in family.samples:
        yield f"{family.name}{sample.suffix}{_labels(sample.labels)} {number(sample.value)}\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def number(value: float) -> str:
    """A number as the format has it (Go's ``ParseFloat``)."""
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
