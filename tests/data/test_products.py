"""The terminology tables: every row well-formed, no contradictions among them, and names as people write them resolved."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from medsafe.identity.names import NameIndex, Strength, reconcile
from medsafe.identity.text import normalise_name
from medsafe.model.vocabulary import FORMS, ROUTES
from medsafe.terminology import build_rxnorm, tables
from medsafe.terminology.embedded import DrugNames, build_name_index

FORMULARY = Path(__file__).parents[2] / "formulary"
REGIONS = {"US", "UK", "EU", "AU", "CA", "CH", "DE", "ES", "FR", "IN"}
RELEASES = ("modified-release", "immediate-release", "gastro-resistant")
RELEASED = {f"{release} {form}" for release in RELEASES for form in ("tablet", "capsule")}


def read(file: str) -> list[dict[str, str]]:
    with (FORMULARY / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def built() -> tuple[NameIndex, list[str]]:
    return build_name_index(FORMULARY, [DrugNames("morphine", "morphine", brands=("MS Contin",)), *INSULIN])


INSULIN = [DrugNames("insulin", "insulin", synonyms=("insulin glargine", "insulin lispro"))]


@pytest.fixture(scope="module")
def index(built: tuple[NameIndex, list[str]]) -> NameIndex:
    return built[0]


# ---- rows


def test_the_tables_can_be_read_without_a_problem(built: tuple[NameIndex, list[str]]) -> None:
    assert built[1] == []


@pytest.mark.parametrize("row", read(tables.PRODUCTS), ids=lambda r: f"{r['product']} {r['strengths']}")
def test_every_product_is_well_formed(row: dict[str, str]) -> None:
    tables.product(row)
    assert row["product"] == row["product"].strip() != ""
    assert set(row["region"].split("+")) <= REGIONS
    assert row["form"] in FORMS | RELEASED | {""}
    assert row["route"] in ROUTES | {""}


def test_no_product_is_listed_twice() -> None:
    keys = Counter(
        (normalise_name(r["product"]), r["ingredients"], r["strengths"], r["form"]) for r in read(tables.PRODUCTS)
    )
    assert [key for key, count in keys.items() if count > 1] == []


def test_variants_of_a_product_have_the_same_ingredients_unless_form_and_strength_tell_them_apart() -> None:
    found: dict[str, list[dict[str, str]]] = {}
    for row in read(tables.PRODUCTS):
        found.setdefault(normalise_name(row["product"]), []).append(row)
    for name, group in found.items():
        if len({r["ingredients"] for r in group}) > 1:
            assert all(r["strengths"] and r["form"] for r in group), name


def test_hazards_say_what_they_are_and_where_it_is_said() -> None:
    rows = read(tables.HAZARDS)
    for row in rows:
        tables.hazard(row)
        assert "opened" in row["source"] or "recalled" in row["source"], row["text"]
    assert len({tables.hazard(row)[0] for row in rows}) == len(rows)


def test_aliases_are_plain_and_of_one_meaning() -> None:
    rows = read(tables.ALIASES)
    assert [r["alias"] for r in rows] == sorted({r["alias"] for r in rows})
    hazards = {tables.hazard(row)[0] for row in read(tables.HAZARDS)}
    for row in rows:
        assert row["alias"] == normalise_name(row["alias"])
        assert row["ingredient"] == tables.drug_id_of(row["ingredient"])
        assert row["alias"] not in hazards


def test_rxnorm_tables_are_well_formed() -> None:
    ingredients, products = read(tables.RXNORM_INGREDIENTS), read(tables.RXNORM_PRODUCTS)
    for row in products:
        tables.coded(row)
        assert row["form"] in FORMS | RELEASED | {""}, row
        assert row["route"] in ROUTES | {""}, row
    for rows in (ingredients, products):
        codes = [r["rxcui"] for r in rows]
        assert codes == sorted(set(codes), key=int)
    assert len(products) > 10_000
    assert all(r["tty"] in build_rxnorm.KINDS for r in products)


def test_a_faulty_row_is_named_and_left_out(tmp_path: Path) -> None:
    for file in (tables.HAZARDS, tables.ALIASES, tables.RXNORM_INGREDIENTS, tables.RXNORM_PRODUCTS):
        (tmp_path / file).write_bytes((FORMULARY / file).read_bytes())
    header = ",".join(tables.PRODUCT_COLUMNS)
    faults = [
        "Goodbrand,brand,morphine,,,,US,", "Badkind,brand,morphine;codeine,,,,US,", "Badid,brand,Morphine sulfate,,,,US,",
        "Badlist,combination,morphine;codeine,5 mg,,,US,", "Badstrength,brand,morphine,five,,,US,", "Nothing,brand,,,,,US,",
    ]  # fmt: skip
    (tmp_path / tables.PRODUCTS).write_text("\n".join([header, *faults]) + "\n", encoding="utf-8")
    index, problems = build_name_index(tmp_path, [])
    assert [p.split(":")[1].strip() for p in problems] == [f"line {n}" for n in range(3, 8)]
    assert index.resolve_name("Goodbrand").ids == {"morphine"}
    assert index.resolve_name("Badlist").status == "unknown"


def test_a_missing_table_and_wrong_columns_are_problems(tmp_path: Path) -> None:
    (tmp_path / tables.ALIASES).write_text("name,drug\nx,y\n", encoding="utf-8")
    index, problems = build_name_index(tmp_path, [DrugNames("morphine", "morphine")])
    assert index.resolve_name("morphine 5 mg").ids == {"morphine"}
    assert sum("cannot be read" in p for p in problems) == 4
    assert sum("wrong columns" in p for p in problems) == 1


# ---- sources of different trust


def test_a_record_keeps_its_names_and_a_combination_keeps_its_ingredients() -> None:
    drugs = [
        DrugNames("diphenoxylate", "diphenoxylate", brands=("Lomotil",)),
        DrugNames("ferrous-sulfate", "ferrous sulfate", synonyms=("ferrous fumarate",), codes={"rxnorm": ("24941",)}),
        DrugNames("morphine", "morphine", codes={"atc": ("N02AA01",), "gossip": ("1",)}),
        DrugNames("codeine", "codeine", codes={"snomed": ("1",)}),
        DrugNames("methadone", "methadone", codes={"snomed": ("1",)}),
    ]
    index, problems = build_name_index(FORMULARY, drugs)
    assert index.resolve_name("Lomotil").ids == {"diphenoxylate", "atropine"}
    assert any("Lomotil" in p for p in problems)
    assert any("gossip" in p for p in problems)
    assert index.resolve_name("ferrous fumarate 210 mg").ids == {"ferrous-sulfate"}
    assert index.resolve_code("rxnorm", "24941").ids == {"ferrous-sulfate"}
    assert index.resolve_code("rxnorm", "284202").ids == {"ferrous-sulfate"}
    assert {c.id for c in index.resolve_code("snomed", "1").candidates} == {"codeine", "methadone"}


def test_every_table_speaks_of_the_record_that_lists_a_name() -> None:
    index, problems = build_name_index(FORMULARY, [DrugNames("netupitant", "netupitant", synonyms=("fosnetupitant",))])
    assert index.resolve_name("Akynzeo IV").ids == {"netupitant", "palonosetron"}
    assert problems == []


def test_two_records_that_claim_one_name_are_told() -> None:
    drugs = [DrugNames("a-drug", "A drug", synonyms=("shared",)), DrugNames("b-drug", "B drug", synonyms=("shared",))]
    index, problems = build_name_index(FORMULARY, drugs)
    assert problems == ['drugs/b-drug: "shared" means b-drug here, but a-drug elsewhere; the latter stands']
    assert index.resolve_name("shared").ids == {"a-drug"}


def test_an_ingredient_without_a_record_is_named_not_unknown(index: NameIndex) -> None:
    assert index.resolve_name("benserazide").ids == {"benserazide"}
    assert index.resolve_name("tipiracil").ids == {"tipiracil"}


# ---- names as people write them

WRITTEN = {
    "morphine sulfate ER 15 mg tab": "morphine",
    "MS Contin 15mg": "morphine",
    "Oramorph 10mg/5ml": "morphine",
    "MST Continus 30 mg MR tablets BD": "morphine",
    "norco 5/325": "hydrocodone paracetamol",
    "co-codamol 30/500": "codeine paracetamol",
    "cocodamol 8/500 tabs": "codeine paracetamol",
    "Duragesic 25 mcg/h patch": "fentanyl",
    "fentanyl 25 MCG/HR 72 HR Transdermal Patch": "fentanyl",
    "Durogesic DTrans 12 micrograms/hour": "fentanyl",
    "Tylenol #3": "paracetamol codeine",
    "Tylenol 3": "paracetamol codeine",
    "Tylenol 500 mg caplets": "paracetamol",
    "Percocet 10-325 mg tablet": "oxycodone paracetamol",
    "oxycodone-acetaminophen 5 mg-325 mg tab": "oxycodone paracetamol",
    "Targinact 10 mg/5 mg prolonged-release tablets": "oxycodone naloxone",
    "Targin 20/10": "oxycodone naloxone",
    "Suboxone 8 mg/2 mg SL film": "buprenorphine naloxone",
    "Percodan": "oxycodone aspirin",
    "Vicoprofen": "hydrocodone ibuprofen",
    "Ultracet": "tramadol paracetamol",
    "Stalevo 100": "levodopa carbidopa entacapone",
    "Sinemet CR 50/200": "levodopa carbidopa",
    "levodopa/carbidopa": "levodopa carbidopa",
    "co-careldopa 25/100": "levodopa carbidopa",
    "Madopar 125": "levodopa benserazide",
    "Augmentin 875-125": "amoxicillin clavulanic-acid",
    "co-amoxiclav 500/125 mg TDS": "amoxicillin clavulanic-acid",
    "co-trimoxazole 960 mg": "sulfamethoxazole trimethoprim",
    "Bactrim DS": "sulfamethoxazole trimethoprim",
    "Septrin": "sulfamethoxazole trimethoprim",
    "Akynzeo": "netupitant palonosetron",
    "hyoscine butylbromide 20 mg SC": "hyoscine-butylbromide",
    "Buscopan 10mg": "hyoscine-butylbromide",
    "hyoscine hydrobromide 400 micrograms": "hyoscine-hydrobromide",
    "scopolamine 1 mg/3 days patch": "hyoscine-hydrobromide",
    "insulin glargine 100 units/mL": "insulin",
    "Humulin 70/30": "insulin",
    "St John's wort": "st-johns-wort",
    "St. John’s Wort 300 mg": "st-johns-wort",
    "co-trimoxazole": "sulfamethoxazole trimethoprim",
    "APAP 325 mg": "paracetamol",
    "acetaminophen": "paracetamol",
    "meperidine HCl 50 mg/mL inj": "pethidine",
    "methotrimeprazine": "levomepromazine",
    "frusemide 40mg": "furosemide",
    "5-FU": "fluorouracil",
    "epinephrine 1 mg/mL": "adrenaline",
    "zoledronic acid 4 mg/100 mL infusion": "zoledronic-acid",
    "dexamethasone (as sodium phosphate) 3.3 mg/mL": "dexamethasone",
    "sodium valproate 200 mg EC": "valproate",
    "divalproex sodium DR 500 mg": "valproate",
    "potassium chloride 20 mmol": "potassium-chloride",
    "lithium carbonate 400 mg": "lithium",
    "Penicillin V Potassium 500 MG": "phenoxymethylpenicillin",
    "Abraxane": "paclitaxel",
    "nab-paclitaxel": "paclitaxel",
    "pegfilgrastim 6 mg": "pegfilgrastim",
    "Emend 125 mg capsule": "aprepitant",
    "Emend 150 mg injection": "fosaprepitant",
    "Lasix 40mg": "furosemide",
    "Carbamazepine[Tegretol]": "carbamazepine",
    "haloperidol decanoate 50 mg IM": "haloperidol",
    "Movicol 1 sachet": "macrogol",
    "Senokot-S": "senna docusate",
    "Sativex": "dronabinol cannabidiol",
    "Lonsurf 15 mg": "trifluridine tipiracil",
    "Depo-Medrone with Lidocaine": "methylprednisolone lidocaine",
    "Simvistatin 10 MG": "simvastatin",
    "carboplatin 450 mg IV": "carboplatin",
    "trastuzumab-dkst 420 MG Injection": "trastuzumab",
    "Imipramine pamoate 75 MG Oral Capsule": "imipramine",
}


@pytest.mark.parametrize(("text", "expected"), WRITTEN.items())
def test_names_as_people_write_them(index: NameIndex, text: str, expected: str) -> None:
    found = index.resolve_name(text)
    assert (found.status, found.ids) == ("resolved", frozenset(expected.split()))


@pytest.mark.parametrize(
    "text",
    ["MS 15 mg", "MSO4", "MgSO4 2 g", "HCT 25 mg", "HCTZ", "AZT", "MTX 10 mg", "hyoscine 20 mg", "isosorbide 20 mg", "T3",
     "Benadryl", "magnesium",  "Emend",   "Dulcolax liquid"],
)  # fmt: skip
def test_hazardous_names_are_ambiguous(index: NameIndex, text: str) -> None:
    found = index.resolve_name(text)
    assert (found.status, found.components) == ("ambiguous", ())
    assert len(found.candidates) > 1 or "read as" in " ".join(found.doubts)


@pytest.mark.parametrize(
    "text",
    ["pegylated filgrastim", "morphin", "Tylenol Cold", "Tylenol 5", "no morphine", "sodium 0.9%",
     "Panadol Cold", "calcium gluconate", "hyoscine methonitrate", "water for injection", "Anadin Paracetamol Extra Plus"],
)  # fmt: skip
def test_what_only_resembles_is_unknown(index: NameIndex, text: str) -> None:
    found = index.resolve_name(text)
    assert (found.status, found.components) == ("unknown", ())


def test_misread_numbers_are_doubted(index: NameIndex) -> None:
    for text in ("haloperidol .5 mg", "haloperidol 1.0 mg", "insulin 10U", "heparin 5000 IU"):
        found = index.resolve_name(text)
        assert (found.status, found.strengths, len(found.doubts)) == ("resolved", (), 1), text


def test_products_bring_strength_form_and_route(index: NameIndex) -> None:
    targin = index.resolve_name("Targinact 20/10")
    assert [str(c.strength) for c in targin.components] == ["20 mg", "10 mg"]
    assert (targin.form, targin.route) == ("modified-release tablet", "oral")
    septrin = index.resolve_name("co-trimoxazole 960 mg")
    assert [c.strength for c in septrin.components] == [Strength(800, "mg"), Strength(160, "mg")]
    assert index.resolve_name("MS Contin").form == "modified-release tablet"


# ---- codes


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        ("rxnorm", "7052", "morphine"), ("rxnorm", "161", "paracetamol"), ("rxnorm", "857005", "hydrocodone paracetamol"),
        ("rxnorm", "866414", "metoprolol"), ("rxnorm", "6754", "pethidine"), ("rxnorm", "21212", "clarithromycin"),
        ("atc", "N02AA01", "morphine"), ("atc", "N02BE01", "paracetamol"), ("http://www.whocc.no/atc", "J01FA09", "clarithromycin"),
    ],
)  # fmt: skip
def test_codes(index: NameIndex, system: str, code: str, expected: str) -> None:
    assert index.resolve_code(system, code).ids == frozenset(expected.split())


def test_former_atc_codes_lead_to_todays(index: NameIndex) -> None:
    rows = [r for r in read(tables.RXNORM_INGREDIENTS) if r["former_atc"]]
    assert len(rows) > 20
    for row in rows:
        for old in row["former_atc"].split(";"):
            assert index.resolve_code("atc", old).status in ("resolved", "ambiguous"), row


def test_a_code_and_a_text_that_disagree_are_ambiguous(index: NameIndex) -> None:
    found = reconcile(index.resolve_code("rxnorm", "833036"), index.resolve_name("Captopril 25 MG Oral Tablet"))
    assert found.status == "ambiguous"


# ---- the importers


def folder_with_aliases(path: Path) -> Path:
    for file in (tables.ALIASES, tables.HAZARDS, tables.PRODUCTS):
        (path / file).write_bytes((FORMULARY / file).read_bytes())
    return path


def test_rxterms_files_are_imported(tmp_path: Path) -> None:
    folder = folder_with_aliases(tmp_path)
    terms, ingredients = tmp_path / "RxTerms202606.txt", tmp_path / "RxTermsIngredients202606.txt"
    terms.write_text(
        "RXCUI|GENERIC_RXCUI|TTY|FULL_NAME|RXN_DOSE_FORM|FULL_GENERIC_NAME|BRAND_NAME|DISPLAY_NAME|ROUTE|NEW_DOSE_FORM|"
        "STRENGTH|SUPPRESS_FOR|DISPLAY_NAME_SYNONYM|IS_RETIRED|SXDG_RXCUI|SXDG_TTY|SXDG_NAME|PSN\n"
        "857005||SCD|Acetaminophen 325 MG / Hydrocodone Bitartrate 7.5 MG Oral Tablet|Oral Tablet||||Oral Pill|Tab|7.5-325 mg|||||||\n"
        "892672||SBD|Morphine Sulfate 15 MG Extended Release Oral Tablet [MS Contin]|Extended Release Oral Tablet||MS Contin"
        "|||Tab|15 mg|||||||\n"
        "1|||Nothing|||||||||||||||\n",
        encoding="utf-8",
    )
    ingredients.write_text(
        "RXCUI|INGREDIENT|ING_RXCUI\n857005|HYDROcodone|5489\n857005|Acetaminophen|161\n892672|Morphine|7052\n",
        encoding="utf-8",
    )
    assert build_rxnorm.main(["rxterms", str(terms), str(ingredients), str(folder)]) == 0
    index, problems = build_name_index(folder, [])
    assert problems == []
    norco = index.resolve_code("rxnorm", "857005")
    assert [(c.drug_id, str(c.strength)) for c in norco.components] == [
        ("paracetamol", "325 mg"),
        ("hydrocodone", "7.5 mg"),
    ]
    contin = index.resolve_code("rxnorm", "892672")
    assert (contin.ids, contin.form) == ({"morphine"}, "modified-release tablet")
    assert index.resolve_code("rxnorm", "5489").ids == {"hydrocodone"}


def test_ndcs_of_rxnorm_are_imported(tmp_path: Path) -> None:
    folder = folder_with_aliases(tmp_path)
    for file in (tables.RXNORM_INGREDIENTS, tables.RXNORM_PRODUCTS):
        (folder / file).write_bytes((FORMULARY / file).read_bytes())
    rxnsat = tmp_path / "RXNSAT.RRF"
    rxnsat.write_text(
        "857005||||||||NDC|RXNORM|00406036501|N||\n857005||||||||NDC|MTHSPL|0406-0365|N||\n857005||||||||NDC|RXNORM|1|Y||\n",
        encoding="utf-8",
    )
    assert build_rxnorm.main(["ndc", str(rxnsat), str(folder)]) == 0
    found = build_name_index(folder, [])[0].resolve_code("http://hl7.org/fhir/sid/ndc", "0406-0365-01")
    assert (found.ids, len(found.doubts)) == ({"hydrocodone", "paracetamol"}, 1)


def test_no_ingredient_of_a_listed_product_is_dropped(tmp_path: Path) -> None:
    folder = folder_with_aliases(tmp_path)
    header = "rxcui,tty,name,ingredient_rxcuis,ingredient_names,strengths,quantity_factor,dose_form,route,brand\n"
    listed, known = tmp_path / "products.list", tmp_path / "ingredients.list"
    listed.write_text(
        header
        + "1,SCD,bumetanide 0.5 MG / potassium chloride 573 MG Oral Tablet,1808,bumetanide,0.5 MG,,Oral Tablet,oral,\n"
        "2,SCD,Furosemide 40 MG / Potassium 8 MMOL Oral Tablet,4603|8588,furosemide|potassium,40 MG|8 MMOL,,Oral Tablet,oral,\n"
        "3,SCD,codeine 30 MG / zzz 5 MG Oral Tablet,2670,codeine,30 MG,,Oral Tablet,oral,\n"
        "4,SCD,oxycodone 5 MG / Acetaminophen 325 MG Oral Tablet,161|7804,acetaminophen|oxycodone,5 MG|325 MG,,Oral Tablet,oral,\n"
        "5,SCD,potassium chloride 600 MG Oral Tablet,8591,potassium chloride,600 MG,,Oral Tablet,oral,\n",
        encoding="utf-8",
    )
    known.write_text(
        "ingredient_rxcui,name,atc_who_by_name,atc_ema_seen\n161,acetaminophen,N02BE01,\n", encoding="utf-8"
    )
    assert build_rxnorm.main(["tables", str(known), str(listed), str(folder)]) == 0
    rows: list[str] = []
    made = {
        row["rxcui"]: row for _, row in tables.rows(folder, tables.RXNORM_PRODUCTS, tables.RXNORM_PRODUCT_COLUMNS, rows)
    }
    assert made["1"]["ingredients"] == "bumetanide;potassium-chloride"
    assert set(made) == {"1", "2", "4", "5"}, "a product with an ingredient that cannot be named is left out"
    assert made["2"]["ingredients"] == "furosemide;potassium"
    assert (made["4"]["ingredients"], made["4"]["strengths"]) == ("oxycodone;paracetamol", "5 mg;325 mg")


def test_the_command_line_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert build_rxnorm.main([]) == 2
    assert "RxTerms" in capsys.readouterr().err
