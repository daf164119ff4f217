from tests.provisioning.pve.fixtures import _each_version as _each_version
from tests.provisioning.pve.fixtures import _newest as _newest
from tests.provisioning.pve.fixtures import each_version as each_version
from tests.provisioning.pve.fixtures import pve as pve
