"""Pages of findings about projects and job templates."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "template-without-project": Page(
        title="A job template takes its playbook from a project that is not declared.",
        severity="error",
        what="The template names a project that the site does not have.",
        why="There is nothing to run: every run of it is refused.",
        todo="Declare the project, or give the template one that is declared.",
    ),
    "template-without-playbook": Page(
        title="A job template names no playbook inside its project.",
        severity="error",
        what=(
            "The path of its playbook is empty, leaves the project, or does not end in .yml or .yaml. Whether the project "
            "has such a file is seen when a run begins."
        ),
        why="A run reads nothing outside its project, so it is refused.",
        todo="Write the path relative to the project, such as playbooks/site.yml.",
    ),
    "template-unknown": Page(
        title="A role or a workload profile names a job template that is not declared.",
        severity="error",
        what="The template that should configure its hosts, or clean up behind them, does not exist.",
        why="Creating, rebuilding or retiring such a host is refused, since it would end half done.",
        todo="Declare the template, or take its name out of the role or the profile.",
    ),
    "template-asks": Page(
        title="A role or a workload profile names a job template that asks a question nobody answers.",
        severity="error; warning where only a secret is asked for",
        what=(
            "When a machine is made, rebuilt or retired, the templates of its role and its profiles run without a person "
            "at a form. The template has a prompt that is required and has no default."
        ),
        why=(
            "The chain cannot go on. Where the prompt asks for a secret it waits until somebody enters it, for each machine "
            "anew."
        ),
        todo="Give the prompt a default, or name a template that needs no answers; take secrets from an unlocked vault.",
    ),
    "secret-stored": Page(
        title="A vault password, an SSH key or a secret variable is stored where runs take place.",
        severity="info",
        what=(
            "A project or a job template refers to its secret as env:NAME or file:/path: it lies on the server, for whoever "
            "gets in there. unlock:NAME is entered by a person, and held in memory for a while only."
        ),
        why="One stolen disk or backup of the server opens every vault that the password opens.",
        todo=(
            "Write unlock:NAME where a person can be there. Where schedules run at night the stored secret is a decision: "
            "lower the finding and say why."
        ),
    ),
    "variable-runs-code": Page(
        title="A variable runs code on the machine that runs playbooks, and nothing is around it.",
        severity="info",
        what=(
            "The variable has a lookup, is a local connection, or chooses a program that Ansible calls or its arguments "
            "(ansible_ssh_common_args and its like), and a job template's project has no container image."
        ),
        why=(
            "Ansible templates variables in its own process. There the code reads what this application can read: its keys, "
            "and the secrets that people unlocked. So only who may declare job templates may declare such a variable."
        ),
        todo=(
            "Give the project a container image, or set the variable in the playbook. Where it is meant, lower the finding "
            "and say why."
        ),
    ),
}
