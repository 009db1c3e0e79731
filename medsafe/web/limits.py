"""How often a caller may ask, and which tokens were used: shared through Redis where it is configured, else by each worker for itself."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TypeVar

import redis
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from prometheus_client import Gauge
from redis.backoff import NoBackoff
from redis.retry import Retry

from medsafe.store.database import StoreError

LOG = logging.getLogger("medsafe.redis")
FAILING = Gauge("medsafe_redis_failing", "1 while Redis can't be reached", multiprocess_mode="livemax")
CALLERS_REMEMBERED = 10_000
# Redis answers in well under a millisecond, or the request goes on without it.
ANSWER_S = 0.1
# After a failure nobody waits for Redis again for so long.
REST_S = 5.0
T = TypeVar("T")


class RateLimit:
    """A token bucket per caller; the callers seen longest ago are forgotten, so that memory stays bounded."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._callers: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, caller: str, now: float) -> float:
        """Take one token: 0 when there was one, else the seconds until there is."""
        if not self.per_minute:
            return 0.0
        rate = self.per_minute / 60
        with self._lock:
            tokens, seen = self._callers.pop(caller, (float(self.per_minute), now))
            tokens = min(float(self.per_minute), tokens + (now - seen) * rate)
            allowed = tokens >= 1
            self._callers[caller] = (tokens - 1 if allowed else tokens, now)
            if len(self._callers) > CALLERS_REMEMBERED:
                self._callers.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / rate


class SharedMemory:
    """Redis, as all workers and machines see it; asked with a short deadline, and left alone for a while when it fails."""

    def __init__(self, url: str) -> None:
        waits: dict[str, Any] = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
        # Trying again is for those who can wait.
        self._client = redis.Redis.from_url(url, **waits, retry=Retry(NoBackoff(), 0))
        storage = RedisStorage(url, connection_pool=self._client.connection_pool)
        self._window = SlidingWindowCounterRateLimiter(storage)
        self._rest_until, self.failing = 0.0, ""

    def ask(self, question: Callable[[], T]) -> T:
        """What Redis answers.

        Raises
        ------
        StoreError: it can't be reached, or could not a moment ago.
        """
        if time.monotonic() < self._rest_until:
            raise StoreError("resting after a failure")
        try:
            found = question()
        except (redis.RedisError, OSError) as error:
            self._rest_until = time.monotonic() + REST_S
            self._tell(type(error).__name__)
            raise StoreError(type(error).__name__) from None
        self._tell("")
        return found

    def _tell(self, failing: str) -> None:
        """One line in the log when it fails or works again."""
        FAILING.set(1 if failing else 0)
        if bool(failing) != bool(self.failing):
            line = {"event": "redis", "status": "failing" if failing else "working", "because": failing}
            LOG.log(logging.ERROR if failing else logging.INFO, "redis", extra={"medsafe": line})
        self.failing = failing

    def take_token(self, key: str, expires_at: datetime) -> bool:
        """Whether a token is used for the first time by any worker or machine.

        Raises
        ------
        StoreError: that can't be known.
        """
        lives = max(1, math.ceil((expires_at - datetime.now(UTC)).total_seconds()))
        return bool(self.ask(lambda: self._client.set(f"medsafe:token:{key}", 1, nx=True, ex=lives)))

    def wait(self, caller: str, per_minute: int) -> float:
        """Count one request: 0 when the caller is within the limit, else the seconds until it is again.

        Raises
        ------
        StoreError: that can't be known.
        """
        item = RateLimitItemPerMinute(per_minute, namespace="medsafe")
        # A caller is known by its key or address: neither is written down as it is.
        name = hashlib.sha256(caller.encode()).hexdigest()[:32]
        if self.ask(lambda: self._window.hit(item, name)):
            return 0.0
        stats = self.ask(lambda: self._window.get_window_stats(item, name))
        return max(1.0, stats.reset_time - time.time())

    def status(self) -> dict[str, str]:
        """Whether it answers now."""
        try:
            self.ask(self._client.ping)
        except StoreError as error:
            return {"status": "failing", "because": self.failing or str(error)}
        return {"status": "working"}


class Limits:
    """The limit of each caller: one for all workers while Redis answers, else one for each worker."""

    def __init__(self, per_minute: int, shared: SharedMemory | None) -> None:
        self.per_minute, self._shared, self._own = per_minute, shared, RateLimit(per_minute)

    def wait(self, caller: str) -> float:
        """Seconds until the caller may ask again; 0: now."""
        if not self.per_minute:
            return 0.0
        if self._shared is not None:
            try:
                return self._shared.wait(caller, self.per_minute)
            except StoreError:
                pass
        return self._own.wait(caller, time.monotonic())
