"""Django's settings. What a deployment may change is in the table of ``settings_table.py``."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ

from mgmtplane import content_policy, environment
from mgmtplane.rest import REST_FRAMEWORK as REST_FRAMEWORK
from mgmtplane.rest import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from mgmtplane.sftp_places import SftpPlace
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
JOB_LEASE_SECONDS: int = _given["JOB_LEASE_SECONDS"]
JOB_KEEP_DAYS: int = _given["JOB_KEEP_DAYS"]
RUN_KEEP_DAYS: int = _given["RUN_KEEP_DAYS"]
JOB_WAIT_HOURS: int = _given["JOB_WAIT_HOURS"]
UNLOCK_MINUTES_MOST: int = _given["UNLOCK_MINUTES_MOST"]
MACHINE_PARK_HOURS: int = _given["MACHINE_PARK_HOURS"]
PROJECT_MAX_MEGABYTES: int = _given["PROJECT_MAX_MEGABYTES"]
SURVEY_MAX_AGE_MINUTES: int = _given["SURVEY_MAX_AGE_MINUTES"]
SSH_WAIT_SECONDS: int = _given["SSH_WAIT_SECONDS"]
BACKUP_DIR: Path = _given["BACKUP_DIR"] or DATA_DIR / "backups"
BACKUP_COPY_TO: SftpPlace | None = _given["BACKUP_COPY_TO"] or None
BACKUP_SSH_KEY: str | None = _given["BACKUP_SSH_KEY"]
BACKUP_KNOWN_HOSTS: Path = _given["BACKUP_KNOWN_HOSTS"] or DATA_DIR / "known_hosts"
BACKUP_RECIPIENTS: list[str] = _given["BACKUP_RECIPIENTS"]
BACKUP_PASSPHRASE: str | None = _given["BACKUP_PASSPHRASE"]
BACKUP_EVERY_HOURS: int = _given["BACKUP_EVERY_HOURS"]
BACKUP_DRILL_EVERY_HOURS: int = _given["BACKUP_DRILL_EVERY_HOURS"]
BACKUP_KEEP: int = _given["BACKUP_KEEP"]
KIT_EVERY_HOURS: int = _given["KIT_EVERY_HOURS"]
KIT_AFTER_CHANGE_MINUTES: int = _given["KIT_AFTER_CHANGE_MINUTES"]
KIT_DIR: Path = _given["KIT_DIR"] or DATA_DIR / "kits"
WHEELS_DIR = DATA_DIR / "wheels"
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
    "axes",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "inventory",
    "provisioning",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "inventory.api.degraded.refuse_at_once",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "mgmtplane.middleware.no_length_of_nothing",
    "mgmtplane.middleware.careful_browser",
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mgmtplane.middleware.zone_of_the_person",
    "provisioning.runs.looks.in_a_request",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it answers for a sign-in that was refused below
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
    "ENGINE": "mgmtplane.databases.sqlite3",
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
POSTGRESQL_ENGINE = "mgmtplane.databases.postgresql"
#: a server behind a dead link is given up on after seconds, not minutes; libpq, section 32.1.2
REACHED = {"connect_timeout": 5, "tcp_user_timeout": 20_000}
#: who waits for somebody else's lock is told after as long as on SQLite; the URL's own options come after it, and win
LOCKED = "-c lock_timeout=20s"


def _database(given: dict[str, Any] | None) -> dict[str, Any]:
    """Django's configuration for what DATABASE_URL says; the embedded SQLite where it says nothing."""
    if given is None:
        return dict(SQLITE)
    if given["ENGINE"].endswith("sqlite3"):
        return {**SQLITE, "NAME": given["NAME"]}
    options = {**REACHED, **given.get("OPTIONS", {})}
    options["options"] = f"{LOCKED} {options.get('options', '')}".rstrip()
    return {**POSTGRESQL, **given, "ENGINE": POSTGRESQL_ENGINE, "OPTIONS": options}


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
CELERY_BROKER_CONNECTION_TIMEOUT = (
    2.0  # seconds; who asks for a job does not wait longer for a broker that is away
)
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "housekeeping": {"task": "provisioning.tasks.housekeeping", "schedule": 3600.0},  # seconds
}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
if CELERY_BROKER_URL.startswith(("redis:", "rediss:")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2.0}  # seconds
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
LOGIN_REDIRECT_URL = "admin:index"  # where “next” names another place
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "inventory.permissions.SiteGrants"]

# --- sign-in is throttled, by user name and address, in the database: the same for every process ---
AXES_FAILURE_LIMIT: int = _given["SIGN_IN_ATTEMPTS"]
AXES_COOLOFF_TIME = timedelta(minutes=_given["SIGN_IN_COOLDOWN_MINUTES"])
# The pair: an address alone would lock out everybody behind one router, a name alone anybody from afar.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # “in 15 minutes” stays true for who tries again
AXES_CLIENT_IP_CALLABLE = "mgmtplane.sign_in.address_of"
AXES_LOCKOUT_CALLABLE = "mgmtplane.sign_in.locked"
AXES_ENABLE_ADMIN = (
    False  # what it keeps are half-typed passwords in the wrong field, and nobody needs to read them
)
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username"]  # people type their password there; the address is logged
AXES_VERBOSE = False

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
SESSION_COOKIE_AGE = _given["SESSION_HOURS"] * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _given["SECURE_COOKIES"]
TRUST_PROXY: bool = _given["TRUST_PROXY"]
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT: bool = _given["SECURE_SSL_REDIRECT"]
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked from beside, past the proxy
SECURE_HSTS_SECONDS: int = _given["HSTS_SECONDS"]
# Neighbours below the same domain may well speak HTTP, and no lab belongs into the browsers' built-in list.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
CONTENT_SECURITY_POLICY = content_policy.STRICT
# A variable document pasted into the admin may be long, and a host list has many rows to act on.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(10 << 20, IMPORT_MAX_FILE_BYTES)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- what a page about an error shows, with DEBUG as well ---
DEFAULT_EXCEPTION_REPORTER_FILTER = "mgmtplane.error_reports.NothingTyped"

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
        "axes": {
            "level": "WARNING"
        },  # failures and locks; each sign-in otherwise says four times that nothing was
        # At DEBUG it logs every statement with its parameters, secrets included.
        "django.db.backends": {"level": "INFO"},
    },
}
