"""What is written about deployment names real settings, real paths and the real versions."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.conftest import ROOT

DEPLOY = ROOT / "docs" / "deploy"
SETTING = re.compile(r"\bMEDSAFE_[A-Z_]+\b")


def documented() -> set[str]:
    return set(SETTING.findall((ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def pinned() -> set[tuple[str, str]]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return {(name.casefold(), version) for name, version in (line.split("==") for line in lines if "==" in line)}


def test_every_setting_of_image_and_deployment_is_a_documented_one() -> None:
    for name in ("Containerfile", "kubernetes.yaml", "README.md"):
        used = set(SETTING.findall(read(name)))
        assert used, name
        assert used <= documented(), name


def test_the_image_copies_only_what_is_there_and_all_that_serving_needs() -> None:
    copied = [part for line in re.findall(r"^COPY (.+)$", read("Containerfile"), re.M) for part in line.split()[:-1]]
    assert all((ROOT / part).exists() for part in copied)
    assert {"medsafe", "formulary", "interaction_data", "wsgi.py", "gunicorn.conf.py", "requirements.lock"} <= set(
        copied
    )


def test_the_image_is_not_root_holds_no_secret_and_says_whether_it_works() -> None:
    text = read("Containerfile")
    assert re.search(r"^USER [1-9]\d*$", text, re.M)
    assert "/readyz" in text
    assert not {"MEDSAFE_API_KEYS", "MEDSAFE_SECRET_FILE", "MEDSAFE_JWT_CLIENTS"} & set(SETTING.findall(text))


def test_secrets_of_the_deployment_come_from_its_secret() -> None:
    text = read("kubernetes.yaml")
    for name in ("MEDSAFE_API_KEYS", "MEDSAFE_STORE_URL", "MEDSAFE_REDIS_URL"):
        assert re.search(rf"- name: {name}\n\s+valueFrom: {{secretKeyRef:", text)
    assert "runAsNonRoot: true" in text
    assert "readOnlyRootFilesystem: true" in text


def test_the_bill_of_materials_names_what_the_lock_file_pins() -> None:
    bill = json.loads(read("sbom.json"))
    assert bill["bomFormat"] == "CycloneDX"
    assert {(c["name"].casefold(), c["version"]) for c in bill["components"]} == pinned()


def test_the_deployment_folder_holds_nothing_else() -> None:
    assert {p.name for p in Path(DEPLOY).iterdir()} == {"Containerfile", "kubernetes.yaml", "README.md", "sbom.json"}
