"""Doses against kidney and liver: the band of the named estimate, each dialysis modality, each Child-Pugh class.

The order's own dose is held against what fits the band: a dose that already fits steps down to information. Where the
estimate is not known, the answer says so and names what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from medsafe.context.advice import advice_for
from medsafe.context.context import Context, orders_of
from medsafe.model.drugs import Band
from medsafe.model.findings import Finding, Magnitude, Notice, PathStep
from medsafe.model.knowledge import ExposureRow
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Citation, Severity
from medsafe.model.vocabulary import CHILD_PUGH

DEFAULT_SEVERITY = {
    "none": Severity.NONE,
    "monitor": Severity.LOW,
    "reduce": Severity.MODERATE,
    "extend-interval": Severity.MODERATE,
    "avoid": Severity.HIGH,
}
MODALITIES = {
    "haemodialysis": "haemodialysis",
    "peritoneal": "peritoneal dialysis",
    "crrt": "continuous renal replacement",
}
ESTIMATE_NAMES = {"crcl": "CrCl", "egfr": "eGFR"}
ESTIMATES = {"crcl": "creatinine clearance (Cockcroft-Gault)", "egfr": "eGFR (CKD-EPI)"}


@dataclass(frozen=True, slots=True)
class Basis:
    """What a band is taken for: the hazard, the state of the organ, and why.

    `first` is told before the band's own advice; `notes` stand among the modifiers; the finding is at least `at_least`
    severe. Where the band is not `certain`, a dose within it is not said to fit.
    """

    hazard: str
    state: str
    why: str
    first: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    at_least: Severity = Severity.NONE
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether an order fits a band, and what would."""

    fits: bool | None
    reason: str = ""
    dose_that_fits: str = ""


def fit_of(medicine: Medicine, band: Band) -> Fit:
    """Hold an order against a band; None when the band gives no number or the dose isn't known."""
    unit = medicine.drug.dose_unit
    limits = [
        (medicine.daily_dose, band.max_daily_dose, f"{unit} a day"),
        (medicine.single_dose, band.max_single_dose, f"{unit} a dose"),
    ]
    over = [
        f"{dose:g} {what} is above the {limit:g} that fits"
        for dose, limit, what in limits
        if dose is not None and limit is not None and dose > limit * 1.001
    ]
    if (
        band.min_interval_h
        and medicine.interval_h
        and medicine.interval_h < band.min_interval_h * 0.999
        and not medicine.is_rate
    ):
        over.append(f"every {medicine.interval_h:g} h is more often than every {band.min_interval_h:g} h")
    if over:
        return Fit(False, "; ".join(over), _offer(band, unit))
    # An interval alone says nothing of a dose that should be cut to a share of the usual one.
    by_interval = bool(band.min_interval_h and medicine.interval_h) and (band.dose_factor or 1.0) >= 1.0
    known = any(dose is not None and limit is not None for dose, limit, _ in limits) or by_interval
    return Fit(True if known else None, "", _offer(band, unit))


def _offer(band: Band, unit: str) -> str:
    parts = []
    if band.max_single_dose:
        parts.append(f"at most {band.max_single_dose:g} {unit} a dose")
    if band.max_daily_dose:
        parts.append(f"at most {band.max_daily_dose:g} {unit} a day")
    if band.min_interval_h:
        parts.append(f"no more often than every {band.min_interval_h:g} hours")
    if band.dose_factor and band.dose_factor < 1:
        parts.append(f"about {band.dose_factor:.0%} of the usual dose")
    return ", ".join(parts)


def band_for(medicine: Medicine, value: float) -> Band | None:
    """The band of the drug's renal rule that holds at this value of its estimate; a scoped band goes first."""
    rule = medicine.drug.renal
    if rule is None:
        return None
    fitting = [b for b in rule.bands if b.holds(value) and medicine.within(b.scope)]
    return max(fitting, key=lambda b: bool(b.scope.routes or b.scope.forms), default=None)


def severity_of(band: Band, fit: Fit, margin: str) -> Severity:
    """Avoid stays; reduce is low when the dose already fits and high when it exceeds what fits.

    More than fits of a medicine with a wide toxicity margin is to be adjusted, no more.
    """
    base = band.severity if band.severity is not None else DEFAULT_SEVERITY[band.action]
    if band.action == "avoid":
        return base
    if fit.fits is False:
        return max(base, Severity.MODERATE if margin == "wide" else Severity.HIGH)
    return min(base, Severity.LOW) if fit.fits else base


ACTION_WORDS = {
    "avoid": "avoid",
    "reduce": "reduce the dose",
    "extend-interval": "lengthen the interval",
    "monitor": "monitor",
    "none": "",
}


