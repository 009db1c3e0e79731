"""Small requests that bring out what each check says: one thing at a time, and the thresholds on both sides."""

from __future__ import annotations

from typing import Any

from tests.builders import body, order, patient

MR = "modified-release tablet"
SC = "subcutaneous"


def lab(value: float, unit: str = "umol/L") -> dict[str, Any]:
    return {"value": value, "unit": unit, "taken_on": "2026-11-20"}


def allergic(substance: str, reaction: str = "", **more: Any) -> dict[str, Any]:
    return patient(allergies=[{"substance": substance, "reaction": reaction, **more}])


def failing(creatinine: float = 300, **more: Any) -> dict[str, Any]:
    return patient(**{"age_years": 78, "weight_kg": 60, "height_cm": 170, "creatinine": lab(creatinine), **more})


def cirrhotic(**more: Any) -> dict[str, Any]:
    return patient(
        **{
            "conditions": ["cirrhosis"],
            "bilirubin": lab(60),
            "albumin": lab(24, "g/L"),
            "inr": 2.5,
            "ascites": "severe",
            **more,
        }
    )


def stopped(drug: str, dose: float, days_ago: float | None, taken: float | None = 90, **more: Any) -> dict[str, Any]:
    found = order(drug, dose, **more)
    return found | {
        key: value for key, value in (("days_ago", days_ago), ("taken_for_days", taken)) if value is not None
    }


MORPHINE = order("morphine", 30, times_per_day=2, form=MR)
RESCUE = order("morphine", 10, times_per_day=None, prn=True, max_times_per_day=6)
OXYCODONE = order("oxycodone", 20, times_per_day=2, form=MR)
PATCH = order("fentanyl", 25, "mcg/h", route="transdermal", form="patch", interval_h=72)
LAXATIVE = order("senna", 15)

