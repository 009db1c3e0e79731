"""Shared by all tests: the real data, loaded and compiled once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from medsafe.context.engine import Engine
from medsafe.service import load_engine
from medsafe.web.app import create_app

pytest_plugins = ["tests.databases"]
# What a test wants kept it says itself; none writes into the folder of a service that runs here.
os.environ.setdefault("MEDSAFE_STORE_URL", "none")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def engine() -> Engine:
    return load_engine(ROOT)


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    return create_app(ROOT).test_client()
