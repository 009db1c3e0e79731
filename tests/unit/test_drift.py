"""Rules that go silent or loud are told; chance, weekends and rare rules are not."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from medsafe.cli import main
from medsafe.drift import Drift, dispersion, drifts, tail
from medsafe.rule_history import ALL, MOST_RULES, Day, HistoryError, RuleHistory, read_history
from medsafe.settings import Settings
from medsafe.web.app import create_app
from medsafe.web.rules import EXTENSION
from tests.serving import small_data

LAST = date(2026, 11, 26)


def days(*counts: tuple[int, int]) -> list[Day]:
    """Days up to LAST, each (reviews, times that `effect:x` spoke)."""
    first = LAST - timedelta(days=len(counts) - 1)
    return [Day(first + timedelta(days=n), reviews, {"effect:x": k}, {}) for n, (reviews, k) in enumerate(counts)]


def told(found: list[Drift]) -> list[tuple[str, str, int]]:
    return [(d.rule, d.direction, d.window_days) for d in found]


@pytest.mark.parametrize(("k", "n", "p"), [(0, 5, 0.5), (3, 12, 0.2), (40, 90, 0.3), (7, 7, 0.9), (0, 300, 0.01)])
def test_the_tails_are_those_of_the_binomial_distribution(k: int, n: int, p: float) -> None:
    def exact(lo: int, hi: int) -> float:
        return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(lo, hi + 1))

    assert tail(k, n, p, upper=False) == pytest.approx(exact(0, k), rel=1e-9)
    assert tail(k, n, p, upper=True) == pytest.approx(exact(k, n), rel=1e-9)


def test_a_rule_that_stops_is_silent_within_a_day() -> None:
    found = drifts(days(*[(200, 20)] * 30, (200, 0)), LAST)
    assert told(found) == [("effect:x", "silent", 1)]
    assert found[0].ratio == 0


def test_a_rule_that_speaks_seldom_is_silent_within_a_week() -> None:
    assert told(drifts(days(*[(200, 3)] * 50, *[(200, 0)] * 7), LAST)) == [("effect:x", "silent", 7)]


def test_a_rule_that_speaks_three_times_as_often_is_loud() -> None:
    assert told(drifts(days(*[(200, 10)] * 30, (200, 30)), LAST)) == [("effect:x", "loud", 1)]


def test_a_rule_that_never_spoke_before_is_loud_without_a_ratio() -> None:
    found = drifts(days(*[(200, 0)] * 30, (200, 12)), LAST)
    assert told(found) == [("effect:x", "loud", 1)]
    assert found[0].ratio is None


@pytest.mark.parametrize(
    "counts",
    [
        [(200, 20)] * 31,
        [(200, 20)] * 30 + [(20, 2)],
        [(200, 20)] * 30 + [(200, 14)],
        [(200, 20)] * 30 + [(0, 0)],
        [(200, 0)] * 30 + [(200, 4)],
        [(200, 0), (200, 2)] * 15 + [(200, 0)],
        [(0, 0)] * 30 + [(200, 100)],
        [],
    ],
    ids=["steady", "a quiet day", "a third less", "no review", "four times", "rare", "no history", "nothing"],
)
def test_what_chance_or_few_counts_explain_is_not_told(counts: list[tuple[int, int]]) -> None:
    assert drifts(days(*counts), LAST) == []


def test_a_rule_that_comes_in_clusters_needs_more_to_be_told() -> None:
    clustered = days(*[(200, 60), (200, 0), (200, 0)] * 14, (200, 0))
    assert dispersion(clustered, "effect:x") > 10
    assert drifts(clustered, LAST) == []


def test_five_hundred_steady_rules_raise_no_alarm() -> None:
    random = Random(7)
    rates = {f"caution:{n}:bleeding": random.uniform(0.001, 0.2) for n in range(500)}
    found = [
        Day(
            LAST - timedelta(days=n),
            150,
            {rule: sum(random.random() < rate for _ in range(150)) for rule, rate in rates.items()},
            {},
        )
        for n in range(40)
    ]
    assert len(drifts(sorted(found, key=lambda d: d.day), LAST)) <= 1


# --- the history ---------------------------------------------------------------------------------------------------


def test_what_is_counted_is_added_up_over_processes_and_flushes(tmp_path: Path) -> None:
    path = tmp_path / "rules.sqlite"
    for _ in range(2):
        history = RuleHistory(path, clock=lambda: LAST)
        history.note([("effect:x", False), ("effect:x", True), ("opioid:y", False)])
        history.note([])
        assert history.flush()
        assert history.flush()
    (day,) = read_history([path])
    assert (day.day, day.reviews, day.fired, day.interrupted) == (
        LAST,
        4,
        {"effect:x": 2, "opioid:y": 2},
        {"effect:x": 2, "opioid:y": 0},
    )


def test_threads_lose_no_count(tmp_path: Path) -> None:
    history = RuleHistory(tmp_path / "rules.sqlite", seconds=0.01, clock=lambda: LAST)

    def work() -> None:
        for _ in range(500):
            history.note([("effect:x", False)])

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history.close()
    assert read_history([history.path])[0].reviews == 2000


def test_closing_waits_for_what_is_on_its_way_to_the_file(tmp_path: Path) -> None:
    history = RuleHistory(tmp_path / "rules.sqlite", clock=lambda: LAST)
    history.note([("effect:x", False)])
    assert history.flush()
    with closing(sqlite3.connect(history.path)) as busy:
        busy.execute("BEGIN EXCLUSIVE")
        history.note([("effect:x", False)])
        flushing, ending = Thread(target=history.flush), Thread(target=history.close)
        flushing.start()
        ending.start()
        ending.join(0.3)
        assert ending.is_alive()
        busy.rollback()
        ending.join()
    assert read_history([history.path])[0].reviews == 2


def test_a_disk_that_cannot_be_written_costs_no_review_and_the_loss_is_counted(tmp_path: Path) -> None:
    lost: list[int] = []
    path = tmp_path / "away" / "rules.sqlite"
    history = RuleHistory(path, clock=lambda: LAST, failed=lambda: lost.append(1))
    history.note([("effect:x", True)])
    assert not history.flush()
    assert lost == [1]
    path.parent.mkdir()
    assert history.flush()
    assert read_history([path])[0].fired == {"effect:x": 1}


def test_days_older_than_a_year_and_a_bit_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "rules.sqlite"
    for day in (LAST - timedelta(days=500), LAST):
        history = RuleHistory(path, clock=lambda day=day: day)
        history.note([("effect:x", False)])
        history.flush()
    assert [day.day for day in read_history([path])] == [LAST]


def test_memory_stays_bounded_whatever_the_rules_are_called(tmp_path: Path) -> None:
    history = RuleHistory(tmp_path / "rules.sqlite", clock=lambda: LAST)
    history.note((f"effect:{n}", False) for n in range(MOST_RULES + 500))
    history.flush()
    assert len(read_history([history.path])[0].fired) <= MOST_RULES + 1


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("harm", [half, Path.unlink, lambda p: p.write_text("no database")])
def test_a_history_that_cannot_be_read_is_told(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    history = RuleHistory(tmp_path / "rules.sqlite", clock=lambda: LAST)
    history.note([(f"effect:{n}", False) for n in range(400)])
    history.flush()
    harm(history.path)
    with pytest.raises(HistoryError):
        read_history([history.path])


def write(path: Path, found: list[Day]) -> Path:
    """A history of these days, in a file made by the service's own writer."""
    maker = RuleHistory(path, clock=lambda: LAST)
    maker.note([])
    maker.flush()
    rows = [(day.day.isoformat(), rule, n) for day in found for rule, n in ((ALL, day.reviews), *day.fired.items())]
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM fired")
        connection.executemany("INSERT INTO fired VALUES (?, ?, ?, 0)", rows)
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", "drift", *map(str, words)])