REQUESTS: dict[str, dict[str, Any]] = {
    # Allergies
    "allergy-to-the-drug-itself": body(MORPHINE, LAXATIVE, who=allergic("morphine", "anaphylaxis")),
    "allergy-without-a-reaction": body(MORPHINE, LAXATIVE, who=allergic("morphine")),
    "intolerance-of-the-drug-itself": body(MORPHINE, LAXATIVE, who=allergic("morphine", "nausea")),
    "itch-from-an-opioid": body(OXYCODONE, LAXATIVE, who=allergic("morphine", "itching")),
    "allergy-to-a-class": body(order("amoxicillin", 500, times_per_day=3), who=allergic("penicillin", "anaphylaxis")),
    "allergy-to-a-class-without-rules-of-its-own": body(
        order("lidocaine", 100, route=SC), who=allergic("local anaesthetics", "collapse")
    ),
    "a-long-acting-opioid-as-needed": body(
        {**MORPHINE, "times_per_day": None, "prn": True, "max_times_per_day": 4}, LAXATIVE
    ),
    "allergy-to-one-of-the-class": body(
        order("amoxicillin", 500, times_per_day=3), who=allergic("flucloxacillin", "rash")
    ),
    "upset-stomach-from-one-of-the-class": body(
        order("amoxicillin", 500, times_per_day=3), who=allergic("flucloxacillin", "upset stomach")
    ),
    "allergy-across-classes": body(
        order("cefalexin", 500, times_per_day=3),
        order("meropenem", 1000, times_per_day=3, route="intravenous"),
        who=allergic("penicillin", "anaphylaxis"),
    ),
    "upset-stomach-across-classes": body(
        order("cefalexin", 500, times_per_day=3), who=allergic("penicillin", "nausea")
    ),
    "allergy-to-the-related-drug": body(order("losartan", 50), who=allergic("lisinopril", "angioedema")),
    "allergy-to-an-excipient": body(
        order("docetaxel", 120, route="intravenous", times_per_day=None, interval_h=504),
        who=allergic("polysorbate 80", "anaphylaxis"),
    ),
    "allergy-to-an-excipient-of-the-infusion": body(
        order("ciclosporin", 100, times_per_day=2),
        order("paclitaxel", 250, route="intravenous", times_per_day=None, interval_h=504),
        who=allergic("cremophor", "collapse"),
    ),
    "allergy-to-soya": body(
        order("propofol", 50, "mg", route="intravenous", times_per_day=1),
        order("haloperidol", 1.5),
        who=allergic("soya", "swelling"),
    ),
    "allergy-to-sulfite": body(
        order("adrenaline", 0.5, route="intramuscular", phase="single-dose"),
        order("dexamethasone", 8, route="intravenous"),
        who=allergic("sulphites", "wheeze"),
    ),
    "dystonia-from-another": body(
        order("metoclopramide", 10, times_per_day=3),
        order("domperidone", 10, times_per_day=3),
        order("cyclizine", 50, times_per_day=3),
        who=allergic("haloperidol", "dystonia"),
    ),
    "allergy-to-what-is-not-a-medicine": body(LAXATIVE, who=allergic("strawberries", "rash")),
    "allergy-to-two-things": body(
        order("diclofenac", 50, times_per_day=2),
        order("amoxicillin", 500, times_per_day=3),
        who=patient(
            allergies=[
                {"substance": "aspirin", "reaction": "bronchospasm"},
                {"substance": "penicillin", "reaction": ""},
            ]
        ),
    ),
    # Burdens
    "long-qt-by-one": body(order("methadone", 20, times_per_day=2), LAXATIVE, who=patient(qtc_ms=510)),
    "long-qt-by-three": body(
        order("haloperidol", 1.5),
        order("citalopram", 20),
        order("ondansetron", 8, times_per_day=2),
        who=patient(potassium=lab(3.0, "mmol/L"), magnesium=lab(0.5, "mmol/L")),
    ),
    "long-qt-with-potassium-unknown": body(
        order("haloperidol", 1.5), order("escitalopram", 10), who=patient(potassium=None, qtc_ms=None)
    ),
    "serotonin-by-three": body(
        order("tramadol", 50, times_per_day=4), order("sertraline", 100), order("linezolid", 600, times_per_day=2)
    ),
    "sedatives-and-opioids": body(
        MORPHINE,
        OXYCODONE,
        order("diazepam", 5, times_per_day=2),
        order("pregabalin", 150, times_per_day=2),
        LAXATIVE,
        who=patient(age_years=82, conditions=["copd", "sleep apnoea"]),
    ),
    "bleeding-by-three": body(
        order("apixaban", 5, times_per_day=2),
        order("naproxen", 500, times_per_day=2),
        order("sertraline", 50),
        who=patient(platelets=lab(40, "10^9/L")),
    ),
    "bleeding-with-platelets-unknown": body(
        order("apixaban", 5, times_per_day=2), order("sertraline", 50), who=patient(platelets=None, haemoglobin=None)
    ),
    "anticholinergic-by-four": body(
        order("amitriptyline", 25),
        order("hyoscine butylbromide", 20, times_per_day=3),
        order("cyclizine", 50, times_per_day=3),
        order("oxybutynin", 5, times_per_day=2),
        who=patient(age_years=80, conditions=["dementia"]),
    ),
    "potassium-by-three": body(
        order("ramipril", 5),
        order("spironolactone", 50),
        order("trimethoprim", 200, times_per_day=2),
        who=failing(180, potassium=lab(5.6, "mmol/L")),
    ),
    "seizures": body(
        order("tramadol", 100, times_per_day=4),
        order("bupropion", 150, times_per_day=2),
        who=patient(conditions=["epilepsy"]),
    ),
    "a-drug-ordered-twice-counts-once": body(
        order("haloperidol", 0.5, times_per_day=2),
        order("haloperidol", 1.5, times_per_day=None, prn=True, max_times_per_day=3),
        order("metoclopramide", 10, times_per_day=3),
    ),
    "low-sodium": body(
        order("bendroflumethiazide", 2.5),
        order("sertraline", 100),
        order("carbamazepine", 200, times_per_day=2),
        who=patient(age_years=80, sodium=lab(124, "mmol/L")),
    ),
    "marrow": body(
        order("methotrexate", 10, times_per_day=None, interval_h=168),
        order("co-trimoxazole", 960, times_per_day=2),
        who=patient(neutrophils=lab(0.9, "10^9/L")),
    ),
    # The patient
    "a-condition": body(
        order("ibuprofen", 400, times_per_day=3),
        order("metoclopramide", 10, times_per_day=3),
        who=patient(conditions=["heart failure", "parkinson's disease", "peptic ulcer"]),
    ),
    "a-condition-and-a-laboratory-value": body(order("spironolactone", 25), who=patient(potassium=lab(6.1, "mmol/L"))),
    "a-laboratory-value-unknown": body(
        order("spironolactone", 25),
        order("digoxin", 125, "mcg"),
        order("lithium carbonate", 400),
        who=patient(potassium=None, sodium=None),
    ),
    "age-and-frailty": body(
        order("amitriptyline", 50), order("diazepam", 5), order("glibenclamide", 5), who=patient(age_years=88)
    ),
    "a-child": body(
        order("codeine", 15, times_per_day=4),
        order("aspirin", 300),
        who=patient(age_years=9, weight_kg=28, height_cm=132),
    ),
    "pregnancy": body(
        order("methotrexate", 10, times_per_day=None, interval_h=168),
        order("ibuprofen", 400, times_per_day=3),
        order("warfarin", 3),
        who=patient(age_years=30, sex="female", pregnancy_weeks=31),
    ),
    "a-genotype": body(
        order("codeine", 30, times_per_day=4),
        order("tamoxifen", 20),
        order("capecitabine", 1500, times_per_day=2),
        who=patient(genotypes={"CYP2D6": "poor", "DPYD": "poor"}),
    ),
    "an-ultrarapid-genotype": body(
        order("codeine", 30, times_per_day=4),
        order("tramadol", 50, times_per_day=4),
        who=patient(genotypes={"CYP2D6": "ultrarapid"}),
    ),
    "vital-signs": body(
        order("bisoprolol", 5),
        order("morphine", 10, times_per_day=4),
        order("ramipril", 5),
        who=patient(heart_rate_bpm=44, systolic_bp_mmhg=88, respiratory_rate=7),
    ),
    "nothing-known-of-the-patient": body(
        MORPHINE, order("ibuprofen", 400, times_per_day=3), order("metformin", 1000, times_per_day=2), who={}
    ),
    "last-days": body(
        order("atorvastatin", 40),
        order("alendronic acid", 70, times_per_day=None, interval_h=168),
        order("ramipril", 5),
        order("warfarin", 3),
        goals={"intent": "comfort", "documented": True, "prognosis": "days"},
    ),
    "last-weeks": body(
        order("simvastatin", 40),
        order("metformin", 500, times_per_day=2),
        goals={"intent": "comfort", "documented": True, "prognosis": "weeks"},
    ),
    # Curated records
    "a-curated-pair": body(order("sildenafil", 50), order("isosorbide mononitrate", 30, times_per_day=2)),
    "a-curated-triple": body(order("ramipril", 5), order("furosemide", 40), order("ibuprofen", 400, times_per_day=3)),
    "an-antagonist-with-an-opioid": body(MORPHINE, LAXATIVE, new=[order("naltrexone", 50)]),
    "a-partial-agonist-with-an-opioid": body(
        MORPHINE, LAXATIVE, new=[order("buprenorphine", 2, route="sublingual", times_per_day=2)]
    ),
    "washout-of-a-mao-inhibitor": body(
        order("sertraline", 50), recently_stopped=[stopped("phenelzine", 15, 5, times_per_day=3)]
    ),
    "washout-over": body(order("sertraline", 50), recently_stopped=[stopped("phenelzine", 15, 30, times_per_day=3)]),
    "washout-of-fluoxetine": body(
        new=[order("phenelzine", 15, times_per_day=3)], recently_stopped=[stopped("fluoxetine", 40, 20)]
    ),
    "omissions": body(
        MORPHINE,
        order("naproxen", 500, times_per_day=2),
        order("prednisolone", 40),
        order("methotrexate", 10, times_per_day=None, interval_h=168),
        who=patient(age_years=76),
    ),
    "an-object-with-two-partners": body(
        order("digoxin", 125, "mcg"),
        order("verapamil", 80, times_per_day=3),
        order("amiodarone", 200),
        order("clarithromycin", 500, times_per_day=2),
    ),
    "lithium": body(
        order("lithium carbonate", 800),
        order("ramipril", 5),
        order("ibuprofen", 400, times_per_day=3),
        order("bendroflumethiazide", 2.5),
    ),
    "warfarin": body(
        order("warfarin", 3),
        order("metronidazole", 400, times_per_day=3),
        order("fluconazole", 200),
        order("paracetamol", 1000, times_per_day=4),
        who=patient(inr=3.6),
    ),
    # Doses
    "too-much-a-day": body(order("paracetamol", 1000, times_per_day=6)),
    "too-much-a-day-by-far": body(order("paracetamol", 10000, times_per_day=4)),
    "all-that-is-allowed-and-more-unknown": body(
        order("paracetamol", 1000, times_per_day=4), order("paracetamol", None, times_per_day=None)
    ),
    "paracetamol-in-a-light-body": body(order("paracetamol", 1000, times_per_day=4), who=patient(weight_kg=38)),
    "paracetamol-without-weight": body(order("paracetamol", 1000, times_per_day=4), who=patient(weight_kg=None)),
    "too-much-at-once": body(order("haloperidol", 40), order("ondansetron", 32, route="intravenous")),
    "too-often": body(PATCH | {"interval_h": 36}, order("alendronic acid", 70), order("methotrexate", 10)),
    "too-often-a-day": body(order("warfarin", 3, times_per_day=3), order("edoxaban", 60, times_per_day=2)),
    "above-the-starting-dose": body(new=[order("lamotrigine", 200), order("baclofen", 20, times_per_day=3)]),
    "above-the-starting-dose-but-taken": body(
        order("lamotrigine", 200), new=[order("baclofen", 20, times_per_day=3, replaces="regimen.0")]
    ),
    "naive-too-much-a-day": body(new=[order("morphine", 30, times_per_day=4)]),
    "naive-too-much-at-once": body(
        new=[
            order("morphine", 30, route=SC, phase="single-dose"),
            order("fentanyl", 200, "mcg", route=SC, phase="single-dose"),
        ]
    ),
    "a-lifetime-dose": body(
        order("doxorubicin", 120, route="intravenous", times_per_day=None, interval_h=504, taken_for_days=200)
    ),
    "a-lifetime-dose-not-stated": body(
        order("doxorubicin", 120, route="intravenous", times_per_day=None, interval_h=504)
    ),
    "a-lifetime-dose-of-two": body(
        order("epirubicin", 150, route="intravenous", times_per_day=None, interval_h=504, taken_for_days=90),
        recently_stopped=[
            stopped("doxorubicin", 120, 200, 100, route="intravenous", times_per_day=None, interval_h=504)
        ],
    ),
    "a-lifetime-dose-of-two-one-not-stated": body(
        order("epirubicin", 150, route="intravenous", times_per_day=None, interval_h=504),
        recently_stopped=[
            stopped("doxorubicin", 120, 200, None, route="intravenous", times_per_day=None, interval_h=504)
        ],
    ),
    "a-dose-by-surface": body(
        order("cisplatin", 250, route="intravenous", times_per_day=None, interval_h=504),
        order("docetaxel", 300, route="intravenous", times_per_day=None, interval_h=504),
    ),
    "a-dose-by-surface-without-height": body(
        order("docetaxel", 300, route="intravenous", times_per_day=None, interval_h=504), who=patient(height_cm=None)
    ),
    "a-dose-by-weight": body(
        order("enoxaparin", 150, route=SC, times_per_day=2),
        order("enoxaparin", 40, route=SC, times_per_day=None, prn=True, max_times_per_day=1),
    ),
    "a-dose-by-weight-without-weight": body(
        order("enoxaparin", 150, route=SC, times_per_day=2), who=patient(weight_kg=None)
    ),
    "a-limit-of-one-use": body(
        order("amitriptyline", 150), order("aspirin", 600, times_per_day=2), order("apixaban", 10, times_per_day=2)
    ),
    "a-limit-of-one-use-stated": body(
        order("amitriptyline", 150, indication="neuropathic pain"),
        order("apixaban", 10, times_per_day=2, indication="atrial fibrillation"),
    ),
    "a-limit-in-one-form": body(order("tramadol", 150, times_per_day=4), order("tapentadol", 300, times_per_day=2)),
    "a-local-route": body(
        order("diclofenac", 10, route="topical", times_per_day=4),
        order("timolol", 1, route="ophthalmic"),
        order("hydrocortisone", 10, route="topical"),
        who=patient(conditions=["asthma", "heart failure"]),
    ),
    "simvastatin-with-its-cap": body(
        order("simvastatin", 40), order("amlodipine", 10), order("diltiazem", 120, times_per_day=2)
    ),
    # Duplicates
    "two-routes-of-one": body(
        order("metoclopramide", 10, times_per_day=3),
        order("metoclopramide", 30, "mg/24h", route="subcutaneous infusion", times_per_day=None),
    ),
    "regular-and-as-needed-of-one": body(
        order("lorazepam", 1), order("lorazepam", 0.5, times_per_day=None, prn=True, max_times_per_day=2)
    ),
    "two-products-of-one": body(
        order(
            "co-codamol",
            2,
            "tablets",
            times_per_day=4,
            components=["codeine", "paracetamol"],
            strength="30 mg/500 mg per tablet",
        ),
        order("paracetamol", 500, times_per_day=None, prn=True, max_times_per_day=4),
    ),
    "two-long-acting-of-one-opioid": body(MORPHINE, order("morphine", 60, times_per_day=1, form=MR), LAXATIVE),
    "two-long-acting-opioids": body(MORPHINE, OXYCODONE, LAXATIVE),
    "a-patch-beside-a-tablet": body(PATCH, MORPHINE, LAXATIVE),
    "a-weak-beside-a-strong": body(MORPHINE, order("codeine", 30, times_per_day=4), LAXATIVE),
    "a-weak-one-as-needed": body(
        MORPHINE, order("codeine", 30, times_per_day=None, prn=True, max_times_per_day=4), LAXATIVE
    ),
    "two-of-a-class": body(
        order("ibuprofen", 400, times_per_day=3), order("naproxen", 500, times_per_day=2), order("celecoxib", 200)
    ),
    "two-benzodiazepines": body(order("diazepam", 5, times_per_day=2), order("temazepam", 20)),
    "two-anticoagulants": body(
        order("apixaban", 5, times_per_day=2), order("enoxaparin", 80, route=SC, times_per_day=2)
    ),
    "two-of-a-class-in-one-product": body(
        order("co-amilofruse", 1, "tablets", components=["amiloride", "furosemide"], strength="5 mg/40 mg per tablet")
    ),
    # Kidneys
    "kidneys-avoid": body(
        order("metformin", 500, times_per_day=2), order("nitrofurantoin", 100, times_per_day=2), who=failing()
    ),
    "kidneys-reduce": body(
        order("gabapentin", 600, times_per_day=3),
        order("levetiracetam", 1500, times_per_day=2),
        order("pregabalin", 150, times_per_day=2),
        who=failing(200),
    ),
    "kidneys-a-dose-that-fits": body(
        order("gabapentin", 100, times_per_day=2), order("levetiracetam", 250, times_per_day=2), who=failing(200)
    ),
    "kidneys-a-dose-not-known": body(
        order("gabapentin"), order("enoxaparin", route=SC), order("digoxin"), who=failing(250)
    ),
    "kidneys-lengthen-the-interval": body(
        order("famotidine", 40, times_per_day=2),
        order("tramadol", 100, times_per_day=4),
        order("fluconazole", 200),
        who=failing(350),
    ),
    "kidneys-and-metabolites": body(
        MORPHINE,
        order("codeine", 30, times_per_day=4),
        order("midazolam", 10, "mg/24h", route="subcutaneous infusion", times_per_day=None),
        LAXATIVE,
        who=failing(300),
    ),
    "kidneys-unknown": body(
        order("gabapentin", 600, times_per_day=3),
        MORPHINE,
        order("paracetamol", 500, times_per_day=3),
        who=patient(creatinine=None),
    ),
    "kidneys-without-weight": body(
        order("gabapentin", 600, times_per_day=3), order("metformin", 500, times_per_day=2), who=patient(weight_kg=None)
    ),
    "kidneys-getting-worse": body(
        order("gabapentin", 300, times_per_day=3),
        order("apixaban", 5, times_per_day=2),
        order("metformin", 500, times_per_day=2),
        who=failing(130, previous_creatinine=lab(70) | {"taken_on": "2026-11-18"}),
    ),
    "kidneys-getting-better": body(
        order("gabapentin", 300, times_per_day=3),
        who=failing(130, previous_creatinine=lab(260) | {"taken_on": "2026-11-18"}),
    ),
    "kidneys-acute-by-name": body(
        order("gabapentin", 300, times_per_day=3),
        order("naproxen", 250, times_per_day=2),
        who=failing(110, conditions=["acute kidney injury"]),
    ),
    "kidneys-far-too-fast": body(
        order("gabapentin", 300, times_per_day=3),
        who=failing(260, previous_creatinine=lab(70) | {"taken_on": "2026-11-18"}),
    ),
    "kidneys-studied": body(
        order("apixaban", 5, times_per_day=2), order("rosuvastatin", 10), order("sitagliptin", 100), who=failing(200)
    ),
    "haemodialysis": body(
        MORPHINE,
        order("gabapentin", 300),
        order("flurazepam", 15),
        order("levetiracetam", 500, times_per_day=2),
        order("baclofen", 10, times_per_day=3),
        LAXATIVE,
        who=failing(600, dialysis="haemodialysis"),
    ),
    "peritoneal-dialysis": body(
        order("gabapentin", 300),
        order("metformin", 500),
        order("fluconazole", 100),
        who=failing(600, dialysis="peritoneal"),
    ),
    "continuous-replacement": body(
        order("meropenem", 1000, times_per_day=2, route="intravenous"),
        order("gabapentin", 300),
        who=failing(400, dialysis="crrt"),
    ),
    "dialysis-not-stated": body(order("gabapentin", 300), order("baclofen", 5), who=failing(600, dialysis=None)),
    "a-loading-dose": body(
        order("digoxin", 500, "mcg", phase="single-dose"),
        order("enoxaparin", 80, route=SC, phase="single-dose"),
        who=failing(250),
    ),
    # Liver
    "liver-severe": body(
        MORPHINE,
        order("paracetamol", 1000, times_per_day=4),
        order("tramadol", 50, times_per_day=4),
        order("diazepam", 5),
        order("abemaciclib", 150, times_per_day=2),
        LAXATIVE,
        who=cirrhotic(),
    ),
    "liver-moderate": body(
        order("mirtazapine", 30),
        order("ondansetron", 8, times_per_day=2),
        who=cirrhotic(bilirubin=lab(40), albumin=lab(30, "g/L"), inr=1.6, ascites="mild"),
    ),
    "liver-partly-known": body(
        order("tramadol", 50, times_per_day=4),
        order("rivaroxaban", 20),
        who=cirrhotic(albumin=None, inr=None, ascites=None),
    ),
    "liver-unknown": body(
        order("tramadol", 50, times_per_day=4),
        order("rivaroxaban", 20),
        who=patient(bilirubin=None, albumin=None, ascites=None, encephalopathy=None),
    ),
    "liver-bile": body(
        order("docetaxel", 120, route="intravenous", times_per_day=None, interval_h=504),
        order("vincristine", 2, route="intravenous", times_per_day=None, interval_h=168),
        order("ceftriaxone", 2000, route="intravenous"),
        who=patient(
            conditions=["biliary obstruction"],
            bilirubin=lab(120),
            alp={"value": 900, "unit": "U/L", "taken_on": "2026-11-20"},
        ),
    ),
    "liver-studied": body(
        order("carvedilol", 12.5, times_per_day=2),
        order("repaglinide", 1, times_per_day=3),
        order("lorcainide", 100),
        who=cirrhotic(),
    ),
    "liver-without-a-record": body(
        order("glucosamine", 1500),
        order("nystatin", 1, "mL", times_per_day=4),
        order("simeticone", 100, times_per_day=3),
        who=cirrhotic(),
    ),
    # Opioid safety
    "tolerant-only-in-the-naive": body(
        new=[PATCH, order("fentanyl", 100, "mcg", route="buccal", times_per_day=None, prn=True, max_times_per_day=4)]
    ),
    "tolerant-only-at-too-little": body(order("morphine", 5, times_per_day=4), new=[PATCH]),
    "tolerant-only-too-soon": body(
        MORPHINE | {"taken_for_days": 3},
        LAXATIVE,
        new=[order("fentanyl", 100, "mcg", route="buccal", times_per_day=None, prn=True, max_times_per_day=4)],
    ),
    "tolerant-only-since-when": body(
        MORPHINE,
        LAXATIVE,
        new=[order("fentanyl", 100, "mcg", route="buccal", times_per_day=None, prn=True, max_times_per_day=4)],
    ),
    "tolerant-only-after-a-month": body(
        MORPHINE | {"taken_for_days": 30},
        LAXATIVE,
        new=[order("fentanyl", 100, "mcg", route="buccal", times_per_day=None, prn=True, max_times_per_day=4)],
    ),
    "long-acting-in-the-naive": body(new=[MORPHINE, LAXATIVE]),
    "a-rescue-dose-too-large": body(MORPHINE, RESCUE | {"dose": 20}, LAXATIVE),
    "a-rescue-dose-far-too-large": body(MORPHINE, RESCUE | {"dose": 40}, LAXATIVE),
    "a-rescue-dose-too-small": body(order("morphine", 100, times_per_day=2, form=MR), RESCUE | {"dose": 2.5}, LAXATIVE),
    "a-rescue-dose-of-another": body(
        PATCH, order("oxycodone", 15, times_per_day=None, prn=True, max_times_per_day=6), LAXATIVE
    ),
    "slow-breathing": body(MORPHINE, LAXATIVE, who=patient(respiratory_rate=6, sedation="difficult to rouse")),
    "slowish-breathing-and-drowsy": body(MORPHINE, LAXATIVE, who=patient(respiratory_rate=9, sedation="drowsy")),
    "myoclonus": body(
        MORPHINE, LAXATIVE, who=failing(250, sedation="drowsy"), symptoms=[{"name": "myoclonus", "score": 5}]
    ),
    "myoclonus-with-kidneys-rising": body(
        MORPHINE,
        LAXATIVE,
        who=failing(110, previous_creatinine=lab(60) | {"taken_on": "2026-11-18"}),
        symptoms=[{"name": "myoclonus", "score": 5}],
    ),
    "allodynia-of-nerve-pain": body(
        MORPHINE, LAXATIVE, symptoms=[{"name": "allodynia", "score": 5}, {"name": "neuropathic pain", "score": 6}]
    ),
    "allodynia-alone": body(MORPHINE, LAXATIVE, symptoms=[{"name": "allodynia", "score": 5}]),
    "clouded-with-failing-kidneys": body(
        MORPHINE,
        LAXATIVE,
        who=failing(300),
        symptoms=[{"name": "drowsiness", "score": 7}, {"name": "delirium", "score": 4}],
    ),
    "clouded-with-kidneys-unknown": body(MORPHINE, LAXATIVE, who=patient(creatinine=None, conditions=["delirium"])),
    "clouded-on-dialysis": body(
        MORPHINE, LAXATIVE, who=failing(500, dialysis="haemodialysis"), symptoms=[{"name": "drowsiness", "score": 6}]
    ),
    "clouded-by-cystatin": body(
        MORPHINE,
        LAXATIVE,
        who=patient(
            creatinine=None, weight_kg=None, cystatin_c={"value": 4.0, "unit": "mg/L", "taken_on": "2026-11-20"}
        ),
        symptoms=[{"name": "drowsiness", "score": 6}],
    ),
    "drowsy-without-a-score": body(MORPHINE, LAXATIVE, who=failing(300), symptoms=[{"name": "drowsiness"}]),
    "an-implausible-new-dose": body(MORPHINE, LAXATIVE, new=[order("morphine", 300, times_per_day=2, form=MR)]),
    "an-implausible-standing-dose": body(order("morphine", 2000, times_per_day=2, form=MR), LAXATIVE),
    "a-high-daily-dose": body(order("morphine", 50, times_per_day=2, form=MR), LAXATIVE),
    "too-large-a-step": body(
        MORPHINE, LAXATIVE, new=[order("morphine", 70, times_per_day=2, form=MR, replaces="regimen.0")]
    ),
    "a-step-of-the-right-size": body(
        MORPHINE, LAXATIVE, new=[order("morphine", 40, times_per_day=2, form=MR, replaces="regimen.0")]
    ),
    "a-conversion-too-large": body(
        MORPHINE, LAXATIVE, new=[order("oxycodone", 40, times_per_day=2, form=MR, replaces="regimen.0")]
    ),
    "a-conversion-too-small": body(
        order("morphine", 100, times_per_day=2, form=MR),
        LAXATIVE,
        new=[order("oxycodone", 10, times_per_day=2, form=MR, replaces="regimen.0")],
    ),
    "a-conversion-with-rescue-doses": body(
        MORPHINE,
        RESCUE | {"doses_last_24h": 5},
        LAXATIVE,
        new=[order("oxycodone", 30, times_per_day=2, form=MR, replaces="regimen.0")],
    ),
    "an-opioid-on-top": body(MORPHINE, LAXATIVE, new=[order("oxycodone", 30, times_per_day=2, form=MR)]),
    "methadone-in-the-place-of-morphine": body(
        order("morphine", 100, times_per_day=2, form=MR),
        LAXATIVE,
        new=[order("methadone", 5, times_per_day=3, replaces="regimen.0")],
    ),
    # Pathways
    "an-inhibitor": body(PATCH, LAXATIVE, new=[order("clarithromycin", 500, times_per_day=2)]),
    "two-inhibitors": body(
        order("midazolam", 7.5), order("clarithromycin", 500, times_per_day=2), order("fluconazole", 200)
    ),
    "three-inhibitors": body(
        order("quetiapine", 200),
        order("ritonavir", 100),
        order("diltiazem", 120, times_per_day=2),
        order("fluconazole", 200),
    ),
    "an-inducer": body(order("apixaban", 5, times_per_day=2), order("rifampicin", 600)),
    "an-inducer-begun-a-month-ago": body(
        order("apixaban", 5, times_per_day=2), order("rifampicin", 600, taken_for_days=40, started_on="2026-10-14")
    ),
    "an-inducer-and-an-inhibitor": body(order("midazolam", 7.5), order("rifampicin", 600), order("itraconazole", 200)),
    "a-prodrug": body(
        order("codeine", 30, times_per_day=4),
        order("clopidogrel", 75),
        order("tamoxifen", 20),
        order("paroxetine", 20),
        order("omeprazole", 20),
        LAXATIVE,
    ),
    "absorption": body(
        order("ciprofloxacin", 500, times_per_day=2),
        order("ferrous sulfate", 200, times_per_day=2),
        order("levothyroxine", 100, "mcg"),
        order("calcium carbonate", 1250, times_per_day=2),
    ),
    "acid": body(order("itraconazole", 200, form="capsule"), order("erlotinib", 150), order("omeprazole", 20)),
    "a-parenteral-victim": body(
        order("midazolam", 10, "mg/24h", route="subcutaneous infusion", times_per_day=None), order("itraconazole", 200)
    ),
    "an-inhibitor-stopped": body(
        order("midazolam", 7.5),
        order("apixaban", 5, times_per_day=2),
        recently_stopped=[stopped("itraconazole", 200, 2, 30)],
    ),
    "an-inducer-stopped": body(
        PATCH, order("warfarin", 3), LAXATIVE, recently_stopped=[stopped("carbamazepine", 200, 3, 300, times_per_day=2)]
    ),
    "an-inducer-stopped-long-ago": body(order("warfarin", 3), recently_stopped=[stopped("rifampicin", 600, 60, 100)]),
    "tobacco-stopped": body(
        order("olanzapine", 10),
        order("theophylline", 200, times_per_day=2),
        order("clozapine", 200),
        who=patient(smoking={"status": "stopped", "days_ago": 3}),
    ),
    "tobacco-taken": body(order("olanzapine", 10), who=patient(smoking={"status": "current"})),
    "tobacco-not-stated": body(
        order("olanzapine", 10), order("theophylline", 200, times_per_day=2), who=patient(smoking={"status": "stopped"})
    ),
    "a-genotype-and-an-inhibitor": body(
        order("tramadol", 50, times_per_day=4),
        order("paroxetine", 20),
        LAXATIVE,
        who=patient(genotypes={"CYP2D6": "intermediate"}),
    ),
    "grapefruit": body(order("simvastatin", 40), order("grapefruit", None, times_per_day=None)),
    # Routes
    "a-form-down-a-tube": body(
        MORPHINE | {"route": "nasogastric tube"},
        order("omeprazole", 20, route="gastrostomy tube", form="gastro-resistant capsule"),
        order("sodium valproate", 500, times_per_day=2, route="nasogastric tube", form=MR),
        LAXATIVE,
    ),
    "a-route-never": body(
        order("vincristine", 2, route="intrathecal", times_per_day=None, interval_h=168),
        order("potassium chloride", 20, "mmol", route="intravenous"),
    ),
    "a-route-not-on-record": body(
        order("gabapentin", 300, route="rectal", times_per_day=3), order("senna", 15, route="intravenous")
    ),
    # Stopping
    "a-sudden-stop": body(
        LAXATIVE,
        recently_stopped=[
            stopped("prednisolone", 20, 2, 60),
            stopped("morphine", 60, 1, 100, times_per_day=2, form=MR),
            stopped("diazepam", 5, 3, 200, times_per_day=2),
        ],
    ),
    "a-sudden-stop-after-how-long": body(
        LAXATIVE,
        recently_stopped=[stopped("prednisolone", 20, 2, None), stopped("baclofen", 20, 1, None, times_per_day=3)],
    ),
    "a-sharp-cut": body(
        order("gabapentin", 600, times_per_day=3, taken_for_days=90),
        new=[order("gabapentin", 100, times_per_day=3, replaces="regimen.0")],
    ),
    "a-gentle-cut": body(
        order("gabapentin", 600, times_per_day=3, taken_for_days=90),
        new=[order("gabapentin", 500, times_per_day=3, replaces="regimen.0")],
    ),
    "a-stop-that-is-covered": body(
        order("oxycodone", 20, times_per_day=2, form=MR, taken_for_days=2),
        LAXATIVE,
        recently_stopped=[stopped("morphine", 60, 1, 100, times_per_day=2, form=MR)],
    ),
    "a-stop-perhaps-covered": body(
        order("oxycodone", 20, times_per_day=2, form=MR),
        LAXATIVE,
        recently_stopped=[stopped("morphine", 60, 1, 100, times_per_day=2, form=MR)],
    ),
    "a-stop-without-a-day": body(LAXATIVE, recently_stopped=[stopped("clonidine", 0.1, None, 60, times_per_day=3)]),
    "stops-in-heart-disease": body(
        LAXATIVE,
        who=patient(conditions=["ischaemic heart disease"]),
        recently_stopped=[stopped("bisoprolol", 5, 1, 400)],
    ),
    # What was left out
    "only-names": {
        "as_of": "2026-11-23",
        "regimen": [{"drug": "morphine"}, {"drug": "haloperidol"}, {"drug": "theophylline"}, {"drug": "codeine"}],
    },
    "as-needed-not-stated": body(
        {"drug": "morphine", "dose": 10, "unit": "mg", "route": "oral"},
        order("oxycodone", 20, times_per_day=2),
        LAXATIVE,
        symptoms=[{"name": "pain", "score": 6}],
    ),
    "perhaps-in-the-place-of-another": body(
        MORPHINE, LAXATIVE, new=[order("oxycodone", 20, times_per_day=2, form=MR), order("senna", 7.5)]
    ),
    "forms-not-stated": body(
        order("tramadol", 100, times_per_day=2),
        order("morphine", 30, times_per_day=2),
        order("diltiazem", 60, times_per_day=3),
        order("posaconazole", 300),
        LAXATIVE,
    ),
    "lists-not-stated": {
        "as_of": "2026-11-23",
        "patient": {k: v for k, v in patient().items() if k not in ("allergies", "conditions")},
        "regimen": [LAXATIVE],
    },
    # More of what was left out
    "a-clouded-mind-without-weight-or-age": body(
        MORPHINE, LAXATIVE, who=patient(weight_kg=None, age_years=None, height_cm=None, conditions=["delirium"])
    ),
    "dialysis-not-stated-at-good-function": body(
        order("gabapentin", 300), order("metformin", 500, times_per_day=2), who=patient(dialysis=None)
    ),
    "dialysis-not-stated-at-poor-function": body(
        order("paracetamol", 500, times_per_day=3),
        order("enoxaparin", 40, route=SC),
        order("gabapentin", 100),
        who=failing(420, dialysis=None),
    ),
    "dialysis-not-stated-and-kidneys-unknown": body(
        order("gabapentin", 100), order("colecalciferol", 800, "units"), who=patient(dialysis=None, creatinine=None)
    ),
    "smoking-not-stated": body(
        order("theophylline", 200, times_per_day=2, form=MR),
        order("ethinylestradiol", 30, "mcg"),
        who=patient(smoking=None),
    ),
    "smoking-taken-up-again": body(order("clozapine", 200), who=patient(smoking={"status": "never"})),
    "history-not-stated": body(order("paracetamol", 1000, times_per_day=4), symptoms=[{"name": "pain", "score": 5}]),
    "an-opioid-as-needed-without-form": body(
        order("tramadol", 50, times_per_day=None, prn=True, max_times_per_day=4),
        order("morphine", 20, times_per_day=2),
        LAXATIVE,
    ),
    "everything-stated": body(
        order("paracetamol", 1000, times_per_day=4, form="tablet"),
        who=patient(smoking={"status": "never"}),
        symptoms=[],
        history=[],
        recently_stopped=[],
    ),
    # More of opioid safety
    "drowsy-by-sedation-alone": body(MORPHINE, LAXATIVE, who=failing(300, sedation="drowsy")),
    "drowsy-just-enough": body(MORPHINE, LAXATIVE, who=failing(300), symptoms=[{"name": "drowsiness", "score": 4}]),
    "drowsy-not-quite": body(MORPHINE, LAXATIVE, who=failing(300), symptoms=[{"name": "drowsiness", "score": 3}]),
    "delirium-as-a-symptom": body(MORPHINE, LAXATIVE, who=failing(300), symptoms=[{"name": "delirium", "score": 6}]),
    "breathing-not-known": body(MORPHINE, LAXATIVE, who=patient(respiratory_rate=None, sedation="unresponsive")),
    "slow-breathing-sedation-not-known": body(MORPHINE, LAXATIVE, who=patient(respiratory_rate=7, sedation=None)),
    "opioids-for-just-long-enough": body(
        MORPHINE | {"taken_for_days": 7},
        LAXATIVE,
        new=[order("fentanyl", 100, "mcg", route="buccal", times_per_day=None, prn=True, max_times_per_day=4)],
    ),
    "a-patch-in-the-place-of-a-smaller-one": body(
        PATCH, LAXATIVE, new=[PATCH | {"dose": 37.5, "replaces": "regimen.0"}]
    ),
    "a-restricted-form-beside-a-free-one": body(new=[RESCUE, PATCH, LAXATIVE]),
    "a-mixed-agonist": body(
        order("pentazocine", 50, times_per_day=4), order("nalbuphine", 10, route=SC, times_per_day=4)
    ),
    "creatinine-rising-a-little": body(
        MORPHINE,
        LAXATIVE,
        who=failing(100, previous_creatinine=lab(80) | {"taken_on": "2026-11-10"}),
        symptoms=[{"name": "myoclonus", "score": 3}],
    ),
    "neurotoxic-on-dialysis": body(
        MORPHINE, LAXATIVE, who=failing(500, dialysis="peritoneal"), symptoms=[{"name": "hallucinations", "score": 3}]
    ),
    "a-step-exactly-at-the-limit": body(
        MORPHINE, LAXATIVE, new=[order("morphine", 60, times_per_day=2, form=MR, replaces="regimen.0")]
    ),
    "two-new-in-the-place-of-two": body(
        MORPHINE,
        OXYCODONE,
        LAXATIVE,
        new=[
            order("morphine", 80, times_per_day=2, form=MR, replaces="regimen.0"),
            order("hydromorphone", 24, times_per_day=1, form=MR, replaces="regimen.1"),
        ],
    ),
    "a-prompt-exactly-at-its-bound": body(order("morphine", 25, times_per_day=2, form=MR), LAXATIVE),
    "an-implausible-dose-exactly": body(
        order("morphine", 20, times_per_day=2, form=MR),
        LAXATIVE,
        new=[order("morphine", 200, times_per_day=2, form=MR)],
    ),
    "two-on-top": body(
        MORPHINE,
        LAXATIVE,
        new=[
            order("oxycodone", 5, times_per_day=None, prn=True, max_times_per_day=4),
            order("oxycodone", 10, times_per_day=4),
        ],
    ),
    # More of kidneys and liver
    "kidneys-recovering-by-name": body(
        order("gabapentin", 300, times_per_day=3),
        who=failing(130, conditions=["acute kidney injury"], previous_creatinine=lab(260) | {"taken_on": "2026-11-18"}),
    ),
    "bile-flow-obstructed": body(
        order("vincristine", 2, route="intravenous", times_per_day=None, interval_h=168),
        order("candesartan", 8),
        order("rifampicin", 600),
        order("omeprazole", 20),
        who=patient(
            conditions=["cholestasis"], bilirubin=lab(120), alp={"value": 900, "unit": "U/L", "taken_on": "2026-11-20"}
        ),
    ),
    "bile-flow-not-obstructed": body(
        order("candesartan", 8), order("vincristine", 2, route="intravenous", times_per_day=None, interval_h=168)
    ),
    "encephalopathy-not-stated": body(order("tramadol", 50, times_per_day=4), who=cirrhotic(encephalopathy=None)),
    "a-liver-not-suspected": body(order("rivaroxaban", 20), who=patient(albumin=None, encephalopathy=None, inr=None)),
    "studied-on-dialysis": body(
        order("apixaban", 5, times_per_day=2),
        order("sitagliptin", 25),
        order("rosuvastatin", 5),
        order("duloxetine", 30),
        who=failing(600, dialysis="haemodialysis"),
    ),
    "studied-in-a-mild-loss": body(
        order("carvedilol", 6.25, times_per_day=2),
        order("duloxetine", 30),
        order("lidocaine", 60, route="intravenous", times_per_day=1),
        who=cirrhotic(bilirubin=lab(20), albumin=lab(36, "g/L"), inr=1.2, ascites="none"),
    ),
    # More of pathways
    "a-prodrug-made-faster": body(
        order("clopidogrel", 75), order("rifampicin", 600), order("cyclophosphamide", 100), order("tamoxifen", 20)
    ),
    "a-gel-in-the-mouth": body(order("warfarin", 3), order("miconazole", 125, route="oromucosal", times_per_day=4)),
    "on-the-skin": body(order("warfarin", 3), order("ketoconazole", 20, route="topical")),
    "an-antacid": body(
        order("ciprofloxacin", 500, times_per_day=2),
        order("dolutegravir", 50),
        order("calcium carbonate", 1250, times_per_day=3),
        order("sucralfate", 1000, times_per_day=4),
    ),
    "cations-by-vein": body(
        order("ciprofloxacin", 500, times_per_day=2),
        order("iron sucrose", 200, route="intravenous", times_per_day=None, interval_h=168),
    ),
    "a-proton-pump-inhibitor-by-vein": body(
        order("itraconazole", 200, form="capsule"), order("omeprazole", 40, route="intravenous")
    ),
    "two-inducers": body(
        order("midazolam", 7.5), order("carbamazepine", 200, times_per_day=2), order("dexamethasone", 8)
    ),
    "an-inhibitor-beside-an-inducer-of-another-pathway": body(
        order("warfarin", 3),
        order("carbamazepine", 200, times_per_day=2),
        order("fluconazole", 200),
        order("amiodarone", 200),
    ),
    "a-poor-metaboliser-with-an-inducer": body(
        order("omeprazole", 20),
        order("citalopram", 20),
        order("rifampicin", 600),
        who=patient(genotypes={"CYP2C19": "poor"}),
    ),
    "a-new-order-against-what-acts": body(
        order("clarithromycin", 500, times_per_day=2), order("rifampicin", 600), new=[order("simvastatin", 40)]
    ),
    "one-inhibitor-twice": body(
        order("simvastatin", 20), order("fluconazole", 50), order("fluconazole", 400, phase="single-dose")
    ),
    "a-stopped-inhibitor-nearly-gone": body(
        order("simvastatin", 20),
        recently_stopped=[stopped("clarithromycin", 500, 4, 14, times_per_day=2), stopped("amiodarone", 200, 30, 300)],
    ),
    # More of stopping, allergies, limits, duplicates
    "a-stop-of-an-as-needed-medicine": body(
        LAXATIVE,
        recently_stopped=[
            stopped("lorazepam", 1, 1, 200, times_per_day=None, prn=True, max_times_per_day=2),
            stopped("dexamethasone", 8, 1, 1, phase="single-dose"),
        ],
    ),
    "a-stop-with-only-its-start": {
        **body(LAXATIVE),
        "recently_stopped": [
            order("prednisolone", 20, days_ago=2, started_on="2026-08-01"),
            order("sertraline", 100, days_ago=3, started_on="2026-11-18"),
        ],
    },
    "a-cut-by-another-route": body(
        order("morphine", 60, times_per_day=2, form=MR, taken_for_days=90),
        LAXATIVE,
        new=[order("morphine", 10, "mg/24h", route="subcutaneous infusion", times_per_day=None, replaces="regimen.0")],
    ),
    "a-reaction-that-is-none": body(order("metoclopramide", 10, times_per_day=3), who=allergic("haloperidol", "rash")),
    "an-allergy-to-a-named-class": body(
        order("naproxen", 500, times_per_day=2),
        order("celecoxib", 200),
        order("co-trimoxazole", 960, times_per_day=2),
        who=patient(
            allergies=[
                {"substance": "NSAIDs", "reaction": "wheeze"},
                {"substance": "sulfonamides", "reaction": "Stevens-Johnson syndrome"},
            ]
        ),
    ),
    "an-excipient-by-mouth": body(
        order("amiodarone", 200), order("etoposide", 100, form="capsule"), who=allergic("polysorbate 80", "rash")
    ),
    "exactly-at-a-limit": body(
        order("paracetamol", 1000, times_per_day=4),
        order("haloperidol", 10),
        order("metoclopramide", 10, times_per_day=3),
        order("alendronic acid", 70, times_per_day=None, interval_h=168),
    ),
    "a-limit-by-weight-exactly": body(order("enoxaparin", 75, route=SC, times_per_day=2)),
    "two-opioids-of-one-order-each-twice": body(MORPHINE, MORPHINE | {"dose": 10}, OXYCODONE, LAXATIVE),
    "two-of-one-class-and-three-of-another": body(
        order("sertraline", 50),
        order("citalopram", 20),
        order("ramipril", 5),
        order("lisinopril", 5),
        order("losartan", 50),
    ),
    "a-long-list-of-one-burden": body(
        order("haloperidol", 1.5),
        order("citalopram", 20),
        order("ondansetron", 8),
        order("amitriptyline", 25),
        order("erythromycin", 500, times_per_day=4),
        order("methadone", 5, times_per_day=3),
        order("domperidone", 10, times_per_day=3),
        LAXATIVE,
    ),
    # Tubes, and the days of a stop
    "a-form-down-a-tube-without-a-rule-of-its-own": body(
        order("diltiazem", 120, times_per_day=2, form=MR, route="gastrostomy tube"),
        order("isosorbide mononitrate", 60, form=MR, route="nasogastric tube"),
        order("felodipine", 5, form=MR, route="jejunostomy tube"),
        order("sulfasalazine", 500, form="gastro-resistant tablet", route="nasogastric tube"),
    ),
    "a-liquid-down-a-tube": body(
        order("morphine", 10, form="oral solution", route="gastrostomy tube", times_per_day=6), LAXATIVE
    ),
    "a-stop-today": body(
        LAXATIVE,
        recently_stopped=[stopped("dexamethasone", 8, 0, 60), stopped("clonidine", 0.1, 0, 60, times_per_day=3)],
    ),
    "stops-at-their-bounds": body(
        LAXATIVE,
        recently_stopped=[
            stopped("prednisolone", 10, 7, 21),
            stopped("sertraline", 100, 7, 28),
            stopped("diazepam", 10, 14, 14),
            stopped("gabapentin", 300, 7, 7, times_per_day=3),
        ],
    ),
    "stops-past-their-bounds": body(
        LAXATIVE,
        recently_stopped=[
            stopped("prednisolone", 10, 40, 21),
            stopped("sertraline", 100, 60, 28),
            stopped("diazepam", 10, 90, 14),
        ],
    ),
    "one-of-two-orders-stopped": body(
        order("gabapentin", 300, times_per_day=1, taken_for_days=90),
        recently_stopped=[stopped("gabapentin", 600, 1, 90, times_per_day=2)],
    ),
    "a-cut-of-half": body(
        order("diazepam", 10, times_per_day=2, taken_for_days=90),
        order("prednisolone", 20, taken_for_days=90),
        new=[
            order("diazepam", 5, times_per_day=2, replaces="regimen.0"),
            order("prednisolone", 10, replaces="regimen.1"),
        ],
    ),
    "a-new-order-of-none": body(
        order("baclofen", 20, times_per_day=3, taken_for_days=90),
        new=[order("baclofen", 5, times_per_day=1, replaces="regimen.0"), order("diazepam", 2)],
    ),
}
