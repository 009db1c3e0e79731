"""The closed word lists of the domain: routes, forms, facts, hazards. Words of the field, no drug among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

ROUTES = frozenset(
    {
        "oral",
        "sublingual",
        "buccal",
        "oromucosal",
        "intranasal",
        "inhaled",
        "transdermal",
        "topical",
        "rectal",
        "vaginal",
        "ophthalmic",
        "otic",
        "subcutaneous",
        "intramuscular",
        "intravenous",
        "intravenous infusion",
        "subcutaneous infusion",
        "epidural",
        "intrathecal",
        "gastrostomy tube",
        "jejunostomy tube",
        "nasogastric tube",
    }
)
ENTERAL_ROUTES = frozenset({"oral", "gastrostomy tube", "jejunostomy tube", "nasogastric tube"})
TUBE_ROUTES = frozenset({"gastrostomy tube", "jejunostomy tube", "nasogastric tube"})
INFUSION_ROUTES = frozenset({"intravenous infusion", "subcutaneous infusion"})
# Given here a drug is not absorbed enough to matter to the rest of the body, unless its record says so.
LOCAL_BY_DEFAULT = frozenset({"topical", "ophthalmic", "otic", "inhaled", "vaginal"})

FORMS = frozenset(
    {
        "tablet",
        "capsule",
        "oral solution",
        "oral suspension",
        "granules",
        "orodispersible tablet",
        "sublingual tablet",
        "buccal tablet",
        "lozenge",
        "film",
        "nasal spray",
        "oral spray",
        "inhaler",
        "nebuliser solution",
        "patch",
        "suppository",
        "enema",
        "injection",
        "depot injection",
        "infusion",
        "cream",
        "ointment",
        "gel",
        "eye drops",
        "ear drops",
        "mouthwash",
        "oral gel",
        "pessary",
        "implant",
        "powder",
        "modified-release",
        "immediate-release",
        "gastro-resistant",
        "effervescent",
        "soluble",
        "plaster",
        "liposomal",
    }
)

DIALYSIS = frozenset({"none", "haemodialysis", "peritoneal", "crrt"})
CHILD_PUGH = ("A", "B", "C")
SECTIONS = (
    "identity",
    "kinetics",
    "interactions",
    "effects",
    "renal",
    "hepatic",
    "doses",
    "cautions",
    "monitoring",
)

# Facts that data may ask about; each name carries its unit. Words: sex, dialysis, child_pugh, sedation, intent,
# prognosis, smoking, ascites, encephalopathy, aki, creatinine_trend, kdigo.
FACTS = frozenset(
    {
        "age_years",
        "sex",
        "weight_kg",
        "height_cm",
        "bmi",
        "bsa_m2",
        "pregnancy_weeks",
        "creatinine_umol_l",
        "crcl_ml_min",
        "egfr_ml_min_173m2",
        "kdigo",
        "dialysis",
        "aki",
        "creatinine_trend",
        "child_pugh",
        "ascites",
        "encephalopathy",
        "bilirubin_umol_l",
        "albumin_g_l",
        "inr",
        "ast_u_l",
        "alt_u_l",
        "alp_u_l",
        "platelets_10_9_l",
        "neutrophils_10_9_l",
        "haemoglobin_g_l",
        "sodium_mmol_l",
        "potassium_mmol_l",
        "magnesium_mmol_l",
        "calcium_mmol_l",
        "phosphate_mmol_l",
        "glucose_mmol_l",
        "urea_mmol_l",
        "urine_acr_mg_g",
        "qtc_ms",
        "heart_rate_bpm",
        "respiratory_rate",
        "temperature_c",
        "systolic_bp_mmhg",
        "spo2_percent",
        "sedation",
        "intent",
        "prognosis",
        "smoking",
        "smoking_stopped_days_ago",
        "ome_mg_per_day",
        "opioid_naive",
        "nci_odwg",
    }
)

# The facts from which a fact is worked out, the one that is most often missing first.
PARTS_OF_FACTS = {
    "crcl_ml_min": ("creatinine_umol_l", "weight_kg", "age_years", "sex"),
    "egfr_ml_min_173m2": ("creatinine_umol_l", "age_years", "sex"),
    "kdigo": ("creatinine_umol_l", "age_years", "sex"),
    "aki": ("creatinine_umol_l", "previous_creatinine_umol_l"),
    "creatinine_trend": ("previous_creatinine_umol_l", "creatinine_umol_l"),
    "bmi": ("height_cm", "weight_kg"),
    "bsa_m2": ("height_cm", "weight_kg"),
    "child_pugh": ("bilirubin_umol_l", "albumin_g_l", "inr", "ascites", "encephalopathy"),
    "nci_odwg": ("bilirubin_umol_l", "ast_u_l"),
}

SEVERITY_WORDS = ("low", "moderate", "high", "critical")

# What a notice may be about; `degraded` is told where part of the service is out of order.
NOTICE_CODES = (
    "ambiguous-drug",
    "degraded",
    "missing-data",
    "missing-lab",
    "not-covered",
    "nothing-to-check",
    "resolved-elsewhere",
    "stale-lab",
    "unit-suspect",
    "unknown-condition",
    "unknown-drug",
    "value-implausible",
)

KINDS = (
    "interaction",
    "organ-dose",
    "max-dose",
    "duplicate",
    "allergy",
    "drug-disease",
    "drug-lab",
    "age",
    "pregnancy",
    "pharmacogenomic",
    "route-form",
    "frequency",
    "opioid-safety",
    "omission",
    "deprescribing",
    "time-course",
)

FIXED_HAZARDS = frozenset(
    {
        "exposure-increase",
        "exposure-decrease",
        "prodrug-failure",
        "qt-prolongation",
        "serotonin-toxicity",
        "cns-respiratory-depression",
        "bleeding",
        "hyperkalaemia",
        "hyponatraemia",
        "hypokalaemia",
        "acute-kidney-injury",
        "anticholinergic-burden",
        "delirium-worsening",
        "extrapyramidal",
        "seizure-threshold",
        "bowel-obstruction",
        "constipation",
        "duplicate-therapy",
        "max-dose-exceeded",
        "renal-caution",
        "hepatic-caution",
        "hepatotoxicity",
        "precipitated-withdrawal",
        "opioid-naive-start",
        "opioid-conversion-error",
        "opioid-neurotoxicity",
        "allergy",
        "pharmacogenomic",
        "drug-disease",
        "drug-lab",
        "hypoglycaemia",
        "hyperglycaemia",
        "hypotension",
        "hypertension",
        "bradycardia",
        "myelosuppression",
        "pregnancy",
        "route-or-formulation",
        "frequency-error",
        "missing-co-prescription",
        "low-benefit",
        "time-course",
        "absorption-decrease",
        "absorption-increase",
        "reduced-efficacy",
    }
)
# Where none of the codes fixed with the callers fits the harm; the API documents each with these words.
ADDED_HAZARDS: Mapping[str, str] = MappingProxyType(
    {
        "age-caution": "harm that comes with age",
        "cardiotoxicity": "cardiomyopathy, arrhythmia or ischaemia from a medicine",
        "fluid-retention": "oedema, effusions, heart failure made worse",
        "fracture": "broken bones",
        "gi-ulcer": "peptic ulcer",
        "hypercalcaemia": "high calcium",
        "hyperuricaemia": "high uric acid, gout",
        "hypocalcaemia": "low calcium",
        "hypomagnesaemia": "low magnesium",
        "infection": "infection, that from a live vaccine included",
        "myopathy": "muscle and tendon damage, rhabdomyolysis",
        "neurotoxicity": "harm to brain or nerves that is neither sedation, delirium nor seizure",
        "opioid-monitoring": "an opioid that needs closer watching",
        "opioid-toxicity": "signs of too much opioid now",
        "osteonecrosis": "osteonecrosis of the jaw",
        "ototoxicity": "loss of hearing or balance",
        "therapeutic-inertia": "a treatment that stays although it does not work",
        "thrombosis": "venous or arterial thrombosis",
        "tumour-lysis": "tumour lysis syndrome",
        "urinary-retention": "urinary retention",
        "withdrawal": "withdrawal after a sudden stop",
    }
)
HAZARDS = FIXED_HAZARDS | ADDED_HAZARDS.keys()

ACTIONS = (
    "start",
    "increase",
    "reduce",
    "rotate",
    "stop",
    "hold",
    "switch-route",
    "non-drug",
    "monitor",
    "review",
    "refer",
    "co-prescribe",
)

# How dose forms and release are written in orders → the words of FORMS.
FORM_WORDS = {
    "modified-release": (
        "modified-release",
        "modified release",
        "prolonged-release",
        "prolonged release",
        "extended-release",
        "extended release",
        "sustained-release",
        "sustained release",
        "controlled-release",
        "controlled release",
        "long-acting",
        "slow-release",
        "12 hr",
        "24 hr",
        " er",
        " sr",
        " mr",
        " xr",
        " xl",
        " cr",
        " la",
        " pr",
        "er ",
        "sr ",
        "mr ",
    ),
    "immediate-release": ("immediate-release", "immediate release", "short-acting", " ir"),
    "gastro-resistant": ("gastro-resistant", "enteric", "delayed-release", "delayed release", " ec", " gr"),
    "patch": ("patch", "transdermal system", "72 hr"),
    "plaster": ("plaster",),
    "tablet": ("tablet", " tab"),
    "capsule": ("capsule", " cap"),
    "oral solution": ("oral solution", "syrup", "elixir", "oral liquid", "linctus", "concentrate", "solution"),
    "oral suspension": ("suspension",),
    "orodispersible tablet": ("orodispersible", "oral lyophilisate", "disintegrating", " odt"),
    "sublingual tablet": ("sublingual",),
    "buccal tablet": ("buccal",),
    "lozenge": ("lozenge", "lollipop"),
    "film": ("film",),
    "nasal spray": ("nasal spray",),
    "oral spray": ("oral spray", "sublingual spray"),
    "suppository": ("suppository", "suppositories"),
    "enema": ("enema",),
    "depot injection": ("depot", "long-acting injection", "extended-release injection", "microspheres"),
    "injection": ("injection", "inject", "ampoule", "vial", "prefilled", "pre-filled"),
    "infusion": ("infusion", "syringe driver", "csci"),
    "cream": ("cream",),
    "ointment": ("ointment",),
    "gel": ("gel",),
    "oral gel": ("oral gel", "oromucosal gel"),
    "eye drops": ("eye drop", "ophthalmic"),
    "ear drops": ("ear drop", "otic"),
    "mouthwash": ("mouthwash", "mouth rinse"),
    "inhaler": ("inhaler", "puff", "metered"),
    "nebuliser solution": ("nebulis", "nebuliz"),
    "effervescent": ("effervescent",),
    "soluble": ("soluble", "dispersible"),
    "granules": ("granules", "sachet"),
    "powder": ("powder",),
    "implant": ("implant",),
    "pessary": ("pessary",),
    "liposomal": ("liposom", "pegylated"),
}
ROUTE_FORMS = {
    "transdermal": "patch",
    "subcutaneous infusion": "infusion",
    "intravenous infusion": "infusion",
    "intravenous": "injection",
    "subcutaneous": "injection",
    "intramuscular": "injection",
    "sublingual": "sublingual tablet",
    "buccal": "buccal tablet",
    "inhaled": "inhaler",
}
# A statement about one route also holds for these routes.
ROUTE_INCLUDES = {
    "intravenous infusion": "intravenous",
    "subcutaneous infusion": "subcutaneous",
    "gastrostomy tube": "oral",
    "jejunostomy tube": "oral",
    "nasogastric tube": "oral",
}
PARENTERAL_ROUTES = frozenset(
    {
        "intravenous",
        "intravenous infusion",
        "subcutaneous",
        "subcutaneous infusion",
        "intramuscular",
        "transdermal",
        "intranasal",
        "sublingual",
        "buccal",
        "epidural",
        "intrathecal",
        "inhaled",
        "oromucosal",
    }
)
# Mass units in milligrams; other units of dose stand for themselves.
MASS_MG = {
    "kg": 1e6,
    "g": 1000.0,
    "mg": 1.0,
    "mcg": 0.001,
    "µg": 0.001,
    "ug": 0.001,
    "μg": 0.001,
    "microgram": 0.001,
    "micrograms": 0.001,
    "microg": 0.001,
    "mcgs": 0.001,
    "microgramme": 0.001,
    "microgrammes": 0.001,
    "milligramme": 1.0,
    "milligrammes": 1.0,
    "mgm": 1.0,
    "mgs": 1.0,
    "gm": 1000.0,
    "gms": 1000.0,
    "ng": 1e-6,
    "nanogram": 1e-6,
    "nanograms": 1e-6,
    "milligram": 1.0,
    "milligrams": 1.0,
    "gram": 1000.0,
    "grams": 1000.0,
}
OTHER_UNITS = {
    "units": "units",
    "unit": "units",
    "iu": "units",
    "international units": "units",
    "international unit": "units",
    "intl units": "units",
    "anti-xa units": "units",
    "anti-xa iu": "units",
    "ius": "units",
    "ui": "units",
    "u": "units",
    "mmol": "mmol",
    "mmols": "mmol",
    "meq": "mmol",
    "ml": "mL",
    "mls": "mL",
    "cc": "mL",
    "millilitre": "mL",
    "millilitres": "mL",
    "milliliter": "mL",
    "milliliters": "mL",
    "litre": "L",
    "liter": "L",
    "l": "L",
    "%": "%",
}
# Of what is counted these hold a liquid, and a strength in so many millilitres tells the whole: a syringe of 40 mg/0.4 mL holds 40 mg.
CONTAINERS = frozenset(
    {
        "sachet",
        "sachets",
        "ampoule",
        "ampoules",
        "ampule",
        "ampules",
        "amp",
        "amps",
        "syringe",
        "syringes",
        "bag",
        "bags",
        "vial",
        "vials",
    }
)
COUNT_UNITS = (
    frozenset(
        {
            "tablet",
            "tablets",
            "tab",
            "tabs",
            "caplet",
            "caplets",
            "pill",
            "pills",
            "each",
            "ea",
            "capsule",
            "capsules",
            "cap",
            "caps",
            "patch",
            "patches",
            "puff",
            "puffs",
            "spray",
            "sprays",
            "suppository",
            "suppositories",
            "pen",
            "pens",
            "drop",
            "drops",
            "film",
            "films",
            "lozenge",
            "lozenges",
            "dose",
            "doses",
            "piece",
            "pieces",
            "application",
            "applications",
            "plaster",
            "plasters",
            "actuation",
            "actuations",
            "inhalation",
            "inhalations",
            "gtt",
            "gtts",
        }
    )
    | CONTAINERS
)
# Levels of sedation, as a request states them, at which a patient is drowsy and deeply sedated.
DEEP_SEDATION = ("difficult to rouse", "unresponsive")
SEDATED = ("drowsy", *DEEP_SEDATION)

# How quantities are called where the unit in their name is not wanted.
UNITS_IN_NAMES = {
    "years": "years",
    "kg": "kg",
    "cm": "cm",
    "ms": "ms",
    "bpm": "/min",
    "c": "°C",
    "mmhg": "mmHg",
    "percent": "%",
    "mmol_l": "mmol/L",
    "umol_l": "umol/L",
    "g_l": "g/L",
    "u_l": "U/L",
    "10_9_l": "x 10^9/L",
    "mg_g": "mg/g",
    "ml_min": "mL/min",
    "ml_min_173m2": "mL/min/1.73 m2",
    "mg_per_day": "mg a day",
}
UNIT_IN_NAME = re.compile(rf"_({'|'.join(sorted(UNITS_IN_NAMES, key=len, reverse=True))})$")
CAPITALS = {
    "crcl": "creatinine clearance",
    "egfr": "eGFR",
    "ome": "oral morphine equivalent",
    "kdigo": "KDIGO stage",
    "nci_odwg": "NCI liver group",
    "child_pugh": "Child-Pugh class",
    "bmi": "BMI",
    "inr": "INR",
    "ast": "AST",
    "alt": "ALT",
    "alp": "ALP",
    "crp": "CRP",
    "tsh": "TSH",
    "qtc": "QTc",
    "qt": "QT",
    "spo2": "SpO2",
    "pregnancy_weeks": "pregnancy",
    "smoking_stopped_days_ago": "when smoking was stopped",
    "systolic_bp": "systolic blood pressure",
    "diastolic_bp": "diastolic blood pressure",
}


def shown_name(name: str) -> str:
    """How a quantity is called where its unit stands beside it.

    >>> shown_name("weight_kg"), shown_name("qtc_ms"), shown_name("uric_acid")
    ('weight', 'QTc', 'uric acid')
    """
    bare = UNIT_IN_NAME.sub("", name)
    return CAPITALS.get(bare, bare.replace("_", " "))


def shown_unit(name: str) -> str:
    """The unit that stands in the name of a quantity, as it is written beside a number.

    >>> shown_unit("potassium_mmol_l"), shown_unit("heart_rate_bpm"), shown_unit("inr")
    ('mmol/L', '/min', '')
    """
    found = UNIT_IN_NAME.search(name)
    return UNITS_IN_NAMES[found.group(1)] if found else ""
