"""Thousands of generated conversion requests: no dose above a limit, refused directions always refused, rescue doses in step."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.service import answer
from medsafe.web.conversion import conversion_answer
from tests.builders import patient

REQUESTS = 3000
ORDERED_EVERY = 3
SOURCES: list[tuple[str, str, str, str, tuple[float, ...], float]] = [
    ("morphine", "oral", "modified-release tablet", "mg", (5, 15, 30, 60, 200, 400), 2),
    ("morphine", "subcutaneous infusion", "", "mg/24h", (10, 60, 300), 0),
    ("oxycodone", "oral", "modified-release tablet", "mg", (5, 20, 80, 160), 2),
    ("hydromorphone", "oral", "modified-release", "mg", (2, 8, 32), 2),
    ("fentanyl", "transdermal", "patch", "mcg/h", (12, 25, 50, 100, 200), -72),
    ("buprenorphine", "transdermal", "patch", "mcg/h", (5, 20, 70), -168),
    ("methadone", "oral", "tablet", "mg", (5, 20), 3),
    ("tramadol", "oral", "immediate-release", "mg", (50, 100), 4),
    ("tapentadol", "oral", "modified-release tablet", "mg", (50, 250), 2),
    ("nalbuphine", "subcutaneous", "", "mg", (10,), 4),
]
TARGETS: list[tuple[str, str, str]] = [
    ("morphine", "oral", "modified-release tablet"),
    ("morphine", "oral", ""),
    ("morphine", "subcutaneous infusion", ""),
    ("oxycodone", "oral", "modified-release tablet"),
    ("oxycodone", "oral", ""),
    ("hydromorphone", "oral", ""),
    ("fentanyl", "transdermal", "patch"),
    ("fentanyl", "subcutaneous infusion", ""),
    ("buprenorphine", "transdermal", "patch"),
    ("methadone", "oral", "tablet"),
    ("tapentadol", "oral", "modified-release tablet"),
    ("tramadol", "oral", ""),
    ("codeine", "oral", ""),
    ("alfentanil", "subcutaneous infusion", ""),
    ("naltrexone", "oral", ""),
    ("pentazocine", "oral", ""),
]
# An opioid, a direction or an amount from which there is no way by a table.
NEVER_LEFT = frozenset({"methadone", "nalbuphine"})
NEVER_REACHED = frozenset({"tramadol", "codeine", "naltrexone", "pentazocine"})


def _order(choice: random.Random) -> dict[str, Any]:
    drug, route, form, unit, doses, times = choice.choice(SOURCES)
    timing = {"times_per_day": times} if times > 0 else {"interval_h": -times} if times < 0 else {}
    return {"drug": drug, "route": route, "form": form, "dose": choice.choice(doses), "unit": unit, **timing}


def _rescue(choice: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"drug": choice.choice(("morphine", "oxycodone")), "dose": 5, "unit": "mg", "route": "oral"}
    found |= {"form": "immediate-release", "prn": True, "max_times_per_day": 6}
    given = choice.choice((None, 0, 2, 6, 12))
    return found if given is None else {**found, "doses_last_24h": given}


def request(seed: int) -> dict[str, Any]:
    """A conversion request drawn by the seed."""
    choice = random.Random(seed)
    who = patient(
        age_years=choice.choice((45, 70, 88)),
        creatinine={"value": choice.choice((60, 120, 250, 600)), "unit": "umol/L", "taken_on": "2026-11-20"},
        dialysis=choice.choice(("none", "none", "none", "haemodialysis")),
        bilirubin={"value": choice.choice((10, 45, 90)), "unit": "umol/L", "taken_on": "2026-11-20"},
        albumin={"value": choice.choice((42, 30, 22)), "unit": "g/L", "taken_on": "2026-11-20"},
        qtc_ms=choice.choice((None, 420, 480, 510)),
        conditions=choice.choice(([], ["cirrhosis"], ["frailty"], ["bowel obstruction"])),
    )
    source = [_order(choice) for _ in range(choice.choice((1, 1, 1, 2)))]
    source += [_rescue(choice) for _ in range(choice.choice((0, 1)))]
    drug, route, form = choice.choice(TARGETS)
    return {
        "as_of": "2026-11-23",
        "from": source,
        "to": {"drug": drug, "route": route, "form": form},
        "patient": who,
        "reason": choice.choice(("pain", "toxicity", "renal", "route", "other")),
        "table": choice.choice((None, "cdc-2016", "cdc-2022", "fentanyl-label", "palliative")),
    }


@dataclass
class Run:
    """What was seen in all requests: what went wrong, by promise, and how many went each way."""

    excesses: list[str]
    not_refused: list[str]
    out_of_step: list[str]
    overshoots: list[str]
    seen: Counter[str]


def _shown(seed: int, body: dict[str, Any], shown: dict[str, Any], text: str) -> str:
    taken = ", ".join(f"{o['drug']} {o['dose']} {o['unit']}" for o in body["from"])
    return f"request {seed}: {taken} to {body['to']['drug']}: {shown['orders']}: {text}"


def _excesses(engine: Engine, body: dict[str, Any], shown: dict[str, Any]) -> list[str]:
    """What a whole check of the patient finds above a limit when the converted orders are all that is taken."""
    after = answer({"as_of": body["as_of"], "patient": body["patient"], "regimen": shown["orders"]}, engine)
    above = [m for f in after["findings"] for m in f["modifiers"] if "is above" in m or "is more often than" in m]
    return [*above, *(f["summary"] for f in after["findings"] if f["hazard"] == "max-dose-exceeded")]


def _rescue_share(shown: dict[str, Any]) -> float:
    """The rescue dose as a share of the regular day, where both are the same drug in the same unit."""
    regular, *rescue = shown["orders"]
    if not rescue or rescue[0]["drug"] != regular["drug"] or rescue[0]["unit"] != regular["unit"].split("/")[0]:
        return 0.0
    daily = regular["dose"] * regular.get("times_per_day", 1.0)
    return float(rescue[0]["dose"] / daily)


def run(engine: Engine, count: int) -> Run:
    done = Run([], [], [], [], Counter())
    for seed in range(count):
        body = request(seed)
        shown = conversion_answer(body, engine)
        taken = {o["drug"] for o in body["from"] if not o.get("prn")}
        barred = bool(taken & NEVER_LEFT) or body["to"]["drug"] in NEVER_REACHED
        done.seen["converted" if shown["orders"] else "refused"] += 1
        if not shown["orders"]:
            continue
        done.seen[f"from {min(taken)}"] += 1
        done.seen[f"to {body['to']['drug']}"] += 1
        if barred:
            done.not_refused.append(_shown(seed, body, shown, "no way by a table"))
        counted = sum(line["ome_mg_per_day"] or 0.0 for line in shown["lines"])
        whole = all(line["ome_mg_per_day"] is not None for line in shown["lines"])
        if whole and shown["base"]["ome_mg_per_day"] > counted + 0.01:
            done.overshoots.append(_shown(seed, body, shown, f"{shown['base']} of {shown['ome_mg_per_day']}"))
        if _rescue_share(shown) > 0.25:
            done.out_of_step.append(_shown(seed, body, shown, "rescue dose too large for the regular one"))
        if seed % ORDERED_EVERY == 0:
            done.excesses += [_shown(seed, body, shown, text) for text in _excesses(engine, body, shown)]
    return done


@pytest.fixture(scope="module")
def generated(engine: Engine) -> Run:
    return run(engine, REQUESTS)


def test_no_converted_dose_is_above_a_limit(generated: Run) -> None:
    assert generated.excesses == []


def test_a_direction_that_is_refused_is_always_refused(generated: Run) -> None:
    assert generated.not_refused == []


def test_a_rescue_dose_is_never_more_than_a_quarter_of_the_regular_day_beside_it(generated: Run) -> None:
    assert generated.out_of_step == []


def test_never_more_is_converted_than_was_counted(generated: Run) -> None:
    assert generated.overshoots == []


def test_the_generated_requests_go_many_ways(generated: Run) -> None:
    """The properties above are not true for want of conversions."""
    for way, least in (
        ("converted", 800),
        ("refused", 500),
        ("from fentanyl", 60),
        ("to methadone", 20),
        ("to fentanyl", 60),
    ):
        assert generated.seen[way] >= least, (way, generated.seen)
