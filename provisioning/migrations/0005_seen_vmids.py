"""The VMIDs of each survey beside its document, for allocation."""

from django.db import migrations, models


def fill(apps, schema_editor):
    for row in apps.get_model("provisioning", "Survey").objects.exclude(document=None):
        row.vmids = sorted(guest["vmid"] for guest in row.document["guests"])
        row.save(update_fields=["vmids"])


class Migration(migrations.Migration):
    dependencies = [
        ("provisioning", "0004_drift"),
    ]

    operations = [
        migrations.AddField(
            model_name="survey",
            name="vmids",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
