"""Whether the dose of a medicine is one that its label allows beside what raises it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from medsafe.context.context import Context
from medsafe.model.drugs import DoseBeside, Modulator, Substrate
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity

TOLERANCE = 1.001
Acting = Iterable[tuple[Medicine, Modulator, list[Substrate]]]


@dataclass(frozen=True, slots=True)
class Beside:
    """The most a day (in `unit`) that the label allows beside what acts, beside whom, and what is given.

    `leaves` is the severity that is left where the dose keeps to it.
    """

    allowed: float
    given: float
    unit: str
    names: tuple[str, ...]
    leaves: Severity

    @property
    def fits(self) -> bool:
        return self.given <= self.allowed * TOLERANCE

    @property
    def words(self) -> str:
        """How the ordered dose stands to what is allowed."""
        limit = f"at most {self.allowed:g} {self.unit} a day beside {' and '.join(self.names)}"
        if self.fits:
            return f"The ordered dose is one that fits ({limit}): stepped down."
        return f"{self.given:g} {self.unit} a day is above what fits: {limit}."


def _allowed(victim: Medicine, other: Medicine, modulator: Modulator, edges: list[Substrate]) -> DoseBeside | None:
    """The most a day beside one other: what is said of it by name before what is said of its strength."""
    acts = f"{modulator.strength}-{'inducer' if modulator.induces else 'inhibitor'}"
    doses = [
        dose
        for edge in edges
        for dose in edge.doses_beside
        if (not dose.phases or victim.phase in dose.phases)
        and (other.id in dose.beside if dose.beside else acts in dose.at)
    ]
    return min(doses, key=lambda dose: (not dose.beside, dose.max_daily_dose), default=None)


def dose_beside(context: Context, victim: Medicine, acting: Acting) -> Beside | None:
    """What the label allows beside all that act on a victim.

    Parameters
    ----------
    acting: each that raises the victim, how, and the pathways of the victim that it acts on.

    Returns
    -------
    None where the label says nothing of one of them that is more than weak, or where a dose of the victim is not known.
    """
    said = [(other.drug.name, how, _allowed(victim, other, how, edges)) for other, how, edges in acting]
    known = {name: dose for name, _, dose in said if dose is not None}
    silent = any(dose is None and how.strength != "weak" for _, how, dose in said)
    doses = [m.daily_dose for m in context.active if m.id == victim.id and m.systemic]
    if silent or not known or None in doses:
        return None
    return Beside(
        min(dose.max_daily_dose for dose in known.values()),
        sum(dose for dose in doses if dose is not None),
        victim.drug.dose_unit,
        tuple(sorted(known)),
        max(dose.leaves for dose in known.values()),
    )
