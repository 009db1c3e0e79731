"""Exposure changes: the formula, several perpetrators, genotype, time, and what stays quiet."""

from __future__ import annotations

import pytest

from medsafe.checks.pathways import Action, Exit, predicted_ratio, remaining_effect
from medsafe.context.engine import Engine
from medsafe.model.drugs import Modulator, Substrate
from medsafe.model.knowledge import Pathway
from tests.builders import ask, found, order, patient, severity


def exit_by(share: float, *ratios: float, induction: float = 0.0, genotype: float = 1.0) -> Exit:
    actions = [Action(None, Modulator("p", False, "strong", ratio)) for ratio in ratios]  # type: ignore[arg-type]
    if induction:
        actions.append(Action(None, Modulator("p", True, "strong", induction)))  # type: ignore[arg-type]
    marker = [Action(object(), a.modulator) for a in actions]  # type: ignore[arg-type]
    return Exit(Substrate("p", share), Pathway("p", "P", "enzyme"), share, tuple(marker), genotype)


def test_inhibition_follows_one_over_one_minus_cr_times_ir() -> None:
    assert predicted_ratio([exit_by(0.8, 0.9)], False) == pytest.approx(1 / (1 - 0.8 * 0.9))


def test_induction_follows_one_over_one_plus_cr_times_ic() -> None:
    assert predicted_ratio([exit_by(0.5, induction=7.7)], False) == pytest.approx(1 / (1 + 0.5 * 7.7))


def test_two_blocked_exits_act_as_one_wide_exit() -> None:
    both = predicted_ratio([exit_by(0.45, 0.95), exit_by(0.45, 0.95)], False)
    assert both == pytest.approx(predicted_ratio([exit_by(0.9, 0.95)], False))
    assert both > 3 * predicted_ratio([exit_by(0.45, 0.95)], False) * 0.9


def test_the_ratio_is_clamped_where_the_formula_has_its_pole() -> None:
    assert predicted_ratio([exit_by(1.0, 0.98)], False) == pytest.approx(20)


def test_an_inhibitor_changes_little_in_a_poor_metaboliser() -> None:
    assert predicted_ratio([exit_by(0.8, 0.95, genotype=0.0)], False) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("days", "left"), [(None, 1.0), (0, 1.0), (2, 0.25), (5, 0.0), (50, 0.0)])
def test_a_stopped_perpetrator_fades_over_its_offset(days: float | None, left: float) -> None:
    assert remaining_effect(Modulator("p", False, "strong", 0.9, offset_days=5), days) == pytest.approx(left)


def test_an_inhibitor_of_the_enzyme_raises_the_victim_and_names_the_path(engine: Engine) -> None:
    shown = ask(engine, order("midazolam", 7.5), new=[order("clarithromycin", 500, times_per_day=2)])
    finding = found(shown, "exposure-increase", "midazolam", "clarithromycin")
    assert finding is not None
    assert finding["severity"] in ("high", "critical")
    assert {"from": "clarithromycin", "relation": "inhibits", "to": "CYP3A4", "strength": "strong"} in finding["path"]
    assert finding["magnitude"]["value"] > 3


def test_a_prodrug_loses_its_effect_instead_of_gaining_it(engine: Engine) -> None:
    shown = ask(engine, order("codeine", 30, times_per_day=4), new=[order("paroxetine", 20)])
    assert severity(shown, "prodrug-failure", "codeine", "paroxetine") in ("moderate", "high")


def test_an_inducer_lowers_the_victim(engine: Engine) -> None:
    shown = ask(engine, order("apixaban", 5, times_per_day=2), new=[order("rifampicin", 600)])
    assert severity(shown, "exposure-decrease", "apixaban", "rifampicin") == "high"


def advice_on(engine: Engine, victim: str, other: str, hazard: str) -> str:
    shown = ask(engine, order(victim, 5, times_per_day=2), new=[order(other, 160)])
    finding = found(shown, hazard, victim, other)
    assert finding is not None
    return " ".join(finding["management"])


@pytest.mark.parametrize("victim", ["apixaban", "oxycodone"])
def test_what_is_advised_is_for_what_acts_an_inducer_or_an_inhibitor(engine: Engine, victim: str) -> None:
    record = engine.index.drugs[victim].drug.substrate_of[0]
    induced = advice_on(engine, victim, "enzalutamide", "exposure-decrease")
    inhibited = advice_on(engine, victim, "ketoconazole", "exposure-increase")
    assert record.advice_induced[0] in induced
    assert record.advice_inhibited[0] not in induced
    assert record.advice_inhibited[0] in inhibited
    assert record.advice_induced[0] not in inhibited


