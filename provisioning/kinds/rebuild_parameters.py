"""What is asked of somebody who rebuilds a machine."""

from __future__ import annotations

from django import forms

from provisioning.kinds.machine import OfHost

YES, NO = "yes", "no"
CHOICES = [("", "as declared"), (YES, "yes"), (NO, "no")]
SHUTDOWN = 180


class Parameters(OfHost):
    keep_data = forms.ChoiceField(
        choices=CHOICES,
        required=False,
        label="Keep the data disk",
        help_text="It stays in the machine, untouched; no: it goes with the rest, and an empty one is made.",
    )
    backup = forms.ChoiceField(
        choices=[(YES, "yes"), (NO, "no: what is on it is lost")],
        required=False,
        help_text="Before anything is taken away; without one nothing can be put back. No is for what is broken already.",
    )
    storage = forms.CharField(
        max_length=100,
        required=False,
        help_text="Where the backup goes; empty: the first storage of the node itself that takes backups.",
    )
    timeout = forms.IntegerField(
        min_value=1,
        max_value=3600,
        initial=SHUTDOWN,
        required=False,
        help_text="Seconds that the guest gets to shut down; empty: 180.",
    )
    force = forms.BooleanField(
        required=False, label="Pull the plug", help_text="Where the guest has not shut down by then."
    )
