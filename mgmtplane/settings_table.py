"""The one table of settings: each variable with its default, what it is for, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mgmtplane.parsers import (
    SECRET_KEY_LENGTH,
    age_recipients,
    boolean,
    broker_url,
    database_url,
    directory,
    host_names,
    one_of,
    origins,
    secret_key,
    sftp_place,
    text,
    time_zone,
    user_name,
    whole_number,
)

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Setting:
    """One variable: its default as one would write it, what it is for, how it is read."""

    name: str
    default: str
    what: str
    parse: Callable[[str], Any] = text
    secret: bool = False
    shown: str = ""  # the default as documentation shows it, where the bare value says too little


# The one table. docs/settings.md is written from it: `make docs`.
SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DATA_DIR",
        "data",
        "Directory for everything that is kept in files: the SQLite database, the secret key, the message "
        "folder of the embedded broker, renderings, collected static files. Created with mode 0700. A "
        "relative path starts at the project's directory.",
        directory,
        shown="`data` beside `manage.py`",
    ),
    Setting(
        "DATABASE_URL",
        "",
        "The database: `postgresql://USER:PASSWORD@HOST:5432/NAME` or `sqlite:////absolute/path.sqlite3`. "
        "Percent-encode special characters of the password.",
        database_url,
        secret=True,
        shown="SQLite in `DATA_DIR`",
    ),
    Setting(
        "SECRET_KEY",
        "",
        f"Signs sessions and forms; at least {SECRET_KEY_LENGTH} characters, the same for all processes.",
        secret_key,
        secret=True,
        shown="generated once into `DATA_DIR/secret_key` with mode 0600",
    ),
    Setting(
        "CELERY_BROKER_URL",
        "filesystem://",
        "Where messages to the worker travel: `filesystem://` (a folder in `DATA_DIR`, for one machine), "
        "`redis://HOST:6379/0` or `amqp://USER:PASSWORD@HOST//`.",
        broker_url,
        secret=True,
    ),
    Setting(
        "ADMIN_USERNAME",
        "admin",
        "Name of the first administrator, created by `make up` if there is none.",
        user_name,
    ),
    Setting(
        "ADMIN_PASSWORD",
        "",
        "Password of that first administrator. Used once; changing it later changes nothing.",
        secret=True,
        shown="generated and printed once",
    ),
    Setting(
        "BIND",
        "127.0.0.1",
        "Address on which the web server of `make up` listens; `0.0.0.0` for every IPv4 one.",
    ),
    Setting("PORT", "8000", "TCP port of the web server.", whole_number(1, 65535)),
    Setting(
        "ALLOWED_HOSTS",
        "localhost,127.0.0.1,[::1]",
        "Host names and addresses under which browsers and clients reach this server, separated by commas. "
        "No scheme, no port; IPv6 in brackets; `.example.org` covers its subdomains.",
        host_names,
    ),
    Setting(
        "CSRF_TRUSTED_ORIGINS",
        "",
        "Origins such as `https://lab.example.org` from which forms are accepted; needed behind a proxy that "
        "speaks HTTPS.",
        origins,
        shown="none",
    ),
    Setting(
        "SECURE_COOKIES",
        "false",
        "Send session and form cookies over HTTPS only. Turn it on wherever people come by HTTPS.",
        boolean,
    ),
    Setting(
        "TRUST_PROXY",
        "false",
        "Believe the `X-Forwarded-Proto` header, and the last address in `X-Forwarded-For`. Only behind a reverse "
        "proxy that sets the one and appends to the other itself: otherwise anybody can claim to come by HTTPS, or "
        "from elsewhere.",
        boolean,
    ),
    Setting(
        "SECURE_SSL_REDIRECT",
        "false",
        "Send who comes by HTTP to HTTPS. Needs `TRUST_PROXY`. Shuts the SSH tunnel too, which speaks HTTP.",
        boolean,
    ),
    Setting(
        "HSTS_SECONDS",
        "0",
        "How long browsers refuse plain HTTP to this host name once they came by HTTPS; 0 for not at all. Start "
        "small: it cannot be taken back before it is over.",
        whole_number(0, 63_072_000),
    ),
    Setting("SESSION_HOURS", "12", "How long a sign-in lasts, in hours.", whole_number(1, 8760)),
    Setting(
        "SIGN_IN_ATTEMPTS",
        "5",
        "Wrong passwords in a row, for one user name from one address, before that pair is refused for a while.",
        whole_number(1, 1000),
    ),
    Setting(
        "SIGN_IN_COOLDOWN_MINUTES",
        "15",
        "How long that while is, in minutes.",
        whole_number(1, 1440),
    ),
    Setting("TIME_ZONE", "UTC", "Time zone of what the browser shows, such as `Europe/Berlin`.", time_zone),
    Setting(
        "DEBUG", "false", "Show tracebacks in the browser. For development on your own machine only.", boolean
    ),
    Setting(
        "LOG_LEVEL", "INFO", f"How much is logged to stderr: {', '.join(LOG_LEVELS)}.", one_of(*LOG_LEVELS)
    ),
    Setting(
        "WEB_WORKERS",
        "1",
        "Web server processes; each has its own memory of what it has read.",
        whole_number(1, 64),
    ),
    Setting("WEB_THREADS", "8", "Threads in each web server process.", whole_number(1, 256)),
    Setting(
        "WORKER_THREADS", "4", "Jobs of each queue (short, long) that run at a time.", whole_number(1, 64)
    ),
    Setting(
        "JOB_LEASE_SECONDS",
        "30",
        "After so long without a sign of its worker a running job is given to another one, or called lost.",
        whole_number(3, 3600),
    ),
    Setting(
        "JOB_KEEP_DAYS",
        "90",
        "How long finished jobs are kept with what they said; the newest of each kind stays.",
        whole_number(1, 36500),
    ),
    Setting(
        "RUN_KEEP_DAYS",
        "90",
        "How long the output of runs of playbooks is kept; it goes with their jobs at the latest.",
        whole_number(1, 36500),
    ),
    Setting(
        "JOB_WAIT_HOURS",
        "72",
        "How long a job waits for a person to confirm its plan before it is cancelled.",
        whole_number(1, 87600),
    ),
    Setting(
        "UNLOCK_MINUTES_MOST",
        "480",
        "For how many minutes a secret may be unlocked at most.",
        whole_number(1, 44_640),
    ),
    Setting(
        "MACHINE_PARK_HOURS",
        "24",
        "How long a virtual machine is parked before it may be destroyed.",
        whole_number(0, 87600),
    ),
    Setting(
        "SURVEY_MAX_AGE_MINUTES",
        "1440",
        "How old the newest survey of each hypervisor of a site may be for a VMID to be handed out. Before a machine is "
        "made they are surveyed anyway.",
        whole_number(1, 525_600),
    ),
    Setting(
        "SSH_WAIT_SECONDS",
        "0",
        "How long a job waits for the SSH server of a machine that it started; 0: it does not look. Where nothing at "
        "all answers it warns, where something else answers it fails.",
        whole_number(0, 3600),
    ),
    Setting(
        "BACKUP_DIR",
        "",
        "Where backups of the application itself are kept. A place that fails with the machine keeps nothing safe: mount "
        "one of another, or copy them away.",
        directory,
        shown="`backups` in `DATA_DIR`",
    ),
    Setting(
        "BACKUP_COPY_TO",
        "",
        "A folder on another machine, `sftp://USER@HOST/FOLDER`, to which every backup is brought as well. It is for the "
        "backups of one installation alone: all but the newest are deleted there too.",
        sftp_place,
        shown="none",
    ),
    Setting(
        "BACKUP_SSH_KEY",
        "",
        "The private key, without a passphrase, that gets in there. Use the file.",
        secret=True,
        shown="none",
    ),
    Setting(
        "BACKUP_KNOWN_HOSTS",
        "",
        "The file with the host keys that a machine with backups is known by; no other is accepted.",
        directory,
        shown="`known_hosts` in `DATA_DIR`",
    ),
    Setting(
        "BACKUP_RECIPIENTS",
        "",
        "age public keys (`age1…`), separated by commas, for whom what is secret in a backup is sealed.",
        age_recipients,
        shown="none",
    ),
    Setting(
        "BACKUP_PASSPHRASE",
        "",
        "Seals what is secret in a backup, where there are no recipients. Keep it where this machine is not.",
        secret=True,
        shown="none: the secrets stay out of backups",
    ),
    Setting(
        "BACKUP_EVERY_HOURS",
        "24",
        "How long after the newest backup another is made; 0: only when somebody asks.",
        whole_number(0, 8760),
    ),
    Setting(
        "BACKUP_DRILL_EVERY_HOURS",
        "168",
        "How long after the last drill of the newest backup another is asked for; 0: only when somebody asks.",
        whole_number(0, 8760),
    ),
    Setting(
        "KIT_DIR",
        "",
        "Where recovery kits are built: a directory and an archive for each site. Readable by its owner alone.",
        directory,
        shown="`kits` in `DATA_DIR`",
    ),
    Setting(
        "KIT_EVERY_HOURS",
        "24",
        "How long after the newest recovery kit of a site another is built; one that is missing three times is told as "
        "stale. 0: only when somebody or a schedule asks.",
        whole_number(0, 8760),
    ),
    Setting(
        "KIT_AFTER_CHANGE_MINUTES",
        "30",
        "How long a site that was changed must rest before its kit is built anew; eight times as long where it never rests. "
        "0: changes alone build none.",
        whole_number(0, 10_080),
    ),
    Setting("BACKUP_KEEP", "14", "How many backups are kept in `BACKUP_DIR`.", whole_number(1, 10_000)),
    Setting(
        "QUARANTINE_DAYS",
        "90",
        "How long a retired host's identities (MAC, address, VMID, name) are withheld from others; 0 for not "
        "at all.",
        whole_number(0, 36500),
    ),
    Setting(
        "PROJECT_MAX_MEGABYTES",
        "512",
        "How large a project of playbooks may be, in MiB: its repository, and a copy of one commit.",
        whole_number(1, 1 << 20),
    ),
    Setting(
        "IMPORT_MAX_FILE_BYTES",
        "10485760",
        "Largest file an importer reads; a larger one is refused, with nothing stored.",
        whole_number(1024, 1 << 30),
        shown="`10485760` (10 MiB)",
    ),
)
