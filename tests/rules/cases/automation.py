"""Projects, job templates, and the roles that name them."""

from __future__ import annotations

from typing import Any

from inventory.automating.prompts import Prompt
from inventory.snapshot import JobTemplateFacts, ProfileFacts, ProjectFacts, RoleFacts
from tests.rules.cases.making import Pair, host, of


def templated(
    *,
    role: str = "",
    profile: str = "",
    project: str = "lab",
    image: str = "",
    variables: Any = None,
    **facts: Any,
):
    """A site whose template base takes its playbook from *project*; *role* and *profile* name a template."""
    template = JobTemplateFacts("base", project, **{"playbook": "base.yml", **facts})
    return of(
        host(variables=variables or {}),
        projects=(ProjectFacts("lab", location="/srv/playbooks", image=image),),
        templates=(template,),
        roles=(RoleFacts("web", "01", configure_template=role),),
        profiles=(ProfileFacts("web", ("h",), retire_template=profile),),
    )


CASES = {
    "template-without-project": Pair(templated(project="gone"), templated()),
    "template-without-playbook": Pair(templated(playbook="../base.yml"), templated()),
    "template-unknown": Pair(templated(profile="gone"), templated(profile="base")),
    "template-asks": Pair(
        templated(role="base", prompts=(Prompt("release"),)),
        templated(role="base", prompts=(Prompt("release", default="1.4"),)),
    ),
    "secret-stored": Pair(
        templated(vault_secrets=(("default", "file:/etc/vault"),)),
        templated(vault_secrets=(("default", "unlock:vault"),), ssh_key="vault:KEY"),
    ),
    "variable-runs-code": Pair(
        templated(variables={"ansible_connection": "local"}),
        templated(variables={"ansible_connection": "local"}, image="quay.io/ansible/creator-ee:v24.2.0"),
    ),
}
