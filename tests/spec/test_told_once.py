"""What is told of one medicine's hazard is told once, and what a class doubles is what it is given for."""

from __future__ import annotations

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, order, patient, severity


def test_two_cautions_of_one_medicine_about_one_hazard_are_one_finding(engine: Engine) -> None:
    who = patient(conditions=["neutropenia"], platelets={"value": 15, "unit": "10^9/L", "taken_on": "2026-11-20"})
    shown = ask(engine, new=[order("linezolid", 600, times_per_day=2)], who=who)
    told = [f for f in shown["findings"] if f["hazard"] == "myelosuppression" and "linezolid" in f["drugs"]]
    assert [f["severity"] for f in told] == ["high"]
    assert "white cells" in str(told[0])
    assert "Platelets are already low" in str(told[0])


@pytest.mark.parametrize(("second", "told"), [("fludrocortisone", "none"), ("prednisolone", "moderate")])
def test_a_mineralocorticoid_beside_hydrocortisone_is_no_duplicate(engine: Engine, second: str, told: str) -> None:
    unit = "mcg" if second == "fludrocortisone" else "mg"
    shown = ask(engine, order("hydrocortisone", 20), order(second, 10, unit))
    assert severity(shown, "duplicate-therapy", "hydrocortisone", second) == told


@pytest.mark.parametrize(("dose", "told"), [(11.25, "none"), (12, "none"), (12.1, "moderate"), (13, "moderate")])
def test_a_banded_dose_of_an_anticancer_medicine_is_no_excess(engine: Engine, dose: float, told: str) -> None:
    """0.15 mg/kg in 75 kg is 11.25 mg; bands reach 6% above: 0.16 mg/kg is 12 mg."""
    shown = ask(engine, order("arsenic trioxide", dose, route="intravenous infusion"))
    assert severity(shown, "max-dose-exceeded", "arsenic-trioxide") == told


def test_one_live_vaccine_is_one_finding_with_all_who_suppress(engine: Engine) -> None:
    standing = [order("rituximab", 700, route="intravenous infusion", interval_h=504), order("azathioprine", 100)]
    shown = ask(engine, *standing, new=[order("zoster vaccine live", route="subcutaneous")])
    told = [f for f in shown["findings"] if "zoster-vaccine-live" in f["drugs"]]
    assert [f["severity"] for f in told] == ["critical"]
    assert set(told[0]["drugs"]) == {"zoster-vaccine-live", "rituximab", "azathioprine"}


@pytest.mark.parametrize(("steroid", "told"), [((), "moderate"), (("fluticasone",), "none")])
def test_a_long_acting_beta_2_agonist_in_asthma_asks_for_an_inhaled_corticosteroid(
    engine: Engine, steroid: tuple[str, ...], told: str
) -> None:
    orders = [order("salmeterol", 50, "mcg", 2, "inhaled"), *(order(s, 250, "mcg", 2, "inhaled") for s in steroid)]
    shown = ask(engine, *orders, who=patient(conditions=["asthma"]))
    assert severity(shown, "missing-co-prescription", "salmeterol") == told


@pytest.mark.parametrize(("taken", "told"), [((), "moderate"), (("zoledronic acid",), "none")])
def test_bone_loss_is_not_told_again_where_the_bone_is_treated(
    engine: Engine, taken: tuple[str, ...], told: str
) -> None:
    orders = [order(drug, 4, route="intravenous", interval_h=4368) for drug in taken]
    shown = ask(engine, order("letrozole", 2.5), *orders, who=patient(conditions=["osteoporosis"]))
    assert severity(shown, "drug-disease", "letrozole") == told


def cytotoxic(drug: str) -> dict[str, object]:
    return order(drug, 50, route="intravenous", interval_h=336)


@pytest.mark.parametrize(
    ("others", "told"), [((), "moderate"), (("dacarbazine",), "moderate"), (("dacarbazine", "linezolid"), "high")]
)
def test_what_one_protocol_gives_together_does_not_interrupt_and_what_comes_beside_it_does(
    engine: Engine, others: tuple[str, ...], told: str
) -> None:
    names = ["doxorubicin", "vinblastine", "brentuximab vedotin", *others]
    shown = ask(engine, new=[cytotoxic(name) for name in names])
    assert severity(shown, "myelosuppression", "doxorubicin", "vinblastine") == told


@pytest.mark.parametrize(("stopped", "raised"), [((), True), (("enzalutamide",), False)])
def test_an_opioid_that_rises_by_itself_is_not_raised(engine: Engine, stopped: tuple[str, ...], raised: bool) -> None:
    gone = [order(drug, 160, days_ago=14, taken_for_days=300) for drug in stopped]
    form = "modified-release tablet"
    shown = ask(
        engine,
        order("oxycodone", 20, times_per_day=2, form=form),
        order("senna", 15),
        symptoms=[{"name": "bone pain", "score": 6}],
        recently_stopped=gone,
    )
    offered = {(s["action"], s["drug"]) for s in shown["suggestions"]}
    assert (("increase", "oxycodone") in offered) is raised
    why = [x["because"] for x in shown["excluded"] if (x["action"], x["drug"]) == ("increase", "oxycodone")]
    assert any("rises by itself" in " ".join(because) for because in why) is not raised


def test_naproxen_is_not_offered_for_the_flushes_of_a_hormone_treatment(engine: Engine) -> None:
    shown = ask(engine, order("tamoxifen", 20), symptoms=[{"name": "hot flushes", "score": 6}])
    assert "naproxen" not in {s["drug"] for s in shown["suggestions"]}


@pytest.mark.parametrize(("drug", "told"), [("pantoprazole", "moderate"), ("paracetamol", "high")])
def test_too_much_for_an_organ_of_a_medicine_with_a_wide_margin_is_no_alarm(
    engine: Engine, drug: str, told: str
) -> None:
    lab = {"unit": "umol/L", "taken_on": "2026-11-20"}
    who = patient(
        conditions=["cirrhosis"],
        bilirubin={"value": 60, **lab},
        albumin={"value": 24, "unit": "g/L"},
        inr=2.5,
        ascites="severe",
    )
    shown = ask(engine, order(drug, 40 if drug == "pantoprazole" else 4000), who=who)
    assert severity(shown, "hepatic-caution", drug) == told
