"""Provisioning: what happens."""

from typing import Any

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    label = "provisioning"
    verbose_name = "Provisioning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from celery.signals import worker_ready, worker_shutting_down
        from django.db.models.signals import post_migrate

        from inventory import level_groups
        from inventory.allocation import seeing
        from inventory.api import health, metrics
        from inventory.api.v1.others import OTHERS
        from inventory.models.schedules import JUDGES
        from provisioning import metrics as ours
        from provisioning.backups import ages
        from provisioning.clockwork import schedules
        from provisioning.drills import ages as drills
        from provisioning.engine import workers
        from provisioning.kits import ages as kit_ages
        from provisioning.observed import vmids

        seeing.LOOKERS.append(vmids.seen)
        health.NOTES["workers"] = workers.silence
        health.NOTES["backup"] = ages.silence
        health.NOTES["drill"] = drills.silence
        health.NOTES["kits"] = kit_ages.silence
        metrics.OTHERS.append(ours.collect)
        JUDGES.append(schedules.judge)
        OTHERS["jobs"] = "provisioning.api.jobs.JobView"
        OTHERS["drift"] = "provisioning.api.drift.DriftView"
        OTHERS["runs"] = "provisioning.api.runs.RunView"
        OTHERS["observations"] = "provisioning.api.observations.ObservationView"
        # Our permissions are made after the inventory's, and belong into its user groups too.
        post_migrate.connect(level_groups.keep, sender=self, dispatch_uid="provisioning.level_groups")
        worker_ready.connect(_begin_sweeping, dispatch_uid="provisioning.engine.sweeping")
        worker_shutting_down.connect(_end_sweeping, dispatch_uid="provisioning.engine.sweeping")


def _begin_sweeping(sender: Any, **_: Any) -> None:
    from provisioning.engine import sweeping

    sweeping.begin(sender)


def _end_sweeping(**_: Any) -> None:
    from provisioning.engine import sweeping

    sweeping.end()
