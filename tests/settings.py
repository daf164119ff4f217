"""Settings of the test suite: the shipped ones, over a data directory that is thrown away.

The caller's environment must not change what the tests see, so every setting is taken out of it, except the
database: ``TEST_DATABASE_URL`` (or ``DATABASE_URL``) runs the same suite on PostgreSQL.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from mgmtplane import environment

_database_url = os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL") or ""
for _setting in environment.SETTINGS:
    os.environ.pop(_setting.name, None)
    os.environ.pop(f"{_setting.name}_FILE", None)

# One directory per process: pytest-xdist's workers must not share renderings or a broker folder.
_owner = os.getpid()
_data_dir = tempfile.mkdtemp(prefix="mgmtplane-test-")
os.environ["DATA_DIR"] = _data_dir
if _database_url:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"] = _database_url


@atexit.register
def _remove_data_dir() -> None:
    if os.getpid() == _owner:  # not in a forked child
        shutil.rmtree(_data_dir, ignore_errors=True)


from mgmtplane.settings import *  # noqa: E402, F403
from mgmtplane.settings import DATABASES, STORAGES  # noqa: E402

# Nothing is collected for a test run; the compressed manifest of the shipped settings would be missing.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # slow on purpose elsewhere

BACKUP_EVERY_HOURS = BACKUP_DRILL_EVERY_HOURS = KIT_EVERY_HOURS = 0  # what no test asks for is no job either

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads, WAL and locks then behave as they do in use.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_data_dir) / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
    Path(DATABASES["default"]["NAME"]).touch(0o600)  # `makemigrations --check` looks at it
