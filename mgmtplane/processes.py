"""The processes of the embedded shape: web, two workers, beat. The supervisor forks each of them.

The short worker never waits for the long one. Both use threads: their work is waiting for others (an API, a
playbook's process, the database), and a thread costs almost no memory.
"""

from __future__ import annotations

import errno
import importlib
import socket
import warnings
from collections.abc import Callable, Sequence

from django.conf import settings
from django.urls import get_resolver

from mgmtplane.celery import LONG, SHORT, app
from mgmtplane.supervisor import Child, Refused, Supervisor, say

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where to reach what listens everywhere
PRELOADED = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "celery.worker.components",
    "celery.worker.consumer",
    "django_celery_beat.schedulers",
    "gunicorn.app.base",
    "gunicorn.workers.gthread",
    "mgmtplane.messages",
    "mgmtplane.wsgi",
)


def serve_readers(listener: socket.socket, until: Callable[[], bool]) -> bool:
    """Run the web server alone until *until* returns True; False where a signal to stop came before."""
    preload()
    return Supervisor([Child("web", lambda: readers(listener))], when_ready=announcer(), until=until).run()


def serve(listener: socket.socket, more: Sequence[Child] = ()) -> None:
    """Run all processes, and *more*, until a signal to stop."""
    preload()
    children = [
        Child("web", lambda: web(listener)),
        Child("worker", lambda: worker(SHORT)),
        Child("worker-long", lambda: worker(LONG)),
        Child("beat", beat),
        *more,
    ]
    Supervisor(children, when_ready=announcer()).run()


def listen(address: str, port: int) -> socket.socket:
    """A socket bound to *address* and *port*; it stays ours, so a restarted web server has the same one."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise Refused(
            f"BIND is {address!r}, no address of this machine; give one, such as 127.0.0.1"
        ) from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(where)
    except OSError as error:
        listener.close()
        raise Refused(_why_not(address, port, error)) from None
    return listener


def _why_not(address: str, port: int, error: OSError) -> str:
    """What to say when *address* and *port* cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {address} is taken by another program; stop it, or set PORT to another"
    if error.errno == errno.EACCES:
        return f"port {port} needs root; choose one above 1023, such as PORT=8000"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"BIND is {address!r}, no address of this machine; give one, such as 127.0.0.1"
    return f"cannot listen on {address} port {port}: {error.strerror}"


def preload() -> None:
    """Import once, before the forks, what every child would import again for itself."""
    for module in PRELOADED:
        importlib.import_module(module)
    _ = get_resolver().url_patterns
    app.loader.import_default_modules()
    app.finalize()


# --- what each child does ---


def readers(listener: socket.socket) -> None:
    """As ``web``, for who is served without the database; a file that is put back is for who prepares it first."""
    from inventory.serving import database

    database.hold_back()
    web(listener)


def web(listener: socket.socket) -> None:
    """gunicorn on the given socket."""
    from gunicorn.app.base import BaseApplication

    from mgmtplane.wsgi import application

    options = {
        "bind": [f"fd://{listener.detach()}"],
        "worker_class": "gthread",
        "workers": settings.WEB_WORKERS,
        "threads": settings.WEB_THREADS,
        "timeout": 120,  # seconds without a sign of life; threads answer slow requests
        "graceful_timeout": 5,  # within the supervisor's patience
        "preload_app": True,
        "control_socket_disable": True,  # it would lie in the home directory, shared by all instances
        "forwarded_allow_ips": "",  # whether a proxy is believed is TRUST_PROXY's business alone
        "loglevel": "warning",
    }

    class Web(BaseApplication):
        def load_config(self) -> None:
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Callable[..., object]:
            return application

    Web().run()


def worker(queue: str) -> None:
    """A Celery worker for one queue."""
    from celery.platforms import SecurityWarning
    from celery.utils.nodenames import host_format

    # Its messages are JSON, which cannot run code: root is no worse here than for the web server.
    warnings.simplefilter("ignore", SecurityWarning)
    running = app.Worker(
        hostname=host_format(f"{queue}@%h"),
        queues=[queue],
        pool="threads",
        concurrency=settings.WORKER_THREADS,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        loglevel=settings.LOGGING["root"]["level"],
    )
    running.start()
    raise SystemExit(running.exitcode)


def beat() -> None:
    """Celery's clock, with its schedules in the database."""
    app.Beat(quiet=True, loglevel=settings.LOGGING["root"]["level"]).run()


# --- telling people where it is ---


def announcer() -> Callable[[], bool]:
    """A function that returns True once the web server accepts connections, having said its address."""
    host = WILDCARDS.get(settings.BIND, settings.BIND)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"

    def announce() -> bool:
        try:
            socket.create_connection((host, settings.PORT), timeout=0.2).close()
        except OSError:
            return False
        say(f"serving {url} (Ctrl-C stops)")
        return True

    return announce
