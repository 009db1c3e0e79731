"""Bands of every drug at their edges, and the promise that worse function is never treated more permissively."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from medsafe.checks.organ_doses import DEFAULT_SEVERITY, band_for
from medsafe.context.engine import Engine
from medsafe.model.drugs import Band, Drug, RenalRule
from medsafe.model.medicine import Medicine
from medsafe.service import load_engine
from tests.conftest import ROOT

ENGINE = load_engine(ROOT)
STRICTNESS = {"none": 0, "monitor": 1, "extend-interval": 2, "reduce": 2, "avoid": 3}
RENAL = sorted(d.id for d in ENGINE.knowledge.drugs.values() if d.renal is not None)
HEPATIC = sorted(d.id for d in ENGINE.knowledge.drugs.values() if d.hepatic)


def medicine(drug: Drug, route: str | None = None) -> Medicine:
    return Medicine(
        "regimen.0",
        drug,
        frozenset({drug.id}),
        (),
        (),
        route or min(drug.systemic_routes, default="oral"),
        frozenset(),
        True,
    )


@pytest.mark.parametrize("drug_id", RENAL)
def test_every_edge_of_a_renal_band_belongs_to_one_band(drug_id: str) -> None:
    rule = ENGINE.knowledge.drugs[drug_id].renal
    assert rule is not None
    for edge in sorted({b.from_ for b in rule.bands if b.from_ > 0}):
        for value in (edge - 0.01, edge, edge + 0.01):
            fitting = [b for b in rule.bands if b.from_ <= value and (b.below is None or value < b.below)]
            assert len({b.scope for b in fitting}) == len(fitting), (drug_id, value)


def _permits(band: Band) -> float:
    """The most a band allows in a day, through whichever of its numbers."""
    by_dose = (
        band.max_single_dose * 24 / band.min_interval_h
        if band.max_single_dose and band.min_interval_h
        else float("inf")
    )
    return min(band.max_daily_dose or float("inf"), by_dose)


def _gives_more(milder: Band, worse: Band) -> bool:
    """Whether the band of the worse function allows more: a calmer action, a higher daily dose or a larger share."""
    if worse.action == "avoid":
        return False
    if STRICTNESS[worse.action] < STRICTNESS[milder.action] or _permits(worse) > _permits(milder) * 1.001:
        return True
    unnumbered = _permits(worse) == float("inf")
    return unnumbered and (worse.dose_factor or 1.0) > (milder.dose_factor or 1.0)


def _every_order(drug: Drug) -> Iterator[Medicine]:
    """The drug by each route that reaches the blood, without a form and in each form that a band tells apart."""
    bands = drug.renal.bands if drug.renal is not None else ()
    forms = sorted({form for band in bands for form in band.scope.forms})
    for route in sorted(drug.systemic_routes) or ["oral"]:
        for form in (None, *forms):
            yield replace(medicine(drug, route), forms=frozenset({form} if form else ()))


def _falling(rule: RenalRule) -> list[float]:
    """Values from 150 down to 0, with each edge of the record and the value just below it."""
    edges = {edge for band in rule.bands for edge in (band.from_, band.from_ - 0.01) if edge >= 0}
    return sorted({*range(0, 155, 5), *edges}, reverse=True)


@pytest.mark.parametrize("drug_id", RENAL)
def test_worse_kidneys_never_give_a_more_permissive_dose_by_any_route_or_form(drug_id: str, engine: Engine) -> None:
    drug = engine.knowledge.drugs[drug_id]
    assert drug.renal is not None
    for asked in _every_order(drug):
        bands = [(value, band) for value in _falling(drug.renal) if (band := band_for(asked, value)) is not None]
        for (_, milder), (value, worse) in pairwise(bands):
            assert not _gives_more(milder, worse), (drug_id, asked.route, asked.forms, value)


@pytest.mark.parametrize("drug_id", RENAL)
def test_a_band_once_reached_never_ends_in_silence_below(drug_id: str, engine: Engine) -> None:
    drug = engine.knowledge.drugs[drug_id]
    assert drug.renal is not None
    for asked in _every_order(drug):
        told = [band_for(asked, value) is not None for value in _falling(drug.renal)]
        assert told == sorted(told), (drug_id, asked.route, asked.forms)


@pytest.mark.parametrize("drug_id", RENAL)
def test_a_dialysis_that_allows_more_than_the_lowest_function_says_why_and_from_where(
    drug_id: str, engine: Engine
) -> None:
    drug = engine.knowledge.drugs[drug_id]
    assert drug.renal is not None
    lowest = [band for asked in _every_order(drug) if (band := band_for(asked, 14.9)) is not None]
    for modality, band in drug.renal.dialysis.items():
        if any(_gives_more(low, band) for low in lowest):
            assert band.action != "none", (drug_id, modality)
            assert band.advice, (drug_id, modality)
            assert band.sources, (drug_id, modality)


@pytest.mark.parametrize("drug_id", HEPATIC)
def test_a_worse_liver_never_gives_a_more_permissive_dose(drug_id: str, engine: Engine) -> None:
    bands = [engine.knowledge.drugs[drug_id].hepatic[g] for g in "ABC" if g in engine.knowledge.drugs[drug_id].hepatic]
    for milder, worse in pairwise(bands):
        assert not _gives_more(milder, worse), drug_id


def test_every_action_has_a_default_severity() -> None:
    assert set(DEFAULT_SEVERITY) == set(STRICTNESS)
