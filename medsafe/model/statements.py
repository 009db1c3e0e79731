"""What every statement of the knowledge has: how serious it is, where it comes from, and which orders it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from medsafe.model.criteria import Criterion


class Severity(IntEnum):
    """How serious a finding is; ordered, so that severities can be compared and stepped."""

    NONE = 0
    LOW = 1
    MODERATE = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        return self.name.lower()

    def step(self, by: int) -> Severity:
        """Move by whole steps, staying within low and critical.

        >>> Severity.MODERATE.step(1).label
        'high'
        """
        return Severity(max(Severity.LOW, min(Severity.CRITICAL, self + by)))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement comes from. `status` tells an opened source from one recalled from memory."""

    id: str
    title: str
    status: str
    url: str = ""
    edition: str = ""
    opened_on: date | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A source and the place in it that supports a value (`<source-id>#<section>` in the data)."""

    source: str
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which orders of a drug a statement is about. Empty parts do not restrict.

    Doses are daily totals in the drug's `dose_unit`. An order whose daily dose is not known is taken to be in scope
    of a lower bound: the cautious reading.
    """

    routes: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()
    daily_dose_at_least: float | None = None
    daily_dose_below: float | None = None
    single_dose_only: bool = False
    regular_only: bool = False
    occasional_only: bool = False


ANY_ORDER = Scope()


@dataclass(frozen=True, slots=True)
class Modifier:
    """A circumstance that raises or lowers a finding: by points (burdens), by steps, or to a fixed severity."""

    when: tuple[Criterion, ...]
    text: str
    points: float = 0.0
    step: int = 0
    severity: Severity | None = None
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Guidance:
    """The words of a finding."""

    summary: str
    consequence: str = ""
    mechanism: str = ""
    management: tuple[str, ...] = ()
    monitoring: tuple[str, ...] = ()
    evidence: str = ""
    sources: tuple[Citation, ...] = ()
