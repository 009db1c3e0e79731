"""The Flask application: one factory, one module for each group of endpoints."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, Response

from medsafe.service import Service
from medsafe.settings import Settings, data_root, read_settings
from medsafe.store.store import open_store
from medsafe.terminology.elsewhere import Elsewhere
from medsafe.terminology.rxnav import RxNavClient, RxNavSettings
from medsafe.web import checks, docs, feedback, guard, health, knowledge, problems, reload, rules


def rxnav_settings(settings: Settings) -> RxNavSettings:
    """Where RxNav is asked and where its answers are kept: a file, Redis, or this process's memory."""
    kept = settings.rxnav_cache
    if kept.startswith("redis"):
        return RxNavSettings(settings.rxnav_url, redis_url=kept)
    return RxNavSettings(settings.rxnav_url, Path(kept) if kept else None)


def create_app(root: Path | None = None, settings: Settings | None = None) -> Flask:
    """Build the application; refuses to start on bad settings and on bad data.

    Raises
    ------
    SettingsError: with every problem in the environment.
    DataError: with every problem in the data.
    """
    app = Flask("medsafe")
    settings = settings or read_settings(os.environ)
    service = Service(root or settings.data_dir, settings.released_only)
    service.start()
    app.extensions["medsafe"] = service
    if settings.rxnav_url:
        app.extensions["medsafe-elsewhere"] = Elsewhere(RxNavClient(rxnav_settings(settings)))
    app.extensions["medsafe.settings"] = settings
    app.extensions["medsafe.store"] = kept = open_store(settings)
    if kept is not None:
        kept.start()
    guard.register(app, settings, kept)
    reload.register(app)
    rules.register(app, settings)
    problems.register(app)
    for blueprint in (checks.blueprint, knowledge.blueprint, feedback.blueprint, health.blueprint, docs.blueprint):
        app.register_blueprint(blueprint)

    @app.after_request
    def not_stored(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


__all__ = ["create_app", "data_root"]
