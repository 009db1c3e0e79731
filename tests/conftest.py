"""Shared by all tests: the real data, loaded and compiled once."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from medsafe.context.engine import Engine
from medsafe.service import load_engine
from medsafe.web.app import create_app

pytest_plugins = ["tests.databases"]
# What a test wants kept it says itself; none writes into the folder of a service that runs here.
os.environ.setdefault("MEDSAFE_STORE_URL", "none")
ROOT = Path(__file__).resolve().parents[1]


@cache
def loaded_engine() -> Engine:
    """Loaded once for a process and not for a session: mutation testing runs thousands of sessions in one process."""
    return load_engine(ROOT)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return loaded_engine()


@cache
def loaded_app() -> Flask:
    """As `loaded_engine`."""
    return create_app(ROOT)


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    return loaded_app().test_client()