def test_the_command_tells_what_drifted_and_ends_with_one(tmp_path: Path) -> None:
    path = write(tmp_path / "rules.sqlite", days(*[(200, 20)] * 30, (200, 0)))
    root = small_data(tmp_path / "data")
    shown = run(path, "--until", LAST.isoformat(), "--root", root)
    assert shown.exit_code == 1
    assert "silent effect:x" in shown.output
    assert "0 of 200 reviews; before: 600 of 6000" in shown.output
    assert "no longer in the data" in shown.output
    plain = json.loads(run(path, path, "--until", LAST.isoformat(), "--root", root, "--json").output)
    assert plain["drifted"][0]["now"] == {"spoke": 0, "reviews": 400}


def test_the_command_says_what_to_do_where_there_is_no_history(tmp_path: Path) -> None:
    shown = run(tmp_path / "none.sqlite")
    assert shown.exit_code == 1
    assert "MEDSAFE_RULE_HISTORY" in shown.output


BODY = {
    "patient": {"age_years": 70},
    "regimen": [
        {"drug": "morphine", "dose": 10, "unit": "mg", "route": "oral", "times_per_day": 2},
        {"drug": "codeine", "dose": 30, "unit": "mg", "route": "oral", "times_per_day": 2},
    ],
}


def test_the_service_counts_rules_and_shows_drift_with_bounded_labels(tmp_path: Path) -> None:
    root = small_data(tmp_path / "data")
    path = tmp_path / "rules.sqlite"
    today = RuleHistory(path).clock()
    many = {f"caution:c{n}:bleeding": 40 for n in range(30)}
    write(path, [Day(today - timedelta(days=n), 400, many, {}) for n in range(1, 30)])
    app = create_app(root, Settings(root, rule_history=path))
    client = app.test_client()
    for _ in range(200):
        assert client.post("/v1/check", json=BODY).status_code == 200
    app.extensions[EXTENSION].history.close()
    (day,) = [d for d in read_history([path]) if d.day == today]
    assert day.reviews == 200
    assert set(day.fired.values()) == {200}
    text = client.get("/metrics").get_data(as_text=True)
    assert 'medsafe_rules_drifted{direction="silent"} 30.0' in text
    assert sum('direction="silent"' in x for x in text.splitlines() if x.startswith("medsafe_rule_rate_ratio{")) == 10


def test_without_a_file_nothing_is_counted(tmp_path: Path) -> None:
    root = small_data(tmp_path / "data")
    app = create_app(root, Settings(root))
    assert app.test_client().post("/v1/check", json=BODY).status_code == 200
    assert EXTENSION not in app.extensions
