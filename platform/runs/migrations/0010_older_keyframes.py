"""A run keeps some of its older keyframes too. Back: only its last one."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

FIELDS = ("seq", "data", "files")


def _to_many(apps: Any, schema_editor: Any) -> None:
    keyframe = apps.get_model("runs", "Keyframe")
    for one in apps.get_model("runs", "LastKeyframe").objects.iterator():
        values = {name: getattr(one, name) for name in FIELDS}
        keyframe.objects.create(run_id=one.run_id, size=len(one.data) + len(one.files), **values)


def _to_the_last(apps: Any, schema_editor: Any) -> None:
    last = apps.get_model("runs", "LastKeyframe")
    for one in apps.get_model("runs", "Keyframe").objects.order_by("seq").iterator():
        last.objects.update_or_create(
            run_id=one.run_id, defaults={name: getattr(one, name) for name in FIELDS}
        )


class Migration(migrations.Migration):
    dependencies = [("runs", "0009_speed")]

    operations = [
        migrations.RenameModel("Keyframe", "LastKeyframe"),
        migrations.CreateModel(
            name="Keyframe",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
                ("seq", models.PositiveIntegerField()),
                ("at_us", models.BigIntegerField(null=True)),
                ("cost_us", models.BigIntegerField(default=0)),
                ("data", models.BinaryField()),
                ("files", models.BinaryField(default=b"")),
                ("size", models.PositiveIntegerField(default=0)),
                ("written", models.DateTimeField(auto_now=True, verbose_name="written")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="keyframes", to="runs.run"
                    ),
                ),
            ],
            options={"ordering": ["run", "seq"]},
        ),
        migrations.AddConstraint(
            model_name="keyframe",
            constraint=models.UniqueConstraint(fields=["run", "seq"], name="runs_keyframe_run_seq"),
        ),
        migrations.RunPython(_to_many, _to_the_last),
        migrations.DeleteModel("LastKeyframe"),
    ]