def _summary(medicine: Medicine, band: Band, basis: Basis, fits: bool) -> str:
    said = f"{medicine.drug.name}: {'dose fits, keep it there' if fits else ACTION_WORDS[band.action]} ({basis.state})"
    return said[:139]


def _modifiers(context: Context, fit: Fit, basis: Basis, fits: bool) -> tuple[str, ...]:
    stepped = "The ordered dose already fits this band: stepped down." if fits else ""
    return tuple(text for text in (fit.reason, stepped, *basis.notes, *_caveats(context, basis.hazard)) if text)


def _studied(context: Context, medicine: Medicine, hazard: str) -> ExposureRow | None:
    """The highest exposure that was found in a study at this function of the organ, or at a milder loss of it."""
    rows = context.index.knowledge.organ_exposure.get(medicine.id, ())
    if hazard == "hepatic-caution":
        grade = context.organ.hepatic_worst
        reached = [r for r in rows if r.child_pugh and grade is not None and r.child_pugh <= grade]
    else:
        value = context.organ.renal(medicine.drug.renal.estimate) if medicine.drug.renal else None
        if context.facts.values.get("dialysis", "none") != "none":
            value = 0.0
        reached = [r for r in rows if r.below is not None and value is not None and value < r.below]
    return max(reached, key=lambda r: r.auc_ratio, default=None)


def _silent_on_amount(band: Band) -> bool:
    """Whether a band asks for care and gives no number to dose by."""
    return band.action != "none" and not (band.dose_factor or band.max_daily_dose or band.max_single_dose)


def _finding(context: Context, medicine: Medicine, band: Band, basis: Basis) -> Finding | None:
    found = _said(context, medicine, band, basis)
    studied = _studied(context, medicine, basis.hazard) if found is not None and _silent_on_amount(band) else None
    if found is None or studied is None or studied.auc_ratio < context.policy.told_from_auc_ratio:
        return found
    return replace(
        found,
        magnitude=found.magnitude or Magnitude("auc-ratio", studied.auc_ratio, "derived"),
        modifiers=(
            *found.modifiers,
            f"In a study exposure was about {studied.auc_ratio:.2g} times that with normal function; derived, no label gives a dose from it.",
        ),
        sources=(*found.sources, *context.index.cite((Citation(studied.source, studied.reference),))),
    )


def _said(context: Context, medicine: Medicine, band: Band, basis: Basis) -> Finding | None:
    """What the band says of this order."""
    fit = fit_of(medicine, band)
    severity = severity_of(band, fit, medicine.drug.toxicity_margin)
    if not severity:
        return None
    fits = bool(fit.fits and basis.certain)
    offered = [f"What fits: {fit.dose_that_fits}."] if fit.dose_that_fits else []
    return Finding(
        kind="organ-dose",
        hazard=basis.hazard,
        severity=max(severity, basis.at_least),
        drugs=(medicine.id,),
        orders=(medicine.order,),
        summary=_summary(medicine, band, basis, fits),
        key=("organ", basis.hazard, medicine.id),
        consequence=_consequence(context, medicine, basis.hazard),
        mechanism=basis.why,
        path=(PathStep(medicine.id, "dosed-by", basis.state),),
        magnitude=Magnitude("dose-factor", band.dose_factor, "record") if band.dose_factor else None,
        management=(*basis.first, band.advice, *offered),
        monitoring=tuple(m.what for m in medicine.drug.monitoring[:2]),
        modifiers=_modifiers(context, fit, basis, fits),
        sources=context.index.cite(band.sources, medicine.drug),
        rule=f"organ:{medicine.id}:{basis.hazard}:{band.action}",
        exceeds=fit.fits is False and band.action != "avoid",
        dose_can_fit=band.action in ("reduce", "extend-interval", "monitor") and fit.fits is not False,
        easiest_to_change=medicine.drug.name,
    )


def _caveats(context: Context, hazard: str) -> tuple[str, ...]:
    """Why the estimate that the finding rests on may be wrong in this patient."""
    if hazard == "renal-caution":
        return context.organ.renal_caveats
    return tuple(context.organ.shown.get("hepatic", {}).get("caveats", ()))


def _consequence(context: Context, medicine: Medicine, hazard: str) -> str:
    metabolites = "; ".join(medicine.drug.active_metabolites)
    if metabolites:
        return advice_for(context, "accumulation-of-metabolites", metabolites=metabolites).consequence
    return advice_for(context, hazard, drug=medicine.drug.name).consequence


def _matters(bands: tuple[Band, ...]) -> bool:
    return any(band.action != "none" for band in bands)


