"""The store as the service uses it: writing happens apart from requests, and every answer comes within a deadline."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Any

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection

from medsafe.settings import Settings
from medsafe.store import records
from medsafe.store.database import Database, StoreError
from medsafe.store.records import CardFeedback, IssuedCard, ShownAlert
from medsafe.store.secret import installation_secret

LOG = logging.getLogger("medsafe.store")
LOST = Counter("medsafe_store_lost", "Records that could not be kept", ["what"])
FAILING = Gauge("medsafe_store_failing", "1 while the store can't be written", multiprocess_mode="livemax")
PENDING = Gauge("medsafe_store_pending", "Records that wait to be written", multiprocess_mode="livesum")
# What waits while the store is away: enough for a short outage, little memory.
MOST_PENDING = 5000
BATCH = 500
# An answer that a request waits for comes within this, or the request goes on without it.
DEADLINE_S = 0.25
# After a failure nobody waits for the store again for so long.
REST_S = 5.0
RETRY_S, RETRY_MOST_S = 1.0, 30.0
TIDY_S = 3600.0
WHAT = {IssuedCard: "card", CardFeedback: "feedback", ShownAlert: "alert"}
Record = IssuedCard | CardFeedback | ShownAlert


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Worker:
    """What belongs to one process: a queue, the thread that empties it, and the threads that answer within a deadline."""

    pid: int
    queue: Queue[Record | Event | None]
    asked: ThreadPoolExecutor
    thread: Thread | None = None
    stopping: Event = field(default_factory=Event)
    rest_until: float = 0.0
    failing: str = ""
    in_hand: int = 0
    beat_at: float = -1e9
    tidied_at: float = 0.0
    lost: int = 0


class Store:
    """Everything that is remembered between requests; `secret` keys what must not be read back."""

    def __init__(self, database: Database, secret: bytes, days: int) -> None:
        self.database, self.secret, self.days = database, secret, days
        self._lock, self._worker = Lock(), self._new_worker()

    def _new_worker(self) -> _Worker:
        return _Worker(os.getpid(), Queue(MOST_PENDING), ThreadPoolExecutor(2, "medsafe-store"))

    def _mine(self) -> _Worker:
        """The worker of this process, started when first used: threads don't live through a fork."""
        with self._lock:
            if self._worker.pid != os.getpid():
                self._worker = self._new_worker()
            worker = self._worker
            if worker.thread is None:
                worker.thread = Thread(target=self._run, args=(worker,), name="medsafe-store-writer", daemon=True)
                worker.thread.start()
            return worker

    def keep(self, record_list: Iterable[Record]) -> int:
        """Hand records over to be written soon; never waits. Returns how many were lost because too many wait."""
        worker, lost = self._mine(), 0
        for record in record_list:
            try:
                worker.queue.put_nowait(record)
            except Full:
                lost += 1
                self._lose(worker, record)
        PENDING.set(worker.queue.qsize())
        return lost

    def _lose(self, worker: _Worker, record: Record) -> None:
        worker.lost += 1
        LOST.labels(WHAT[type(record)]).inc()

    def within_deadline(self, ask: Callable[[Connection], Any], writes: bool) -> Any:
        """The answer of the database, if it comes in time.

        Raises
        ------
        StoreError: it failed, was too slow, or has just failed for another.
        """
        worker = self._mine()
        if time.monotonic() < worker.rest_until:
            raise StoreError("resting after a failure")
        future: Future[Any] = worker.asked.submit(self._transact, ask, writes)
        try:
            return future.result(DEADLINE_S)
        except TimeoutError:
            error = StoreError("too slow")
        except StoreError as failed:
            error = failed
        worker.rest_until = time.monotonic() + REST_S
        self._tell(worker, str(error))
        raise error

    def _transact(self, ask: Callable[[Connection], Any], writes: bool) -> Any:
        with self.database.begin(writes) as connection:
            return ask(connection)

    def seen_alerts(self, keys: Iterable[str]) -> frozenset[str]:
        """Those of the keys that were shown and not yet forgotten; none where that can't be known: an alert too many is the safe error."""
        wanted = list(keys)
        try:
            found: frozenset[str] = self.within_deadline(lambda c: records.read_alerts(c, wanted, _now()), writes=False)
        except StoreError:
            return frozenset()
        return found

    def take_token(self, key: str, expires_at: datetime) -> bool:
        """Whether a token is used for the first time by any worker or machine.

        Raises
        ------
        StoreError: that can't be known.
        """
        return bool(self.within_deadline(lambda c: records.take_token(c, key, expires_at), writes=True))

    def _run(self, worker: _Worker) -> None:
        """Empty the queue for as long as the process lives; a batch that fails waits and is tried again."""
        pause = RETRY_S
        batch: list[Record] = []
        beats: list[Event] = []
        while True:
            more = self._take(worker, batch, beats)
            worker.in_hand = len(batch)
            if self._write(worker, batch):
                batch.clear()
                worker.in_hand, pause = 0, RETRY_S
            for beat in beats:
                beat.set()
            beats.clear()
            PENDING.set(worker.queue.qsize() + len(batch))
            if not more:
                break
            if batch:
                worker.stopping.wait(pause)
                pause = min(pause * 2, RETRY_MOST_S)
        for record in batch:
            self._lose(worker, record)

    def _take(self, worker: _Worker, batch: list[Record], beats: list[Event]) -> bool:
        """Fill the batch with what waits; False when the process ends."""
        wait = not batch
        while len(batch) < BATCH:
            try:
                item = worker.queue.get(timeout=TIDY_S) if wait else worker.queue.get_nowait()
            except Empty:
                return True
            wait = False
            if item is None:
                return False
            if isinstance(item, Event):
                beats.append(item)
            else:
                batch.append(item)
        return True

    def _write(self, worker: _Worker, batch: list[Record]) -> bool:
        """One transaction for the whole batch. Its loss is told once, its return too."""
        try:
            with self.database.begin() as connection:
                self._write_all(connection, batch)
                records.beat(connection, _now())
                self._tidy(worker, connection)
        except StoreError as error:
            if error.refused and batch:
                return self._write_singly(worker, batch)
            self._tell(worker, str(error))
            return False
        worker.rest_until = 0.0
        self._tell(worker, "")
        return True

    def _write_singly(self, worker: _Worker, batch: list[Record]) -> bool:
        """A record that the database refuses is lost, and told; it must not stop the others behind it."""
        if len(batch) > 1:
            return all(self._write(worker, [record]) for record in batch)
        LOG.error("store", extra={"medsafe": {"event": "store-refused", "what": WHAT[type(batch[0])]}})
        self._lose(worker, batch[0])
        return True

    def _write_all(self, connection: Connection, batch: list[Record]) -> None:
        records.write_cards(connection, [r for r in batch if isinstance(r, IssuedCard)])
        records.write_alerts(connection, [r for r in batch if isinstance(r, ShownAlert)])
        records.write_feedback(connection, [r for r in batch if isinstance(r, CardFeedback)], self.secret)

    def _tidy(self, worker: _Worker, connection: Connection) -> None:
        """Now and then forget what is over."""
        if worker.tidied_at and time.monotonic() - worker.tidied_at < TIDY_S:
            return
        worker.tidied_at = time.monotonic()
        records.forget_expired(connection, _now())
        records.prune(connection, _now(), self.days)

    def _tell(self, worker: _Worker, failing: str) -> None:
        """One line in the log when the store fails or works again, not one for each record."""
        FAILING.set(1 if failing else 0)
        if bool(failing) != bool(worker.failing):
            status = "failing" if failing else "working"
            line = {"event": "store", "status": status, "kind": self.database.kind, "because": failing}
            counts = {"pending": worker.queue.qsize(), "lost": worker.lost}
            LOG.log(logging.ERROR if failing else logging.INFO, "store", extra={"medsafe": {**line, **counts}})
        worker.failing = failing

    def flush(self, seconds: float) -> bool:
        """Wait until what was handed over so far is written, for a while at most; whether it is."""
        worker, reached = self._mine(), Event()
        with suppress(Full):
            worker.queue.put_nowait(reached)
            return reached.wait(seconds) and not worker.failing
        return False

    def status(self) -> dict[str, Any]:
        """Whether records are kept, as this worker knows it after trying to write just now."""
        worker = self._mine()
        if time.monotonic() - worker.beat_at > REST_S:
            worker.beat_at = time.monotonic()
            self.flush(DEADLINE_S)
        told: dict[str, Any] = {"kind": self.database.kind, "status": "failing" if worker.failing else "working"}
        if worker.failing:
            told["because"] = worker.failing
        return {**told, "pending": worker.queue.qsize() + worker.in_hand, "lost": worker.lost}

    def start(self) -> None:
        """Before the first fork: bring the tables to the newest shape, tell how it went, and let go of the connections."""
        try:
            before, after = self.database.upgrade()
            line: dict[str, Any] = {"event": "store", "status": "working", "kind": self.database.kind}
            line |= {"migrated_from": before, "revision": after}
            LOG.info("store", extra={"medsafe": line})
        except StoreError as error:
            line = {"event": "store", "status": "failing", "kind": self.database.kind, "because": str(error)}
            LOG.error("store", extra={"medsafe": line})
        finally:
            self.database.close()

    def close(self, seconds: float = 5.0) -> None:
        """At the end of a process: write what waits, for a while at most."""
        with self._lock:
            worker = self._worker
            thread, worker.thread = worker.thread, None
        if worker.pid == os.getpid() and thread is not None:
            with suppress(Full):
                worker.queue.put(None, timeout=seconds)
            worker.stopping.set()
            thread.join(seconds)
            # Those still asking end by their own deadlines; only then may their connections be closed.
            worker.asked.shutdown(wait=True, cancel_futures=True)
        self.database.close()


def open_store(settings: Settings) -> Store | None:
    """The store that the operator asks for; None where nothing is to be kept."""
    if not settings.store_url:
        return None
    database = Database(settings.store_url)
    beside = Path(f"{database.url.database}.secret") if database.kind == "sqlite" else None
    return Store(database, installation_secret(settings.secret_file, beside), settings.feedback_days)
