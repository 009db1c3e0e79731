"""The services as discovery lists them: one for each hook, with prefetch templates any EHR can fill.

Templates stay in the portable subset: reads and type searches by patient, token equality, `_sort` and `_count`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# The version of CDS Hooks that is implemented, and of each hook, as the 3.0 ballot wants them told; older clients pass over them.
VERSION, HOOK_VERSION = "2.0.1", "1.0"
_PATIENT = "patient={{context.patientId}}"
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "medications": f"MedicationRequest?{_PATIENT}&status=active",
    "statements": f"MedicationStatement?{_PATIENT}&status=active",
    "stopped": f"MedicationRequest?{_PATIENT}&status=stopped&_sort=-authoredon&_count=30",
    "administrations": f"MedicationAdministration?{_PATIENT}&_sort=-effective-time&_count=50",
    "dispenses": f"MedicationDispense?{_PATIENT}&_sort=-whenhandedover&_count=50",
    "conditions": f"Condition?{_PATIENT}&clinical-status=active",
    "allergies": f"AllergyIntolerance?{_PATIENT}",
    "laboratory": f"Observation?{_PATIENT}&category=laboratory&_sort=-date&_count=200",
    "vitals": f"Observation?{_PATIENT}&category=vital-signs&_sort=-date&_count=100",
    "scores": f"Observation?{_PATIENT}&category=survey&_sort=-date&_count=50",
    "procedures": f"Procedure?{_PATIENT}&_sort=-date&_count=50",
}
_ORDER_NEEDS = (
    "Needs the draft orders; every prefetch key is optional, and whatever is not supplied is named in a card as not checked. "
    "Reads medicines, allergies, conditions, laboratory values, vital signs and symptom scores of the one patient; keeps none of them."
)
_VIEW_NEEDS = (
    "Needs the medication list (key medications or statements); without it the answer is 412. "
    "Reads the same data as the order services; keeps none of them."
)


# What a call may ask for in `extension.pddi-configuration-items`, by hook.
OPTIONS = {
    "order-select": {
        "code": "cache-for-order-sign-filtering",
        "type": "boolean",
        "name": "Remember the alerts shown",
        "description": "Remember which alerts were shown to this clinician, so that order-sign can leave them out.",
    },
    "order-sign": {
        "code": "filter-out-repeated-alerts",
        "type": "boolean",
        "name": "Leave out repeated alerts",
        "description": "Leave out alerts that this clinician saw at order-select; a card says so. Critical ones are never left out.",
    },
}


@dataclass(frozen=True, slots=True)
class CdsService:
    """One service of the discovery document."""

    id: str
    hook: str
    title: str
    description: str
    usage: str

    @property
    def orders(self) -> bool:
        """Whether the hook brings draft orders."""
        return self.hook in ("order-select", "order-sign")

    def shown(self) -> dict[str, Any]:
        options = OPTIONS.get(self.hook)
        extension = {"extension": {"pddi-configuration-items": [dict(options)]}} if options else {}
        return {
            "hook": self.hook,
            "hookVersion": HOOK_VERSION,
            "version": VERSION,
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "usageRequirements": self.usage,
            "prefetch": dict(PREFETCH),
            **extension,
        }


SERVICES = {
    service.id: service
    for service in (
        CdsService(
            "medsafe-order-select",
            "order-select",
            "Medication safety at order selection",
            "Checks the selected medicine against the patient's other medicines, diseases, allergies and organ function "
            "in palliative and cancer care.",
            _ORDER_NEEDS,
        ),
        CdsService(
            "medsafe-order-sign",
            "order-sign",
            "Medication safety at signing",
            "Checks all orders to be signed, with dose, route and frequency, against the patient and each other.",
            _ORDER_NEEDS,
        ),
        CdsService(
            "medsafe-patient-view",
            "patient-view",
            "Medication safety on opening the chart",
            "Tells of critical hazards of the medicines the patient takes now.",
            _VIEW_NEEDS,
        ),
    )
}