def test_where_a_record_speaks_of_inhibitors_only_an_inducer_gets_the_advice_of_its_kind(engine: Engine) -> None:
    assert "Replace the inducer" in advice_on(engine, "simvastatin", "enzalutamide", "exposure-decrease")


def test_the_parts_of_one_product_are_not_told_to_act_on_each_other(engine: Engine) -> None:
    product = {"drug": "nirmatrelvir/ritonavir", "dose": 300, "unit": "mg", "route": "oral", "times_per_day": 2}
    assert found(ask(engine, product), "exposure-increase", "nirmatrelvir", "ritonavir") is None
    apart = ask(engine, order("nirmatrelvir", 300, times_per_day=2), order("ritonavir", 100, times_per_day=2))
    assert found(apart, "exposure-increase", "nirmatrelvir", "ritonavir") is not None


def test_a_drug_on_the_skin_is_no_perpetrator(engine: Engine) -> None:
    shown = ask(engine, order("midazolam", 7.5), new=[order("ketoconazole", 1, "application", route="topical")])
    assert found(shown, "exposure-increase", "midazolam", "ketoconazole") is None


def test_two_drugs_without_a_common_pathway_stay_quiet(engine: Engine) -> None:
    shown = ask(engine, order("paracetamol", 500, times_per_day=3), order("omeprazole", 20))
    assert not [f for f in shown["findings"] if {"paracetamol", "omeprazole"} <= set(f["drugs"])]


def test_stopping_smoking_warns_of_a_rising_victim_of_cyp1a2(engine: Engine) -> None:
    who = patient(smoking={"status": "stopped", "days_ago": 5})
    shown = ask(engine, order("clozapine", 400), who=who)
    told = {severity(shown, hazard, "clozapine") for hazard in ("time-course", "exposure-increase")}
    assert told & {"moderate", "high"}


def test_an_inducer_stopped_last_week_is_still_counted(engine: Engine) -> None:
    gone = {**order("rifampicin", 600), "days_ago": 3, "taken_for_days": 60}
    shown = ask(engine, order("apixaban", 5, times_per_day=2), recently_stopped=[gone])
    assert found(shown, "exposure-decrease", "apixaban", "rifampicin") or found(
        shown, "time-course", "apixaban", "rifampicin"
    )


def test_an_inhibitor_of_one_glucuronidation_enzyme_leaves_substrates_of_another_alone(engine: Engine) -> None:
    """Probenecid slows lorazepam (UGT2B15); of lamotrigine (UGT1A4) nothing of the kind is known."""
    told = ask(engine, order("lorazepam", 1), new=[order("probenecid", 500, times_per_day=2)])
    quiet = ask(engine, order("lamotrigine", 100), new=[order("probenecid", 500, times_per_day=2)])
    assert severity(told, "exposure-increase", "lorazepam", "probenecid") == "moderate"
    assert severity(quiet, "exposure-increase", "lamotrigine", "probenecid") == "none"


@pytest.mark.parametrize("victim", ["lamotrigine", "lorazepam"])
def test_valproate_is_told_where_the_label_asks_for_a_lower_dose(engine: Engine, victim: str) -> None:
    shown = ask(engine, order(victim, 1), new=[order("valproate", 500, times_per_day=2)])
    assert severity(shown, "exposure-increase", victim, "valproate") in {"moderate", "high"}


def test_an_antiviral_ordered_without_its_booster_still_blocks_cyp3a4(engine: Engine) -> None:
    shown = ask(engine, order("simvastatin", 20), new=[order("nirmatrelvir", 300, times_per_day=2)])
    assert severity(shown, "exposure-increase", "simvastatin", "nirmatrelvir") == "critical"


def test_an_inducer_masked_by_an_inhibitor_is_still_told_and_never_said_to_raise(engine: Engine) -> None:
    standing = [order("carbamazepine", 400, times_per_day=2), order("apixaban", 5, times_per_day=2)]
    alone = severity(ask(engine, *standing), "exposure-decrease", "apixaban", "carbamazepine")
    shown = ask(engine, *standing, new=[order("clarithromycin", 500, times_per_day=2)])
    assert alone == severity(shown, "exposure-decrease", "apixaban", "carbamazepine") == "high"
    masked = found(shown, "exposure-decrease", "apixaban", "carbamazepine")
    risen = found(shown, "exposure-increase", "apixaban", "clarithromycin")
    assert masked is not None
    assert risen is not None
    assert any(text.startswith("clarithromycin raises it at present") for text in masked["modifiers"])
    assert "although carbamazepine lowers it" in risen["summary"]
