"""How gunicorn serves: one synchronous worker per core, the knowledge loaded once in the master and shared by fork.

Checking is work for the processor, so processes and not threads. SIGHUP loads new data in the master, which answers
nobody, and replaces the workers one and all by new ones that hold it; see docs/operations.md.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from gunicorn.glogging import Logger

from medsafe.settings import SettingsError, is_loopback, open_without_keys, process_settings

MASTER = "MEDSAFE_MASTER_PID"
METRICS = "PROMETHEUS_MULTIPROC_DIR"
METRICS_OWNER = "MEDSAFE_METRICS_OWNER"

try:
    settings = process_settings()
except SettingsError as error:
    for problem in error.problems:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1)


def prepare_metrics() -> None:
    """An empty folder in which the workers add up their counts; made once, also where this file is read again."""
    if os.environ.get(METRICS_OWNER) == str(os.getpid()):
        return
    given = os.environ.get(METRICS)
    # A folder inherited from a parent of ours is its own, not ours to empty.
    if given and not os.environ.get(METRICS_OWNER):
        Path(given).mkdir(parents=True, exist_ok=True)
        for old in Path(given).glob("*.db"):
            old.unlink()
    else:
        os.environ[METRICS] = tempfile.mkdtemp(prefix="medsafe-metrics-")
    os.environ[METRICS_OWNER] = str(os.getpid())


prepare_metrics()


class QuietLogger(Logger):
    """gunicorn's own log without what a request held: a line it can't parse may carry a patient's name."""

    def setup(self, cfg):
        super().setup(cfg)
        from medsafe.web.guard import without_values

        self.error_log.addFilter(without_values)


bind = settings.bind
workers = settings.workers
worker_class = "sync"
preload_app = True
timeout = 30
graceful_timeout = 20
keepalive = 5
max_requests = 0
accesslog = None
errorlog = "-"
loglevel = settings.log_level
logger_class = QuietLogger
limit_request_line = 8190
# A socket that commands the server, and a thread in the master that forks: neither is wanted here.
control_socket_disable = True


def on_starting(server):
    """The address may have been given on the command line: the rule about keys holds for it too."""
    os.environ[MASTER] = str(os.getpid())
    for address in server.cfg.address:
        shown = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "unix:socket"
        if not settings.asks_who and not is_loopback(shown):
            server.log.error(open_without_keys(shown))
            sys.exit(1)


def when_ready(server):
    """Watch the data files, where the operator asks for it."""
    if settings.watch_seconds:
        from medsafe.web.reload import start_watch

        start_watch(server.app.wsgi().extensions["medsafe"].root, settings.watch_seconds)


def on_reload(server):
    """SIGHUP: new data are loaded and proven here, before the workers that will hold them are forked."""
    from medsafe.web.reload import reload_in_master

    reload_in_master(server.app.wsgi())


def child_exit(server, worker):
    """Let the metrics of a worker that is gone be added up with the others."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def worker_exit(server, worker):
    """Write what still waits to be kept."""
    store = server.app.wsgi().extensions.get("medsafe.store")
    if store is not None:
        store.close()


def on_exit(server):
    """Clear away the folder of the metrics when it was ours."""
    folder = os.environ.get(METRICS, "")
    if os.environ.get(METRICS_OWNER) == str(os.getpid()) and "medsafe-metrics-" in folder:
        shutil.rmtree(folder, ignore_errors=True)
