"""How often each rule speaks, day by day, kept in a small local file: rule ids and counts, nothing of any patient.

A review only adds to a dictionary; a thread writes the sums every so often. What can't be written is kept in memory
and tried again, and the loss is counted where it can be seen: a check never waits for the disk and never fails with it.
"""

from __future__ import annotations

import atexit
import logging
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread

LOG = logging.getLogger("medsafe.rules")
FLUSH_SECONDS = 30.0
KEPT_DAYS = 400
# The row of a day that counts its reviews; a rule id always holds a colon.
ALL = "reviews"
# More than any data hold; what is beyond is counted together, so that memory and file stay bounded.
MOST_RULES = 20_000
OTHER = "other:rules"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS fired (
    day TEXT NOT NULL, rule TEXT NOT NULL, reviews INTEGER NOT NULL, interruptions INTEGER NOT NULL,
    PRIMARY KEY (day, rule)
) WITHOUT ROWID
"""
_ADD = """
INSERT INTO fired VALUES (?, ?, ?, ?) ON CONFLICT (day, rule)
DO UPDATE SET reviews = reviews + excluded.reviews, interruptions = interruptions + excluded.interruptions
"""


class HistoryError(Exception):
    """The history can't be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day: how many reviews there were, and in how many of them each rule spoke and interrupted."""

    day: date
    reviews: int
    fired: Mapping[str, int]
    interrupted: Mapping[str, int]


def today() -> date:
    return datetime.now(UTC).date()


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=5.0)) as connection:
        yield connection


class RuleHistory:
    """The counts of this process, added to the file that all workers of the machine share."""

    def __init__(
        self,
        path: Path,
        seconds: float = FLUSH_SECONDS,
        clock: Callable[[], date] = today,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.path, self.seconds, self.clock, self.failed = path, seconds, clock, failed
        self._counts: Counter[tuple[date, str]] = Counter()
        self._interruptions: Counter[tuple[date, str]] = Counter()
        self._lock = Lock()
        # Held while a flush writes, so that whoever flushes next returns only when nothing is on its way to the file.
        self._writing = Lock()
        self._process = 0
        self._stop = Event()

    def note(self, rules: Iterable[tuple[str, bool]]) -> None:
        """Count one review and each rule that spoke in it once; the second value says whether it interrupted."""
        day, spoke = self.clock(), dict[str, bool]()
        for rule, interruptive in rules:
            spoke[rule] = spoke.get(rule, False) or interruptive
        with self._lock:
            self._counts[day, ALL] += 1
            for rule, interruptive in spoke.items():
                key = (day, rule if len(self._counts) < MOST_RULES or (day, rule) in self._counts else OTHER)
                self._counts[key] += 1
                self._interruptions[key] += interruptive
            first, self._process = self._process != os.getpid(), os.getpid()
        if first:
            self._start()

    def _start(self) -> None:
        """In the worker, at its first review: a thread made before the fork would not be there."""
        Thread(target=self._work, name="rule-history", daemon=True).start()
        atexit.register(self.flush)

    def _work(self) -> None:
        while not self._stop.wait(self.seconds):
            self.flush()

    def flush(self) -> bool:
        """Add what has been counted to the file; what can't be written now waits for the next time.

        Returns only when an earlier flush has ended too: a process that ends after it loses nothing half written.
        """
        with self._writing:
            return self._flush()

    def _flush(self) -> bool:
        with self._lock:
            counts, self._counts = self._counts, Counter()
            interruptions, self._interruptions = self._interruptions, Counter()
        if not counts:
            return True
        try:
            self._write(counts, interruptions)
        except (sqlite3.Error, OSError) as error:
            with self._lock:
                self._counts.update(counts)
                self._interruptions.update(interruptions)
            self.failed()
            line = {"event": "rule-history", "outcome": "not-written", "reason": type(error).__name__}
            LOG.error("rule-history", extra={"medsafe": line})
            return False
        return True

    def _write(self, counts: Counter[tuple[date, str]], interruptions: Counter[tuple[date, str]]) -> None:
        rows = [(day.isoformat(), rule, n, interruptions[day, rule]) for (day, rule), n in counts.items()]
        oldest = (self.clock() - timedelta(days=KEPT_DAYS)).isoformat()
        with _open(self.path) as connection, connection:
            connection.execute(_SCHEMA)
            connection.executemany(_ADD, rows)
            connection.execute("DELETE FROM fired WHERE day < ?", (oldest,))

    def close(self) -> None:
        """Stop the thread and write what is left."""
        self._stop.set()
        self.flush()


def read_history(paths: Iterable[Path]) -> tuple[Day, ...]:
    """The days of one or several machines, added up, oldest first.

    Raises
    ------
    HistoryError: when a file is not there or is no history.
    """
    fired: dict[date, Counter[str]] = {}
    interrupted: dict[date, Counter[str]] = {}
    for path in paths:
        for day, rule, count, stops in _rows(path):
            fired.setdefault(day, Counter())[rule] += count
            if rule != ALL:
                interrupted.setdefault(day, Counter())[rule] += stops
    return tuple(
        Day(day, counts.pop(ALL, 0), counts, interrupted.get(day, {})) for day, counts in sorted(fired.items())
    )


def _rows(path: Path) -> Iterator[tuple[date, str, int, int]]:
    if not path.exists():
        raise HistoryError(f"there is no history {path}: set MEDSAFE_RULE_HISTORY for the service and let it work")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as connection:
            found = connection.execute("SELECT day, rule, reviews, interruptions FROM fired").fetchall()
        yield from ((date.fromisoformat(day), rule, count, stops) for day, rule, count, stops in found)
    except (sqlite3.Error, ValueError) as error:
        raise HistoryError(f"{path} can't be read as a history ({error})") from None
