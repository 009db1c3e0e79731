"""New data files from the annotated templates: the id filled in, all sample values commented out.

A value of the sample drug that slips into another record would be a guess that looks like knowledge; so nothing of
the sample is left in force, every section starts as a gap, and `data check` names each key that is still missing.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from medsafe.library.load import FORMULARY, INTERACTIONS
from medsafe.library.sense import KEBAB

TEMPLATES = Path(__file__).with_name("templates")
FOLDERS = {
    "drug": f"{FORMULARY}/drugs",
    "symptom": f"{FORMULARY}/symptoms",
    "pair": f"{INTERACTIONS}/pairs",
    "pattern": f"{INTERACTIONS}/patterns",
    "case": "tests/cases",
}
NEXT = {
    "drug": "medsafe data check {id}   then   medsafe drug {id}   then   medsafe data diff",
    "symptom": "medsafe data check {id}   then   medsafe data diff",
    "pair": "medsafe data check {id}   then   medsafe data diff",
    "pattern": "medsafe data check {id}   then   medsafe data diff",
    "case": "medsafe data cases {id}",
}
NOTE = "# Every line that starts with `#` and holds a key is a SAMPLE from another record: uncomment it and put in what your source says.\n"
_HEADER = re.compile(r"\[\[?([a-z0-9_.-]+)\]\]?")
_SAMPLE_END = re.compile(r"^# \[\[needs\]\]\n# ids = .*$", re.MULTILINE)
_KEY = re.compile(r"([a-z_0-9]+)\s*=")


class ScaffoldError(Exception):
    """The file can't be made; the text says why and what to do."""


def spoken(key: str) -> str:
    """An id as a name.

    >>> spoken("zoledronic-acid")
    'zoledronic acid'
    """
    return key.replace("-", " ")


def _comment_of(line: str) -> str:
    found = re.search(r"\s+#.*$", line)
    return found.group(0).rstrip() if found else ""


def _a_year_on(day: date) -> date:
    return date(day.year + 1, day.month, min(day.day, 28) if day.month == 2 else day.day)


def _dated(line: str, today: date) -> str | None:
    key = _KEY.match(line)
    days = {"written_on": today, "review_due_on": _a_year_on(today)}
    return f"{key.group(1)} = {days[key.group(1)]}{_comment_of(line)}" if key and key.group(1) in days else None


def _kept(line: str, table: str, name: str, today: date) -> str | None:
    """The line that stays in force in a new file; None for a line of the sample."""
    key = _KEY.match(line)
    if line in ("[record]", "[coverage]") or line.startswith("[coverage]"):
        return line
    if table == "record":
        return _dated(line, today)
    if table == "coverage" and key:
        return f'{key.group(1)} = "gap"{_comment_of(line)}'
    if not table and key and key.group(1) in ("name", "title"):
        return f'{key.group(1)} = "{name}"{_comment_of(line)}'
    return None


def _lines(template: str, name: str, today: date) -> Iterator[str]:
    table = ""
    for line in template.splitlines():
        header = _HEADER.match(line)
        table = header.group(1) if header else table
        if not line or line.startswith("#"):
            yield line
        else:
            yield _kept(line, table, name, today) or f"# {line}"


def _with_ends(text: str, ends: list[str]) -> str:
    """The two sides are known from the file's name, so they stand in force."""
    left = iter(ends)
    return _SAMPLE_END.sub(lambda _: f'[[needs]]\nids = ["{next(left)}"]', text, count=len(ends))


def fill(kind: str, key: str, template: str, today: date) -> str:
    """The text of a new file of this kind."""
    text = "\n".join(_lines(template, spoken(key), today)) + "\n"
    if kind == "pair":
        text = _with_ends(text, key.split("__"))
    return NOTE + text


def _known(root: Path) -> set[str]:
    folders = (f"{FORMULARY}/drugs", f"{FORMULARY}/classes")
    return {path.stem for folder in folders for path in (root / folder).glob("*.toml")}


def _pair_problem(root: Path, key: str) -> str:
    ends = key.split("__")
    if len(ends) != 2 or not all(KEBAB.fullmatch(end) for end in ends):
        return f"{key!r} is not the id of a pair: two ids of drugs or classes joined by `__`"
    if ends != sorted(ends):
        return f"the ends of a pair are sorted: {'__'.join(sorted(ends))}"
    known = _known(root)
    for end in ends:
        if end not in known:
            near = difflib.get_close_matches(end, known)
            return f"{end!r} is neither a drug nor a class" + (f"; did you mean {', '.join(near)}?" if near else "")
    return ""


def _named_elsewhere(root: Path, key: str) -> str:
    """The drug that already carries this name: a second record for it would split what is known of it."""
    wanted = spoken(key).casefold()
    for path in sorted((root / FOLDERS["drug"]).glob("*.toml")):
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        names = [raw.get("name", ""), *raw.get("synonyms", ()), *raw.get("brands", ())]
        if wanted in {str(name).casefold() for name in names}:
            return f"{wanted!r} is already a name of {path.stem}: edit {FOLDERS['drug']}/{path.name}"
    return ""


def _problem(root: Path, kind: str, key: str) -> str:
    if kind == "pair":
        return _pair_problem(root, key)
    if not KEBAB.fullmatch(key):
        return f"{key!r} is not an id: lower-case letters and digits, words joined by `-`"
    return _named_elsewhere(root, key) if kind == "drug" else ""


def create(root: Path, kind: str, key: str, today: date) -> Path:
    """Write the template for a new record; never over a file that is there.

    Raises
    ------
    ScaffoldError: when the id is not one, the file is there, or the folder can't be written.
    """
    path = root / FOLDERS[kind] / f"{key}.toml"
    if path.exists():
        raise ScaffoldError(f"{path.relative_to(root)} is there already: edit it")
    if problem := _problem(root, kind, key):
        raise ScaffoldError(problem)
    text = fill(kind, key, (TEMPLATES / f"{kind}.toml").read_text(encoding="utf-8"), today)
    if not path.parent.is_dir():
        raise ScaffoldError(f"there is no folder {path.parent}: name the folder that holds it with --root")
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise ScaffoldError(f"{path} can't be written: {error.strerror}") from None
    return path
