"""The firing-rate watch of the running service: reviews are counted by rule, and what drifted is a metric."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Lock

from flask import Flask, current_app
from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric

from medsafe.drift import LOUD, SILENT, Drift, drifts
from medsafe.model.findings import Review
from medsafe.rule_history import HistoryError, RuleHistory, read_history
from medsafe.settings import Settings

EXTENSION = "medsafe-rules"
FAILURES = Counter("medsafe_rule_history_failures", "Times the counts of rules could not be written")
# Each direction names this many rules at most, so that a broken release can't flood the metrics.
NAMED = 10
LOOK_SECONDS = 60.0


class RuleWatch:
    """The history of this process, and what has drifted in the shared file; looked at once a minute at most."""

    def __init__(self, history: RuleHistory) -> None:
        self.history = history
        self._found: list[Drift] | None = None
        self._looked = -LOOK_SECONDS
        self._lock = Lock()

    def drifted(self) -> list[Drift] | None:
        """Rules that drifted up to today; None while there is no history that can be read."""
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._looked = time.monotonic()
                try:
                    self._found = drifts(read_history([self.history.path]), self.history.clock())
                except HistoryError:
                    self._found = None
            return self._found

    def collect(self) -> Iterator[Metric]:
        """The number of drifted rules, and the worst of them with their rate against what it was."""
        found = self.drifted()
        yield GaugeMetricFamily(
            "medsafe_rule_history_readable", "1 when there is a history of rules", value=float(found is not None)
        )
        if found is None:
            return
        counts = GaugeMetricFamily("medsafe_rules_drifted", "Rules out of their own rate", labels=["direction"])
        ratios = GaugeMetricFamily(
            "medsafe_rule_rate_ratio", "Rate against before, the least likely rules", labels=["rule", "direction"]
        )
        for direction in (SILENT, LOUD):
            those = [d for d in found if d.direction == direction]
            counts.add_metric([direction], len(those))
            for item in those[:NAMED]:
                ratios.add_metric([item.rule, direction], float("inf") if item.ratio is None else item.ratio)
        yield counts
        yield ratios


def register(app: Flask, settings: Settings) -> None:
    """Count rules where the operator has named a file for it."""
    if settings.rule_history is not None:
        app.extensions[EXTENSION] = RuleWatch(RuleHistory(settings.rule_history, failed=FAILURES.inc))


def watch() -> RuleWatch | None:
    """The watch of this application, where there is one."""
    found: RuleWatch | None = current_app.extensions.get(EXTENSION)
    return found


def heard(found: Review) -> Review:
    """Count the rules that spoke in a review."""
    watching = watch()
    if watching is not None:
        watching.history.note((f.rule or f.kind, f.interruptive) for f in found.findings)
    return found
