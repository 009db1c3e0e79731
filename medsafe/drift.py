"""Rules that went silent or loud against their own history.

Method. In the last `window` days a rule spoke in k1 of n1 reviews, in the `history` days before them in k0 of n0. Were
its rate unchanged, k1 out of k0 + k1 would follow a binomial distribution with probability n1 / (n0 + n1): the exact
conditional test of two rates (Przyborowski and Wilenski 1940). The same patient is reviewed again and again, so counts
scatter more than chance; both are divided by the dispersion of the rule's own days (Pearson's chi-square over its
degrees of freedom, at least 1) before they are compared. A rule has drifted when the probability is below `ALPHA`
divided by the number of rules looked at (Bonferroni), and its rate has at least halved or doubled. A rule from which
fewer than `LEAST` findings were to be expected can't be told silent, and one that spoke fewer times than that can't
be told loud. Windows of one and of seven days are both looked at: a rule that breaks shows within a day where it speaks
often, within a week where it speaks seldom.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from medsafe.rule_history import Day

ALPHA = 0.01
LEAST = 5.0
WINDOWS = (1, 7)
HISTORY = 56
FEWEST_DAYS = 7
HALF, DOUBLE = 0.5, 2.0
SILENT, LOUD = "silent", "loud"


@dataclass(frozen=True, slots=True)
class Span:
    """A rule over some days: in how many of how many reviews it spoke."""

    fired: int
    reviews: int

    @property
    def rate(self) -> float:
        return self.fired / self.reviews if self.reviews else 0.0


@dataclass(frozen=True, slots=True)
class Drift:
    """One rule that speaks less (`silent`) or more (`loud`) than it used to; `p` is corrected for the number of rules."""

    rule: str
    direction: str
    window_days: int
    now: Span
    before: Span
    dispersion: float
    p: float

    @property
    def ratio(self) -> float | None:
        """How many times as often as before; None for a rule that never spoke before."""
        return self.now.rate / self.before.rate if self.before.fired else None


def _log_term(k: int, n: int, p: float) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)


def tail(k: int, n: int, p: float, upper: bool) -> float:
    """P(X >= k) or P(X <= k) of a binomial variable with n trials of probability p.

    >>> round(tail(0, 10, 0.5, upper=False), 6), round(tail(9, 10, 0.5, upper=True), 6)
    (0.000977, 0.010742)
    """
    if not 0 < p < 1:
        return 1.0
    total, step = 0.0, 1 if upper else -1
    stop = n if upper else 0
    for i in range(k, stop + step, step):
        term = math.exp(_log_term(i, n, p))
        total += term
        if term < total * 1e-12 and (i > n * p) == upper:
            break
    return min(1.0, total)


def dispersion(days: Sequence[Day], rule: str) -> float:
    """How much more a rule's daily counts scatter than chance alone; 1 where there are too few days to say."""
    used = [day for day in days if day.reviews]
    reviews = sum(day.reviews for day in used)
    fired = sum(day.fired.get(rule, 0) for day in used)
    if len(used) < FEWEST_DAYS or not fired:
        return 1.0
    rate = fired / reviews
    squares = sum((day.fired.get(rule, 0) - rate * day.reviews) ** 2 / (rate * day.reviews) for day in used)
    return max(1.0, squares / (len(used) - 1))


def _span(days: Iterable[Day], rule: str) -> Span:
    found = list(days)
    return Span(sum(day.fired.get(rule, 0) for day in found), sum(day.reviews for day in found))


def _judged(rule: str, window: Sequence[Day], history: Sequence[Day], length: int) -> Drift | None:
    """The rule with its probability where it can be judged at all; None where it speaks too seldom."""
    now, before = _span(window, rule), _span(history, rule)
    if not now.reviews or not before.reviews:
        return None
    direction = LOUD if now.rate > before.rate else SILENT
    expected = before.rate * now.reviews
    if (expected if direction == SILENT else now.fired) < LEAST:
        return None
    spread = dispersion(history, rule)
    k1, k0 = round(now.fired / spread), round(before.fired / spread)
    chance = tail(k1, k0 + k1, now.reviews / (now.reviews + before.reviews), direction == LOUD)
    return Drift(rule, direction, length, now, before, spread, chance)


def _far(drift: Drift) -> bool:
    ratio = drift.ratio
    return ratio is None or (ratio <= HALF if drift.direction == SILENT else ratio >= DOUBLE)


def _days(days: Sequence[Day], first: date, last: date) -> list[Day]:
    return [day for day in days if first <= day.day <= last]


def drifts(days: Sequence[Day], until: date, windows: Sequence[int] = WINDOWS, history: int = HISTORY) -> list[Drift]:
    """Rules that drifted in the windows that end with `until`, the least likely first; each rule once."""
    worst: dict[str, Drift] = {}
    for length in windows:
        start = until - timedelta(days=length - 1)
        window = _days(days, start, until)
        before = _days(days, start - timedelta(days=history), start - timedelta(days=1))
        rules = sorted({rule for day in (*window, *before) for rule in day.fired})
        judged = [found for rule in rules if (found := _judged(rule, window, before, length))]
        for item in judged:
            p = min(1.0, item.p * len(judged) * len(windows))
            if p < ALPHA and _far(item) and (item.rule not in worst or p < worst[item.rule].p):
                worst[item.rule] = Drift(item.rule, item.direction, length, item.now, item.before, item.dispersion, p)
    return sorted(worst.values(), key=lambda d: (d.p, d.rule))
