"""How the patient's circumstances move a severity, and how a summary names its drugs: shared by the checks."""

from __future__ import annotations

from dataclasses import dataclass

from medsafe.context.context import Context
from medsafe.model.criteria import NO, YES, Verdict, both, judge_all
from medsafe.model.statements import Modifier, Severity


@dataclass(frozen=True, slots=True)
class Applied:
    """The modifiers that hold in this patient, and those that could not be judged."""

    holding: tuple[Modifier, ...]
    unknown: tuple[Modifier, ...]
    missing: Verdict


def apply_modifiers(context: Context, modifiers: tuple[Modifier, ...]) -> Applied:
    holding: list[Modifier] = []
    unknown: list[Modifier] = []
    missing = YES
    for modifier in modifiers:
        verdict = judge_all(modifier.when, context.facts)
        if verdict is YES:
            holding.append(modifier)
        elif verdict is not NO:
            unknown.append(modifier)
            missing = both(missing, verdict)
    return Applied(tuple(holding), tuple(unknown), missing)


def modified(base: Severity, holding: tuple[Modifier, ...]) -> Severity:
    """Severity after fixed severities and steps: raising ones first, then lowering ones."""
    if base is Severity.NONE or not holding:
        return base
    fixed = [m.severity for m in holding if m.severity is not None]
    raised = max([base, *(s for s in fixed if s > base)])
    raised = (
        raised.step(max([m.step for m in holding if m.step > 0], default=0))
        if any(m.step > 0 for m in holding)
        else raised
    )
    lowered = min([raised, *(s for s in fixed if s < base)]) if not any(m.step > 0 for m in holding) else raised
    down = min([m.step for m in holding if m.step < 0], default=0)
    return lowered.step(down) if down else lowered


def summary_of(template: str, names: list[str]) -> str:
    """Fill the drugs' names into a summary, naming as many as fit in 139 characters."""
    for shown in range(len(names), 0, -1):
        listed = " + ".join(names[:shown]) + (f" and {len(names) - shown} more" if shown < len(names) else "")
        text = template.replace("{drugs}", listed)
        if len(text) < 140:
            return text
    return template.replace("{drugs}", "several medicines")