def _renal(context: Context, medicine: Medicine) -> Iterator[Finding | Notice]:
    rule = medicine.drug.renal
    if rule is None:
        if medicine.drug.coverage.get("renal") != "not-applicable":
            yield _gap(medicine, "renal", "kidney")
        return
    dialysis = context.facts.values.get("dialysis", "none")
    if dialysis != "none":
        yield from _dialysis(context, medicine, str(dialysis))
        return
    value = context.organ.renal(rule.estimate)
    if value is None:
        if _matters(rule.bands):
            yield from _missing_renal(context, medicine)
        return
    band = band_for(medicine, value)
    if band is not None:
        yield from _by_estimate(context, medicine, band, value)


def _by_estimate(context: Context, medicine: Medicine, band: Band, value: float) -> Iterator[Finding]:
    """The finding of the band that holds, or of the stricter one that holds while creatinine is rising."""
    rule = medicine.drug.renal
    assert rule is not None
    shown = f"{ESTIMATE_NAMES[rule.estimate]} {_shown(value, band)} mL/min"
    why = f"Dosed by {ESTIMATES[rule.estimate]}, here {value:.0f}."
    own = _finding(context, medicine, band, Basis("renal-caution", shown, why))
    stricter = rising_band(context, medicine, band, value)
    if stricter is not None:
        basis = Basis(
            "renal-caution",
            f"{shown} and creatinine rising: as below {stricter.below:g}",
            f"{why} Creatinine is rising, so the present function is lower than any estimate.",
            certain=False,
        )
        found = _finding(context, medicine, stricter, basis)
        if found is not None:
            least, most = own.severity if own else Severity.NONE, context.policy.rising[_aki(context)].at_most
            yield replace(found, severity=max(least, min(found.severity, most)))
            return
    if own is not None:
        yield own


def _aki(context: Context) -> str:
    """The stage of acute kidney injury by KDIGO, `named` where only the condition says so, "" where there is none.

    A falling creatinine is recovery: the estimate is low rather than high, and its band stands.
    """
    values = context.facts.values
    stage = str(values.get("aki", "none"))
    if stage in context.policy.rising:
        return stage
    moves = values.get("creatinine_trend", "rising") == "rising" and stage == "none"
    named = "acute-kidney-injury" in context.facts.conditions and "aki" not in values
    return "named" if moves and named else ""


def rising_band(context: Context, medicine: Medicine, band: Band, value: float) -> Band | None:
    """The stricter band that holds while creatinine rises; None where it does not rise or nothing stricter is on record.

    The next band below, or further down where the policy takes the clearance of that stage to be lower still.
    """
    stage = _aki(context)
    if not stage or band.from_ <= 0:
        return None
    assumed = context.policy.rising[stage].clearance_ml_min
    lower = band_for(medicine, min(band.from_ - 0.001, value if assumed is None else assumed))
    changes = lower is not None and (
        lower.action,
        lower.max_daily_dose,
        lower.max_single_dose,
        lower.min_interval_h,
        lower.dose_factor,
    ) != (band.action, band.max_daily_dose, band.max_single_dose, band.min_interval_h, band.dose_factor)
    return lower if changes else None


def _shown(value: float, band: Band) -> str:
    """An estimate rounded, but never onto the bound that it lies below."""
    return f"{value:.0f}" if band.below is None or round(value) < band.below else f"{int(value * 10) / 10:g}"


def _missing_renal(context: Context, medicine: Medicine) -> Iterator[Notice]:
    for missing in context.organ.missing_for_renal or ("patient.creatinine",):
        message = (
            f"Kidney function could not be estimated, so the dose of {medicine.drug.name} was not checked against it."
        )
        code = "missing-lab" if missing.endswith("creatinine") else "missing-data"
        yield Notice(code, missing, message, None, ("renal-caution",), orders=(medicine.order,))


def dialysis_band(medicine: Medicine, modality: str) -> tuple[Band | None, bool]:
    """The band for a dialysis modality, and whether the record states it; else the band of the lowest function."""
    rule = medicine.drug.renal
    stated = rule.dialysis.get(modality) if rule is not None else None
    return (stated, True) if stated is not None else (band_for(medicine, 0.0), False)


def _dialysis(context: Context, medicine: Medicine, modality: str) -> Iterator[Finding]:
    band, stated = dialysis_band(medicine, modality)
    if band is None:
        return
    basis = _stated(context, modality, band) if stated else _unstated(context, modality)
    finding = _finding(context, medicine, band, basis)
    if finding is not None:
        yield finding


