"""Whether the policy and the steps are whole: every number there, every condition known, every word to be filled in known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from string import Formatter

from medsafe.library.problems import Problem
from medsafe.model.knowledge import Knowledge

POLICY_KEYS = {
    "exposure_increase": ("narrow", "usual", "wide"),
    "exposure_decrease": ("narrow", "usual", "wide"),
    "dose_excess": ("steps", "slip_from"),
    "interruption": (
        "from",
        "at_comfort_from",
        "acute",
        "tolerated_days",
        "tolerated_kinds",
        "tolerated_when_stable",
        "tolerated_diseases",
        "not_tolerated",
    ),
    "tailoring": ("switched_off",),
    "smoking": ("substance",),
    "hepatic": ("inr_unreliable_with",),
    "suggestions": (
        "no_oral_with",
        "infusion_step",
        "most_raise",
        "least_raise",
        "doses_from_age_years",
        "intent",
        "priority",
    ),
    "order_entry": (
        "most_cards",
        "most_quiet_cards",
        "standing_interrupts",
        "only_for_own_kind",
        "override_reasons",
        "tests",
    ),
    "ordinary_adult": ("sex", "vitals", "labs"),
    "opioid": (
        "default_table",
        "tolerant_ome_mg",
        "breakthrough_share",
        "breakthrough_too_small",
        "breakthrough_too_large",
        "monitoring_ome_mg",
        "escalation_mild",
        "escalation_severe",
        "escalation_cap_ome_mg",
        "frail_escalation",
        "rotation_reduction",
        "rotation_reduction_frail",
        "rotation_reduction_toxicity",
        "rescue_doses_for_review",
        "respiratory_rate_low",
        "respiratory_rate_slow",
        "naive_below_ome_mg",
        "tolerant_days",
        "away_from_patch_reduction",
        "rescue_drugs",
        "rescue_not_carried_over",
        "very_high",
        "implausible_times",
        "implausible_from_ome_mg",
        "implausible_ome_mg",
        "largest_step",
        "pain_from",
        "patch_not_raised_from_c",
        "drowsy_from",
        "high_dose_ome_mg",
        "kidneys_reduced_below_ml_min",
        "kidneys_failing_below_ml_min",
        "neurotoxic_signs",
        "signs_of_nerve_pain",
        "nerve_pains",
        "conversion_too_large",
        "conversion_too_small",
        "rotation",
        "severe_pain_from",
        "pain_unscored",
        "slow_from_half_life_h",
        "raise_benefit",
        "severe_pain_adds",
        "rotation_benefit",
        "other_route_adds",
        "poorly_absorbed_takes",
        "add_rescue",
        "rotation_words",
        "not_raised",
        "lowered_by",
        "lowered_by_in_slow_breathing",
        "step_waits",
        "changeover_reduced_from",
    ),
    "patient": (
        "childbearing_years",
        "full_albumin_g_l",
        "advanced",
        "advanced_max_age_days",
        "changing",
        "renal_suspects",
        "dialysis_shown",
        "renal_suspects_below",
        "low_muscle",
        "swollen",
        "extreme_bmi",
        "cystatin_c_agrees",
        "qtc_agrees_ms",
        "liver_disease",
        "liver_suspects",
        "bilirubin_upper_umol_l",
        "ast_upper_u_l",
        "liver_ill_from",
        "liver_ill_with",
    ),
    "time_course": ("watched_for_offsets",),
    "exposure_by_organ": ("told_from_auc_ratio",),
    "organ_conditions": ("renal-caution", "hepatic-caution"),
    "dialysis_unstated": ("haemodialysis", "peritoneal", "crrt"),
    "dialysis_words": (
        "after-session",
        "supplement",
        "any",
        "removed-yes",
        "removed-no",
        "removed-partly",
        "removed-unknown",
    ),
    "rising_creatinine": ("named", "stage 1", "stage 2", "stage 3"),
}


def policy_is_whole(k: Knowledge) -> Iterator[Problem]:
    for table, keys in POLICY_KEYS.items():
        found = k.policy.get(table)
        missing = [key for key in keys if not isinstance(found, dict) or key not in found]
        for key in missing:
            tip = "every number of the policy must be there: nothing is assumed"
            yield Problem("interaction_data/policy.toml", table, f"{key!r} is missing", "all keys of the table", tip)
    for place, ids in _conditions_named(k):
        for unknown in sorted(ids - set(k.conditions)):
            tip = "a misspelt condition would never be found in a patient"
            yield Problem("interaction_data/policy.toml", place, f"unknown condition {unknown!r}", "a known one", tip)


# The lists of the patient's table that name conditions.
OF_CONDITIONS = (
    "advanced",
    "changing",
    "renal_suspects",
    "dialysis_shown",
    "low_muscle",
    "swollen",
    "liver_disease",
    "liver_suspects",
)


def _conditions_named(k: Knowledge) -> Iterator[tuple[str, set[str]]]:
    """Places of the policy that name conditions, with the names."""
    for table, keys in (("organ_conditions", None), ("patient", OF_CONDITIONS)):
        found = k.policy.get(table)
        for key, ids in (found if isinstance(found, dict) else {}).items():
            if keys is None or key in keys:
                yield f"{table}.{key}", set(ids)


ORDER_ENTRY_ROWS = {"override_reasons": ("code", "display"), "tests": ("field", "name", "loinc", "display")}


def order_entry_is_whole(k: Knowledge) -> Iterator[Problem]:
    entry = k.policy.get("order_entry")
    for table, keys in ORDER_ENTRY_ROWS.items():
        rows = entry.get(table, ()) if isinstance(entry, dict) else ()
        place = f"order_entry.{table}"
        for row in rows:
            if sorted(row) != sorted(keys) or not all(isinstance(v, str) and v for v in row.values()):
                wanted, tip = f"a text for each of {', '.join(keys)}", "fill every key of the row, or take the row out"
                yield Problem("interaction_data/policy.toml", place, f"{row!r}", wanted, tip)
        names = [str(row.get(keys[0])) for row in rows]
        for name in sorted({name for name in names if names.count(name) > 1}):
            tip = "codes come back in feedback: give the new row a code of its own"
            yield Problem("interaction_data/policy.toml", place, f"{name!r} stands twice", "each once", tip)


# The steps that are worked out, and the words that may be filled in.
STEPS: dict[str, frozenset[str]] = {
    "raise": frozenset({"drug", "dose", "unit", "share", "step", "pain", "ome", "rescues", "wait"}),
    "lower-toxic": frozenset({"drug", "dose", "unit"}),
    "lower-drowsy": frozenset({"drug", "dose", "unit"}),
    "judge-breathing": frozenset(),
    "hold-opioids": frozenset(),
    "go-on": frozenset(),
    "refer-rotation": frozenset({"drug", "why"}),
    "rotate": frozenset({"drug", "route", "dose", "why", "note"}),
    "other-route": frozenset({"drug", "route", "dose", "why", "note"}),
    "review-inertia": frozenset({"pain", "rescues"}),
    "stop-no-effect": frozenset({"drug"}),
    "stop-not-tolerated": frozenset({"drug"}),
    "stop-misfit": frozenset({"drug", "why"}),
    "refuse-misfit": frozenset({"drug", "why"}),
    "lower-misfit": frozenset({"drug", "why"}),
    "add-rescue": frozenset({"drug"}),
    "lower-excess": frozenset({"drug", "dose", "symptom", "why"}),
    "review-causes": frozenset({"drugs", "symptom"}),
    "convert": frozenset({"drug"}),
}


# The kinds of rule that take their words from the data, and the words that may be filled in.
ADVICE: dict[str, frozenset[str]] = {
    "allergy": frozenset(),
    "allergy-doubtful": frozenset(),
    "allergy-related": frozenset(),
    "allergy-related-doubtful": frozenset(),
    "duplicate-ingredient": frozenset(),
    "two-long-acting-opioids": frozenset({"drugs"}),
    "weak-with-strong-opioids": frozenset({"drugs"}),
    "duplicate-class": frozenset(),
    "prodrug-failure": frozenset({"drug"}),
    "absorption-loss": frozenset({"drug"}),
    "acid-loss": frozenset({"drug"}),
    "exposure-increase": frozenset({"drug"}),
    "exposure-decrease": frozenset({"drug"}),
    "release-form-down-a-tube": frozenset(),
    "exposure-will-rise": frozenset({"drug", "role", "over"}),
    "exposure-will-fall": frozenset({"drug", "role", "over"}),
    "dose-above-limit": frozenset({"allowed"}),
    "given-too-often": frozenset({"allowed"}),
    "slip-of-unit": frozenset(),
    "accumulation-of-metabolites": frozenset({"metabolites"}),
    "renal-caution": frozenset({"drug"}),
    "hepatic-caution": frozenset({"drug"}),
}

# Kinds of rule whose record always says what to do.
MANAGED_BY_RECORD = frozenset({"accumulation-of-metabolites", "renal-caution", "hepatic-caution"})


def _words_in(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


def _whole(file: str, wanted: Mapping[str, frozenset[str]], found: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    """Whether every table that the rules ask for is there, no other, and each with words that are filled in only."""
    for missing in sorted(wanted.keys() - found.keys()):
        yield Problem(file, missing, "the table is missing", "every table that a rule asks for", "write it again")
    for unknown in sorted(found.keys() - wanted.keys()):
        yield Problem(file, unknown, "no rule asks for it", f"one of {', '.join(sorted(wanted))}", "take the table out")
    for key in sorted(wanted.keys() & found.keys()):
        for word in sorted(_words_in(found[key]) - wanted[key]):
            known = ", ".join(f"{{{name}}}" for name in sorted(wanted[key])) or "no word in braces"
            yield Problem(file, key, f"{{{word}}} can't be filled in", known, "use a word that is filled in here")


def steps_are_whole(k: Knowledge) -> Iterator[Problem]:
    found = {key: (step.label, step.rationale, step.titration) for key, step in k.steps.items()}
    yield from _whole("interaction_data/steps.toml", STEPS, found)


def advice_is_whole(k: Knowledge) -> Iterator[Problem]:
    found = {key: (a.summary, a.consequence, a.mechanism, *a.management) for key, a in k.advice.items()}
    yield from _whole("interaction_data/advice.toml", ADVICE, found)
    for key in sorted(k.advice.keys() - MANAGED_BY_RECORD):
        if not k.advice[key].management:
            place = "interaction_data/advice.toml"
            yield Problem(place, f"{key}.management", "nothing says what to do", "one line or more", "add the key")
