"""Every rule of the data is shown failing on a planted fault, with the exact message an editor reads."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from medsafe.library.load import DataError, digest_of, load_knowledge, read_knowledge
from medsafe.library.sense import RULES
from medsafe.library.toml_text import blocks, without
from tests.serving import small_data

Plant = Callable[[Path], object]
MORPHINE = "formulary/drugs/morphine.toml"
GABAPENTIN = "formulary/drugs/gabapentin.toml"
PAIR = 'hazard = "bleeding"\nseverity = "high"\nsummary = "One with two"\nmanagement = ["x"]\nsources = ["unsourced"]\n'
MESSAGE = re.compile(r"(error|warning): [^:]+\.(toml|csv): (.+: )?.+; expected .+\. Tip: .+")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_data(tmp_path / "data")


def edit(path: str, *changes: str) -> Plant:
    """Replace the first of each pair of texts by the second, once."""

    def plant(root: Path) -> None:
        file = root / path
        text = file.read_text(encoding="utf-8")
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in text, f"{old!r} is not in {path}"
            text = text.replace(old, new, 1)
        file.write_text(text, encoding="utf-8")

    return plant


def more(path: str, text: str) -> Plant:
    """Put a text at the end of a file."""

    def plant(root: Path) -> None:
        file = root / path
        file.write_text(file.read_text(encoding="utf-8") + "\n" + text, encoding="utf-8")

    return plant


def write(path: str, text: str) -> Plant:
    def plant(root: Path) -> None:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")

    return plant


def row(table: str, *, matching: str = "") -> Callable[[str], Plant]:
    """Put a line into the first row of a list that holds some text."""

    def with_line(line: str) -> Plant:
        def plant(root: Path) -> None:
            file = root / MORPHINE
            head, *rest = re.split(rf"(?=^\[\[{table}\]\]\n)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            at = next(n for n, text in enumerate(rest) if matching in text)
            rest[at] = rest[at].replace(f"[[{table}]]\n", f"[[{table}]]\n{line}\n", 1)
            file.write_text(head + "".join(rest), encoding="utf-8")

        return plant

    return with_line


def no_hepatic(root: Path) -> None:
    file = root / MORPHINE
    text = file.read_text(encoding="utf-8")
    for block in [b for b in blocks(text) if b.address[:1] == ("hepatic",)]:
        text = without(text, block.address)
    file.write_text(text, encoding="utf-8")


def symptom(*lines: str) -> Plant:
    text = 'name = "woe"\n' + "\n".join(lines) + "\n"
    return write("formulary/symptoms/woe.toml", text)


OPTION = (
    '[[options]]\nid = "walk"\naction = "non-drug"\nlabel = "Walk"\nrationale = "It helps."\nbenefit = 1\n'
    'sources = ["unsourced"]'
)
AWAY_ROW = "palliative,fentanyl,transdermal,mcg/h,away,oral-morphine-per-unit,2.4"
CODEINE_ROW = "cdc-2022,codeine,oral,mg/day,to-morphine,oral-morphine-per-unit,0.15"
STOPPING = "interaction_data/stopping/gabapentinoids.toml"
CONVERSION = "formulary/opioid_conversion.csv"
EXPOSURE, EXPOSURE_ROW = "formulary/organ_exposure.csv", "apixaban,hepatic,A,,,1.03,AUC,NDA 202155,yeung-2015"
POLICY = "interaction_data/policy.toml"
SEDATION = "interaction_data/effects/cns-respiratory-depression.toml"
STEPS, ADVICE = "interaction_data/steps.toml", "interaction_data/advice.toml"
LIFETIME = (
    'name = "stimulants"\n[[lifetime_limits]]\nmax = 1\nunit = "mg"\nreference = "morphine"\nequivalents = { gabapentin = 1, morphine = 1 }\n'
    'harm = "Harm."\nadvice = "Add up."\nsources = ["unsourced"]\n'
)
LAXATIVES = "formulary/classes/laxatives.toml"

# The name of the rule, the fault, and what is told of it, word for word up to a list of known ids.
FAULTS: list[tuple[str, Plant, str]] = [
    (
        "policy_is_whole",
        edit(POLICY, "tolerant_ome_mg", "# tolerant_ome_mg"),
        f"error: {POLICY}: opioid: 'tolerant_ome_mg' is missing; expected all keys of the table. "
        "Tip: every number of the policy must be there: nothing is assumed",
    ),
    (
        "policy_is_whole",
        edit(POLICY, '"chronic-kidney-disease", "end', '"chronic-kidny-disease", "end'),
        f"error: {POLICY}: organ_conditions.renal-caution: unknown condition 'chronic-kidny-disease'; expected a known one. "
        "Tip: a misspelt condition would never be found in a patient",
    ),
    (
        "policy_is_whole",
        edit(POLICY, 'low_muscle = ["cachexia"', 'low_muscle = ["cachexy"'),
        f"error: {POLICY}: patient.low_muscle: unknown condition 'cachexy'; expected a known one. "
        "Tip: a misspelt condition would never be found in a patient",
    ),
    (
        "advice_names_known_ids",
        more("interaction_data/effects/bleeding.toml", '[[advice]]\nids = ["nsaid"]\ntext = "Stop it."\n'),
        "error: interaction_data/effects/bleeding.toml: advice: unknown id 'nsaid'; expected the id of a drug or class. "
        "Tip: a misspelt id would never be told",
    ),
    (
        "counted_classes_exist",
        edit(SEDATION, "opioids = 1", "opioid = 1"),
        f"error: {SEDATION}: count_at_most: unknown class 'opioid'; expected the id of a class. "
        "Tip: every member of a misspelt class would count",
    ),
    (
        "steps_are_whole",
        edit(STEPS, "{share} step", "{size} step"),
        f"error: {STEPS}: raise: {{size}} can't be filled in; expected {{dose}}, {{drug}}, {{ome}}, {{pain}}, {{rescues}}, "
        "{share}, {step}, {unit}, {wait}. Tip: use a word that is filled in here",
    ),
    (
        "steps_are_whole",
        edit(STEPS, "[go-on]", "[go-along]"),
        f"error: {STEPS}: go-on: the table is missing; expected every table that a rule asks for. Tip: write it again",
    ),
    (
        "steps_are_whole",
        edit(STEPS, "[go-on]", "[go-along]"),
        f"error: {STEPS}: go-along: no rule asks for it; expected one of add-rescue, convert, go-on, ",
    ),
    (
        "advice_is_whole",
        edit(ADVICE, "[duplicate-class]", "[duplicates-of-class]"),
        f"error: {ADVICE}: duplicate-class: the table is missing; expected every table that a rule asks for. Tip: write it again",
    ),
    (
        "advice_is_whole",
        edit(ADVICE, 'management = ["Check for a slip of unit or a factor of ten."]\n', ""),
        f"error: {ADVICE}: slip-of-unit.management: nothing says what to do; expected one line or more. Tip: add the key",
    ),
    (
        "ids_are_kebab_case",
        lambda root: (root / GABAPENTIN).rename(root / "formulary/drugs/Gaba Pentin.toml"),
        "error: formulary/drugs/Gaba Pentin.toml: file name 'Gaba Pentin' is not an id; expected lower-case kebab-case. "
        "Tip: rename the file",
    ),
    (
        "drug_classes_exist",
        edit(MORPHINE, "full-opioid-agonists", "full-opioid-agonist"),
        f"error: {MORPHINE}: classes: unknown class 'full-opioid-agonist'; expected the id of a class. "
        "Tip: use full-opioid-agonists, ",
    ),
    (
        "class_tree_is_acyclic",
        write(LAXATIVES, 'name = "laxatives"\nparents = ["laxatives"]\n'),
        f"error: {LAXATIVES}: parents: the class is its own ancestor; expected a tree. Tip: remove a parent",
    ),
    (
        "class_parents_exist",
        write(LAXATIVES, 'name = "laxatives"\nparents = ["gut-medicines"]\n'),
        f"error: {LAXATIVES}: parents: unknown class 'gut-medicines'; expected the id of a class. "
        "Tip: mend the spelling, or add formulary/classes/gut-medicines.toml",
    ),
    (
        "drugs_and_classes_differ",
        write("formulary/classes/morphine.toml", 'name = "morphine"\n'),
        "error: formulary/classes/morphine.toml: 'morphine' is a drug and a class; expected one meaning per id. "
        "Tip: rename the class (plural)",
    ),
    (
        "pathways_exist",
        edit(MORPHINE, 'pathway = "ugt2b7"', 'pathway = "ugt2b77"'),
        f"error: {MORPHINE}: substrate_of: unknown pathway 'ugt2b77'; expected an id of interaction_data/pathways.toml. "
        "Tip: known: ",
    ),
    (
        "shares_do_not_exceed_the_whole",
        edit(MORPHINE, "share = 0.5", 'share = 0.5\n\n[[substrate_of]]\npathway = "cyp3a4"\nshare = 1.0'),
        f"error: {MORPHINE}: substrate_of: enzyme shares add up to 1.50; expected at most 1. "
        "Tip: shares are parts of one clearance",
    ),
    (
        "doses_beside_name_what_acts",
        edit(MORPHINE, "share = 0.5\n", 'share = 0.5\ndoses_beside = [{ beside = "codeine", max_daily_dose = 20 }]\n'),
        f"error: {MORPHINE}: substrate_of.doses_beside: 'codeine' does nothing to 'ugt2b7'; "
        "expected a drug that inhibits or induces the pathway. "
        "Tip: mend the spelling, or move the dose to the pathway that it acts on",
    ),
    (
        "effects_exist",
        edit(MORPHINE, 'effect = "anticholinergic-burden"', 'effect = "bliss"'),
        f"error: {MORPHINE}: effects: unknown effect 'bliss'; expected an id of interaction_data/effects/. Tip: known: ",
    ),
    (
        "renal_bands_cover_every_value",
        edit(MORPHINE, "from = 60", "from = 65"),
        f"error: {MORPHINE}: renal.bands: band from 65 does not start where the one below ends (60); "
        "expected bands from 0 upward without gap or overlap. Tip: set from/below to meet",
    ),
    (
        "renal_bands_cover_every_value",
        edit(MORPHINE, "from = 60", "from = 60\nbelow = 90"),
        f"error: {MORPHINE}: renal.bands: no band from 90 upward; expected a last band without `below`. "
        'Tip: add action = "none"',
    ),
    (
        "worse_function_is_never_treated_more_permissively",
        edit(MORPHINE, 'below = 30\naction = "avoid"', 'below = 30\naction = "none"'),
        f"error: {MORPHINE}: renal.bands: 'none' follows 'reduce' although function is worse; "
        "expected bands that grow stricter as function falls. "
        "Tip: where the worse band was not studied, keep at least what holds for the better one",
    ),
    (
        "routes_are_either_systemic_or_local",
        edit(MORPHINE, 'local_routes = ["topical"]', 'local_routes = ["rectal"]'),
        f"error: {MORPHINE}: local_routes: 'rectal' is both systemic and local; expected one of the two. "
        "Tip: keep it in systemic_routes when enough is absorbed to matter",
    ),
    (
        "sections_are_covered",
        edit(MORPHINE, 'monitoring = "complete"\n', ""),
        f"error: {MORPHINE}: coverage: says nothing of 'monitoring'; expected complete, partial, gap or not-applicable. "
        'Tip: write monitoring = "gap" until a source supports it',
    ),
    (
        "complete_sections_are_there",
        no_hepatic,
        f"error: {MORPHINE}: coverage.hepatic: says complete but the section is empty; expected content, or gap / "
        "not-applicable. Tip: a file that was cut short looks like this too: compare it with `medsafe data diff`",
    ),
    (
        "sources_are_declared",
        edit(MORPHINE, 'sources = ["us-label#12.3", "dialysis', 'sources = ["uk-label#12.3", "dialysis'),
        f"error: {MORPHINE}: kinetics: source 'uk-label' is not declared; expected a declared source. "
        "Tip: declare it in [sources.<id>] of the file or in formulary/sources.toml",
    ),
    (
        "values_have_a_source",
        edit(MORPHINE, 'sources = ["acb-collated#morphine"]\n', ""),
        f"warning: {MORPHINE}: effects: a value without a source; expected sources. "
        'Tip: write sources = ["<id>#<section>"], or ["unsourced"] to say honestly that there is none',
    ),
    (
        "criteria_name_known_things",
        edit(MORPHINE, '"pancreatitis", "gallstones"', '"pancreatits"'),
        f"error: {MORPHINE}: cautions: unknown condition 'pancreatits'; expected an id of formulary/conditions.toml. "
        "Tip: add it there with its synonyms",
    ),
    (
        "criteria_name_known_things",
        edit(MORPHINE, 'condition = ["pancreatitis", "gallstones"]', 'medicine = ["morphin"]'),
        f"error: {MORPHINE}: cautions: unknown medicine 'morphin'; expected the id of a drug or class. "
        "Tip: add the record, or mend the spelling",
    ),
    (
        "criteria_name_known_things",
        edit(MORPHINE, 'condition = ["pancreatitis", "gallstones"]', 'symptom = "sorrow"'),
        f"error: {MORPHINE}: cautions: unknown symptom 'sorrow'; expected the id of a symptom. "
        "Tip: use one of formulary/symptoms/, or add it with `medsafe data new symptom`",
    ),
    (
        "interaction_ends_exist",
        write("interaction_data/pairs/aaa__morphine.toml", f'{PAIR}[[needs]]\nids = ["aaa"]\n[[needs]]\nids = ["morphine"]\n'),
        "error: interaction_data/pairs/aaa__morphine.toml: needs: unknown drug or class 'aaa'; expected the id of a drug "
        "or class. Tip: mend the spelling, or add it with `medsafe data new drug`",
    ),
    (
        "pair_files_are_named_by_their_ends",
        write("interaction_data/pairs/morphine__codeine.toml", f'{PAIR}[[needs]]\nids = ["morphine"]\n[[needs]]\nids = ["codeine"]\n'),
        "error: interaction_data/pairs/morphine__codeine.toml: a pair file is named <a>__<b>, ends sorted, with two "
        "needs; expected a__b. Tip: rename the file",
    ),
    (
        "overrides_exist",
        write(
            "interaction_data/pairs/codeine__morphine.toml",
            f'overrides = ["opioids"]\n{PAIR}[[needs]]\nids = ["codeine"]\n[[needs]]\nids = ["morphine"]\n',
        ),
        "error: interaction_data/pairs/codeine__morphine.toml: overrides: unknown record 'opioids'; expected the id of a "
        "pair or pattern. Tip: the id is the name of the file without .toml",
    ),
    (
        "symptom_drugs_exist",
        symptom(OPTION + '\ndrug = "laudanum"'),
        "error: formulary/symptoms/woe.toml: options.walk: unknown drug 'laudanum'; expected the id of a drug. "
        "Tip: mend the spelling, or add the drug first",
    ),
    (
        "symptom_parents_exist",
        symptom('parents = ["sorrow"]', OPTION),
        "error: formulary/symptoms/woe.toml: parents: unknown symptom 'sorrow'; expected the id of a symptom. "
        "Tip: use one of formulary/symptoms/, or take it out",
    ),
    (
        "conditions_of_symptoms_exist",
        symptom('shows = ["sorrow"]', OPTION),
        "error: formulary/symptoms/woe.toml: shows: unknown condition 'sorrow'; expected the id of a condition. "
        "Tip: use one of formulary/conditions.toml, or take it out",
    ),
    (
        "condition_links_exist",
        edit("formulary/conditions.toml", 'implies = ["dementia"', 'implies = ["forgetting", "dementia"'),
        "error: formulary/conditions.toml: lewy-body-dementia: implies unknown condition 'forgetting'; expected an id of "
        "this file. Tip: mend the spelling, or add the condition",
    ),
    (
        "names_belong_to_one_drug",
        edit(MORPHINE, 'synonyms = ["', 'synonyms = ["Fentanyl", "'),
        f"error: {MORPHINE}: synonyms: 'fentanyl' also names fentanyl; expected a name of one drug. "
        "Tip: remove it from one of the two",
    ),
    (
        "conversion_rows_make_sense",
        edit(CONVERSION, CODEINE_ROW, CODEINE_ROW.replace("0.15", "0")),
        f"error: {CONVERSION}: cdc-2022/codeine: factor 0; expected a factor above 0. "
        "Tip: take the row out where a table gives no factor",
    ),
    (
        "conversion_rows_make_sense",
        edit(CONVERSION, CODEINE_ROW, CODEINE_ROW.replace("to-morphine", "up")),
        f"error: {CONVERSION}: cdc-2022/codeine: direction 'up'; expected to-morphine, from-morphine, both or away. "
        "Tip: the direction says which of the two units the factor multiplies",
    ),
    (
        "conversion_rows_make_sense",
        edit(CONVERSION, AWAY_ROW, AWAY_ROW.replace("2.4", "3.6")),
        f"error: {CONVERSION}: palliative/fentanyl: factor 3.6 away; expected at most 2.4. "
        "Tip: who leaves an opioid by more than it counts for is given too much of the next one",
    ),
    (
        "conversion_rows_make_sense",
        edit(CONVERSION, AWAY_ROW, AWAY_ROW.replace("transdermal,mcg/h", "subcutaneous,mcg/day").replace("2.4", "0.1")),
        f"error: {CONVERSION}: palliative/fentanyl: direction 'away'; expected it only beside a table of one direction. "
        "Tip: an opioid whose factor holds both ways needs none",
    ),
    (
        "exposure_rows_make_sense",
        edit(EXPOSURE, EXPOSURE_ROW, EXPOSURE_ROW.replace("apixaban", "apixabam")),
        f"error: {EXPOSURE}: apixabam/hepatic: no drug 'apixabam'; expected an id of formulary/drugs/. "
        "Tip: mend the id, or take the row out",
    ),
    (
        "exposure_rows_make_sense",
        edit(EXPOSURE, EXPOSURE_ROW, EXPOSURE_ROW.replace("1.03", "0")),
        f"error: {EXPOSURE}: apixaban/hepatic: ratio 0; expected a ratio above 0. "
        "Tip: take the row out where none was found",
    ),
    (
        "exposure_rows_make_sense",
        edit(EXPOSURE, EXPOSURE_ROW, EXPOSURE_ROW.replace("yeung-2015", "somebody")),
        f"error: {EXPOSURE}: apixaban/hepatic: unknown source 'somebody'; expected an id of formulary/sources.toml. "
        "Tip: declare it in formulary/sources.toml",
    ),
    (
        "exposure_rows_make_sense",
        edit(EXPOSURE, EXPOSURE_ROW, EXPOSURE_ROW.replace(",A,", ",D,")),
        f"error: {EXPOSURE}: apixaban/hepatic: the state of the organ is not told; expected renal with from below "
        "`below`, or hepatic with A, B or C. Tip: a renal row is bounded in mL/min, a hepatic one has a class",
    ),
    (
        "stopping_rules_make_sense",
        edit(STOPPING, 'ids = ["gabapentinoids"]', 'ids = ["gabapentoids"]'),
        f"error: {STOPPING}: ids: 'gabapentoids' is no drug and no class; expected ids of drugs or classes. "
        "Tip: a typing slip would leave the stop untold",
    ),
    # The shape of the files, before any rule looks across them.
    (
        "shape",
        edit(MORPHINE, "brands =", "brnds ="),
        f"error: {MORPHINE}: brnds: Unknown field; expected a key of the template. Tip: check the spelling; a key typed "
        "after a [[table]] belongs to that table, so move it above the first table",
    ),
    (
        "shape",
        edit(MORPHINE, "summary =", "# summary ="),
        f"error: {MORPHINE}: summary: Missing data for required field; expected this key. Tip: add the key; the annotated "
        "template shows every key",
    ),
    (
        "shape",
        edit(MORPHINE, "half_life_h = 3", 'half_life_h = "three"'),
        f"error: {MORPHINE}: kinetics.half_life_h: Not a valid number; expected a number. Tip: write it without quotes, "
        "with a point: 0.5",
    ),
    (
        "shape",
        edit(MORPHINE, 'systemic_routes = ["oral"', 'systemic_routes = ["telepathy"'),
        f"error: {MORPHINE}: systemic_routes: unknown: telepathy; expected one of buccal, ",
    ),
    (
        "shape",
        edit(MORPHINE, 'action = "avoid"', 'action = "shun"'),
        f"error: {MORPHINE}: renal.bands[2].action: unknown: shun; expected one of none, monitor, reduce, "
        "extend-interval, avoid. Tip: see the template of such a record in medsafe/library/templates/",
    ),
    (
        "shape",
        edit(MORPHINE, 'action = "avoid"', 'action = "avoids"'),
        f"error: {MORPHINE}: renal.bands[2].action: unknown: avoids; expected one of none, monitor, reduce, "
        "extend-interval, avoid. Tip: did you mean avoid?",
    ),
    (
        "shape",
        row("cautions")("when_ = 1"),
        f"error: {MORPHINE}: cautions[0].when_: Unknown field; expected a key of the template. Tip: check the spelling",
    ),
    (
        "reading",
        edit(MORPHINE, 'name = "morphine"', 'name = "morphine'),
        f"error: {MORPHINE}: cannot be read: Illegal character '\\n' (at line 1, column 17); expected a TOML file. "
        "Tip: mend the line it names",
    ),
    (
        "reading",
        write(MORPHINE, ""),
        f"error: {MORPHINE}: the file is empty; expected a record. Tip: write it, or remove the file",
    ),
    (
        "reading",
        lambda root: (root / MORPHINE).write_bytes(b'name = "morph\xffine"\n'),
        f"error: {MORPHINE}: cannot be read: 'utf-8' codec can't decode byte 0xff",
    ),
    (
        "reading",
        edit(CONVERSION, CODEINE_ROW, CODEINE_ROW.replace("0.15", "some")),
        f"error: {CONVERSION}: line 2: row cannot be read: ValueError(\"could not convert string to float: 'some'\"); "
        "expected columns table, opioid, ",
    ),
    (
        "reading",
        lambda root: (root / CONVERSION).unlink(),
        f"error: {CONVERSION}: cannot be read: ",
    ),
    ("reading", lambda root: (root / POLICY).unlink(), f"error: {POLICY}: cannot be read: "),
    (
        "order_entry_is_whole",
        edit(POLICY, 'code = "will-monitor"', 'code = "no-alternative"'),
        f"error: {POLICY}: order_entry.override_reasons: 'no-alternative' stands twice; expected each once. "
        "Tip: codes come back in feedback: give the new row a code of its own",
    ),
    (
        "order_entry_is_whole",
        edit(POLICY, 'loinc = "2160-0"', 'loinc = ""'),
        f"error: {POLICY}: order_entry.tests: {{'field': 'creatinine', ",
    ),
    (
        "lifetime_limits_name_members",
        write("formulary/classes/stimulants.toml", LIFETIME),
        "error: formulary/classes/stimulants.toml: lifetime_limits.equivalents: 'gabapentin' is no drug of this class; "
        "expected ids of drugs of the class. Tip: a misspelt drug would not be added up",
    ),
    (
        "dialysis_timing_makes_sense",
        edit(GABAPENTIN, "[renal.dialysis.crrt]\n", '[renal.dialysis.crrt]\ntiming = "after-session"\n'),
        f"error: {GABAPENTIN}: renal.dialysis.crrt.timing: 'after-session': continuous replacement has no sessions; expected a "
        "timing that fits the modality. Tip: leave it out, or say any",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "plant", "message"), FAULTS, ids=[f"{n}-{f[0]}" for n, f in enumerate(FAULTS)])
def test_a_planted_fault_is_told_word_for_word(root: Path, rule: str, plant: Plant, message: str) -> None:
    plant(root)
    _, problems = read_knowledge(root)
    told = [str(problem) for problem in problems]
    assert any(text.startswith(message) for text in told), told
    assert [text for text in told if not MESSAGE.fullmatch(text)] == []
    if message.startswith("error"):
        with pytest.raises(DataError):
            load_knowledge(root)


def test_every_rule_is_shown_failing() -> None:
    shown = {rule for rule, _, _ in FAULTS}
    missing = sorted({rule.__name__ for rule in RULES} - shown)
    assert missing == [], f"plant a fault in FAULTS of {Path(__file__).name} for each of these rules"


def test_several_faults_are_told_in_one_run(root: Path) -> None:
    for place in (0, 14, 26):
        FAULTS[place][1](root)
    told = [str(problem) for problem in read_knowledge(root)[1]]
    for place in (0, 14, 26):
        assert any(text.startswith(FAULTS[place][2]) for text in told)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
def test_a_file_that_was_cut_short_is_an_error_or_another_digest(root: Path, tmp_path: Path, share: float) -> None:
    """A cut between two tables can leave a file that reads well: only the digest of a release shows that."""
    whole = tmp_path / "whole"
    shutil.copytree(root, whole)
    for file in (MORPHINE, POLICY, CONVERSION, "interaction_data/pathways.toml", "formulary/conditions.toml"):
        content = (whole / file).read_bytes()
        (root / file).write_bytes(content[: int(len(content) * share)])
        errors = [p for p in read_knowledge(root)[1] if p.level == "error"]
        assert errors or digest_of(root) != digest_of(whole)
        assert all(MESSAGE.fullmatch(str(problem)) for problem in errors), [str(p) for p in errors]
        (root / file).write_bytes(content)


def test_a_drug_cut_in_the_middle_of_a_value_is_always_an_error(root: Path) -> None:
    text = (root / MORPHINE).read_text(encoding="utf-8")
    for found in list(re.finditer(r"\"[^\"\n]{8,}\"", text))[::12]:
        (root / MORPHINE).write_text(text[: found.start() + 5], encoding="utf-8")
        assert any(p.file == MORPHINE and "cannot be read" in p.wrong for p in read_knowledge(root)[1])
