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


def beside(engine: Engine, victim: str, dose: float, other: str, **more: str) -> tuple[str, bool, str]:
    """Severity, interruption and modifiers of a raised exposure, with the other drug newly ordered."""
    shown = ask(engine, order(victim, dose, **more), new=[order(other, 200, times_per_day=2)])
    finding = found(shown, "exposure-increase", victim, other)
    assert finding is not None
    return finding["severity"], finding["interruptive"], " ".join(finding["modifiers"])


@pytest.mark.parametrize(
    ("dose", "severity_told", "interrupts"),
    [(140, "low", False), (140.1, "low", False), (141, "high", True), (280, "high", True), (420, "high", True)],
)
def test_a_dose_that_the_label_gives_beside_an_inhibitor_is_told_as_made(
    engine: Engine, dose: float, severity_told: str, interrupts: bool
) -> None:
    told, interruptive, why = beside(engine, "ibrutinib", dose, "voriconazole")
    assert (told, interruptive) == (severity_told, interrupts)
    assert "at most 140 mg a day beside voriconazole" in why


def test_a_dose_that_is_not_known_is_not_said_to_fit_beside_an_inhibitor(engine: Engine) -> None:
    shown = ask(engine, order("ibrutinib"), new=[order("voriconazole", 200, times_per_day=2)])
    assert severity(shown, "exposure-increase", "ibrutinib", "voriconazole") == "high"


def test_a_combination_that_the_label_would_rather_avoid_stays_more_than_information(engine: Engine) -> None:
    assert beside(engine, "olaparib", 200, "itraconazole")[:2] == ("moderate", False)


def test_a_second_inhibitor_that_the_label_is_silent_about_leaves_the_finding_loud(engine: Engine) -> None:
    orders = [order("ibrutinib", 140), order("voriconazole", 200, times_per_day=2)]
    shown = ask(engine, *orders, new=[order("clarithromycin", 500, times_per_day=2)])
    assert severity(shown, "exposure-increase", "ibrutinib", "voriconazole", "clarithromycin") == "high"


@pytest.mark.parametrize(("phase", "told"), [("steady", "low"), ("ramp-up", "critical"), ("", "critical")])
def test_a_dose_for_the_steady_phase_is_not_said_to_fit_while_it_is_built_up(
    engine: Engine, phase: str, told: str
) -> None:
    assert beside(engine, "venetoclax", 70, "posaconazole", phase=phase)[0] == told


def test_what_works_against_a_change_is_not_advised_on_as_its_cause(engine: Engine) -> None:
    shown = ask(engine, order("isoniazid", 300), order("rifampicin", 600), new=[order("lorlatinib", 100)])
    finding = found(shown, "exposure-decrease", "lorlatinib", "rifampicin")
    assert finding is not None
    assert finding["summary"].startswith("rifampicin lowers lorlatinib")
    assert "inhibitor" not in finding["management"][0]


def test_what_a_stopped_inhibitor_leaves_weighs_less_on_a_standing_order_than_on_a_new_one(engine: Engine) -> None:
    gone = {"recently_stopped": [order("fluoxetine", 20, days_ago=18, taken_for_days=400)]}
    standing = ask(engine, order("tamoxifen", 20), **gone)
    new = ask(engine, new=[order("tamoxifen", 20)], **gone)
    assert severity(standing, "prodrug-failure", "tamoxifen", "fluoxetine") == "moderate"
    assert severity(new, "prodrug-failure", "tamoxifen", "fluoxetine") == "high"


def test_moving_the_times_is_not_advised_against_a_proton_pump_inhibitor(engine: Engine) -> None:
    shown = ask(engine, order("omeprazole", 20), new=[order("velpatasvir", 100)])
    finding = found(shown, "exposure-decrease", "velpatasvir", "omeprazole")
    assert finding is not None
    assert "4 to 6 hours after" not in " ".join(finding["management"])
