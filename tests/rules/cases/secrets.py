"""Secrets in plain."""

from __future__ import annotations

from tests.rules.cases.making import Pair, host, of

CASES = {
    "secret-in-plain": Pair(
        of(host(variables={"bmc_password": "hunter2"})),
        of(host(variables={"bmc_password": "{{ vault_bmc_password }}"})),
    ),
    "secret-suspected": Pair(
        of(host(variables={"upstream": "q7RtY2mZ9bXc4VdK1sWe8PjL"})),
        of(host(variables={"upstream_sha256": "q7RtY2mZ9bXc4VdK1sWe8PjL"})),
    ),
}
