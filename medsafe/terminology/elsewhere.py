"""Orders whose drug the embedded tables do not know, named from what RxNav has said of them by now.

Promises: an order never waits for RxNav; what it named is told with the answer, and what is still being asked is told too.
Only drug terms and codes leave the process (`medsafe.terminology.rxnav` sees to that).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import Lock

from medsafe.identity.names import NameIndex
from medsafe.identity.resolution import RESOLVED, UNKNOWN, Resolution
from medsafe.model.case import Case, DrugRef, Order
from medsafe.model.findings import Notice
from medsafe.terminology.rxnav import RxNavClient, RxNavResolver

ASKING = " RxNav is being asked for it; check again in a few seconds."


@dataclass(frozen=True, slots=True)
class Named:
    """A case with what RxNav has named put in, what to tell of it, and the fields that are still unknown."""

    case: Case
    notices: tuple[Notice, ...] = ()
    asked: frozenset[str] = frozenset()

    def told(self, notices: Iterable[Notice]) -> tuple[Notice, ...]:
        """A review's notices, with those of unknown drugs saying that RxNav is asked."""
        said = tuple(
            replace(n, message=n.message + ASKING) if n.code == "unknown-drug" and n.field in self.asked else n
            for n in notices
        )
        return (*said, *self.notices)


class Elsewhere:
    """What RxNav is asked, for one version of the names at a time."""

    def __init__(self, client: RxNavClient) -> None:
        self._client, self._lock = client, Lock()
        self._resolver: tuple[NameIndex, RxNavResolver] | None = None

    def resolver(self, names: NameIndex) -> RxNavResolver:
        """The resolver that speaks of these names; a reload of the data brings a new one."""
        with self._lock:
            if self._resolver is None or self._resolver[0] is not names:
                self._resolver = (names, RxNavResolver(self._client, names))
            return self._resolver[1]

    def name(self, case: Case, names: NameIndex) -> Named:
        """The case with every order that RxNav has named by now. Never waits."""
        resolver, notices, asked = self.resolver(names), list[Notice](), set[str]()

        def named(order: Order) -> Order:
            found = _asked(order.drug, names, resolver)
            if found is None:
                return order
            field = f"{order.ref}.drug"
            if found.status != RESOLVED:
                asked.add(field)
                return order
            notices.append(_told(order.drug, field, found, names))
            return replace(order, drug=_reference(order.drug, found))

        with_names = replace(
            case,
            regimen=tuple(map(named, case.regimen)),
            new_orders=tuple(map(named, case.new_orders)),
            recently_stopped=tuple(map(named, case.recently_stopped)),
        )
        return Named(with_names, tuple(notices), frozenset(asked))


def _asked(drug: DrugRef, names: NameIndex, resolver: RxNavResolver) -> Resolution | None:
    """What RxNav says of a drug that is unknown here by code and by name; None where nothing needs to be asked."""
    if drug.components:
        return None
    if drug.code and names.resolve_code(drug.system, drug.code).status != UNKNOWN:
        return None
    if drug.name and names.resolve_name(drug.name).status != UNKNOWN:
        return None
    if drug.code:
        by_code = resolver.request_code(drug.system, drug.code)
        if by_code.status == RESOLVED or not drug.name:
            return by_code
    return resolver.request(drug.name)


def _reference(drug: DrugRef, found: Resolution) -> DrugRef:
    spoken = tuple(c.drug_id.replace("-", " ") for c in found.components)
    if len(spoken) == 1:
        return DrugRef(name=spoken[0], strength=drug.strength)
    return DrugRef(name=drug.shown, components=spoken, strength=drug.strength)


def _told(drug: DrugRef, field: str, found: Resolution, names: NameIndex) -> Notice:
    meant = " + ".join(names.name_of(c.drug_id) for c in found.components)
    message = f"“{drug.shown}” is not in the tables here; RxNav says it is {meant}, and it was checked as that."
    return Notice("resolved-elsewhere", field, message, drug.shown, (), limits=False)
