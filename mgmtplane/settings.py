"""Django's settings. What a deployment may change is in the table of ``environment.py``."""

import sys
from pathlib import Path
from typing import Any

import environ

from mgmtplane import environment
from mgmtplane.unfold import UNFOLD as UNFOLD

try:
    _given: dict[str, Any] = environment.read(environ.Env.ENVIRON)
except environment.SettingsError as _error:
    # Every way in (manage.py, gunicorn, celery) says the same few lines and stops, without a traceback.
    sys.stderr.write(f"{_error}\n")
    sys.exit(2)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR: Path = _given["DATA_DIR"]
DEBUG: bool = _given["DEBUG"]
SECRET_KEY: str = _given["SECRET_KEY"]
BIND: str = _given["BIND"]
PORT: int = _given["PORT"]
ALLOWED_HOSTS: list[str] = _given["ALLOWED_HOSTS"]
CSRF_TRUSTED_ORIGINS: list[str] = _given["CSRF_TRUSTED_ORIGINS"]
ADMIN_USERNAME: str = _given["ADMIN_USERNAME"]
ADMIN_PASSWORD: str | None = _given["ADMIN_PASSWORD"]
WEB_WORKERS: int = _given["WEB_WORKERS"]
WEB_THREADS: int = _given["WEB_THREADS"]
WORKER_THREADS: int = _given["WORKER_THREADS"]

# --- the project's own ---
RENDERINGS_DIR = DATA_DIR / "renderings"
QUARANTINE_DAYS: int = _given["QUARANTINE_DAYS"]
IMPORT_MAX_FILE_BYTES: int = _given["IMPORT_MAX_FILE_BYTES"]

# --- applications ---
INSTALLED_APPS = [
    "mgmtplane.apps.MgmtplaneConfig",
    "unfold",  # before django.contrib.admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "simple_history",
    "django_celery_beat",
    "inventory",
    "provisioning",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "mgmtplane.middleware.no_length_of_nothing",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "mgmtplane.urls"
WSGI_APPLICATION = "mgmtplane.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- database ---
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": str(DATA_DIR / "mgmtplane.sqlite3"),
    "OPTIONS": {
        # By default a transaction that reads and then writes fails at once, whatever the time-out, when
        # somebody else wrote in between. Taking the write lock at the start waits for its turn instead.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;",
    },
}
POSTGRESQL = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


def _database(given: dict[str, Any] | None) -> dict[str, Any]:
    """Django's configuration for what DATABASE_URL says; the embedded SQLite where it says nothing."""
    if given is None:
        return dict(SQLITE)
    if given["ENGINE"] == SQLITE["ENGINE"]:
        return {**SQLITE, "NAME": given["NAME"]}
    return {**POSTGRESQL, **given}


DATABASES = {"default": _database(_given["DATABASE_URL"])}

# --- Celery: a message is only a hint, a lost one is sent again ---
CELERY_BROKER_URL: str = _given["CELERY_BROKER_URL"]
BROKER_DIR = DATA_DIR / "broker"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # claiming the job's row protects it, not the broker
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # a worker holds no message that it cannot start
CELERY_TASK_DEFAULT_QUEUE = "short"
CELERY_TASK_CREATE_MISSING_QUEUES = False  # a misspelt queue is an error, not a queue that nobody reads
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = (
    False  # nothing uses it, and its broadcasts pile up in the message folder
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "housekeeping": {"task": "provisioning.tasks.housekeeping", "schedule": 3600.0},  # seconds
}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
if CELERY_BROKER_URL.startswith("filesystem://"):
    CELERY_BROKER_URL = "filesystem://localhost/"  # without a host kombu warns that it assumes one
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": BROKER_DIR / "control",
        # Without it messages pass through the system's temporary directory: another file system, so a copy
        # and not a rename, and two workers could both get the message.
        "store_processed": True,
        "processed_folder": str(BROKER_DIR / "processed"),
        "polling_interval": 0.1,  # seconds
    }
    for _folder in ("", "messages", "control", "processed"):
        (BROKER_DIR / _folder).mkdir(mode=0o700, parents=True, exist_ok=True)

# --- people and time ---
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LANGUAGE_CODE = "en"
USE_I18N = False
DATE_FORMAT, TIME_FORMAT, DATETIME_FORMAT = "Y-m-d", "H:i", "Y-m-d H:i"  # ISO 8601, as in logs and files
TIME_ZONE: str = _given["TIME_ZONE"]
USE_TZ = True
LOGIN_URL = "admin:login"

# --- static files, served by the same process ---
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- what a browser is told ---
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_NAME = (
    "mgmtplane_session"  # cookies ignore ports: another Django on localhost would sign us out
)
CSRF_COOKIE_NAME = "mgmtplane_csrf"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _given["SECURE_COOKIES"]
if _given["TRUST_PROXY"]:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# A variable document pasted into the admin may be long, and a host list has many rows to act on.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(10 << 20, IMPORT_MAX_FILE_BYTES)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- logging: plain text to stderr; the supervisor or systemd stores it ---
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": _given["LOG_LEVEL"]},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "celery.worker.consumer.connection": {"level": "WARNING"},  # "connected", at each start
        # At DEBUG it logs every statement with its parameters, secrets included.
        "django.db.backends": {"level": "INFO"},
    },
}