def dialysis_words(context: Context, modality: str, band: Band) -> tuple[str, ...]:
    """When to give the dose around the dialysis, and whether the dialysis removes the drug, in the words of the policy."""
    said = (context.policy.dialysis_words.get(key, "") for key in (band.timing, f"removed-{band.removed}"))
    return tuple(text.format(modality=MODALITIES[modality].capitalize()) for text in said if text)


def _stated(context: Context, modality: str, band: Band) -> Basis:
    name = MODALITIES[modality]
    return Basis("renal-caution", name, f"Dosed for {name}.", first=dialysis_words(context, modality, band))


def _unstated(context: Context, modality: str) -> Basis:
    """The lowest band stands in for a modality that the record is silent about: safe for toxicity, not for effect."""
    name, rule = MODALITIES[modality], context.policy.dialysis_unstated[modality]
    return Basis(
        "renal-caution",
        f"no statement for {name}: lowest kidney function",
        f"The record has no statement for {name}; the band of the lowest kidney function is shown in its place.",
        first=(rule.text,),
        at_least=rule.at_least,
        certain=False,
    )


def _silent_on_dialysis(context: Context) -> Iterator[Notice]:
    """One notice that names every medicine whose record does not speak of this patient's dialysis."""
    modality = str(context.facts.values.get("dialysis", "none"))
    silent = [
        m
        for m in context.asked
        if m.systemic and m.drug.renal is not None and modality != "none" and modality not in m.drug.renal.dialysis
    ]
    if silent:
        names = ", ".join(sorted({m.drug.name for m in silent}))
        message = (
            f"No statement for {MODALITIES[modality]} is on record for {names}: how much it removes was not judged, and "
            "what is said rests on the lowest kidney function, so a dose may be too low as well as too high."
        )
        yield Notice("not-covered", "patient.dialysis", message, modality, ("organ-dose",), orders=orders_of(silent))


def _gap(medicine: Medicine, section: str, organ: str) -> Notice:
    message = f"{medicine.drug.name}: our record says nothing of doses in {organ} disease, so that was not checked."
    return Notice("not-covered", f"{medicine.order}.drug", message, medicine.drug.name, (f"{section}-caution",))


def _hepatic(context: Context, medicine: Medicine) -> Iterator[Finding | Notice]:
    bands = medicine.drug.hepatic
    if not bands:
        if context.organ.hepatic_suspected and medicine.drug.coverage.get("hepatic") != "not-applicable":
            yield _gap(medicine, "hepatic", "liver")
        return
    if context.organ.cholestasis and "cholestasis" in bands and bands["cholestasis"].action != "none":
        basis = Basis("hepatic-caution", "cholestasis", "Bile flow is obstructed.")
        finding = _finding(context, medicine, bands["cholestasis"], basis)
        if finding is not None:
            yield finding
    if _matters(tuple(bands.values())):
        yield from _missing_hepatic(context, medicine)
    grade = context.organ.hepatic_worst
    if grade is None:
        return
    band = _at_least_as_strict(bands, grade)
    if band is not None:
        best = context.organ.hepatic_best
        state = f"Child-Pugh {grade}" if grade == best else f"Child-Pugh {best} to {grade}"
        basis = Basis("hepatic-caution", state, f"{state}; the worse class is used where parts are missing.")
        finding = _finding(context, medicine, band, basis)
        if finding is not None:
            yield finding


def _at_least_as_strict(bands: object, grade: str) -> Band | None:
    """The band of this class, or of the nearest milder one where the record is silent."""
    table: dict[str, Band] = dict(bands)  # type: ignore[call-overload]
    for name in reversed(CHILD_PUGH[: CHILD_PUGH.index(grade) + 1]):
        if name in table:
            return table[name]
    return None


def _missing_hepatic(context: Context, medicine: Medicine) -> Iterator[Notice]:
    """What Child-Pugh lacks; where nothing speaks of liver disease, only a missing bilirubin limits what was said."""
    for missing in context.organ.missing_for_hepatic:
        message = f"Liver function could not be judged fully, so the dose of {medicine.drug.name} was not fully checked against it."
        code = "missing-data" if missing.endswith(("ascites", "encephalopathy")) else "missing-lab"
        limits = context.organ.hepatic_suspected or missing.endswith("bilirubin")
        yield Notice(code, missing, message, None, ("hepatic-caution",), limits=limits, orders=(medicine.order,))


def find(context: Context) -> Iterator[Finding | Notice]:
    """Organ-dose cautions of every absorbed medicine."""
    for medicine in context.asked:
        if medicine.systemic:
            yield from _renal(context, medicine)
            yield from _hepatic(context, medicine)
    yield from _silent_on_dialysis(context)
