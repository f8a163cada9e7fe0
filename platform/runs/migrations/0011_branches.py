"""A run has branches. Back: of each run only the way of its present branch stays."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def _one_way(apps: Any, schema_editor: Any) -> None:
    branch_of, entry_of, frame_of = (apps.get_model("runs", name) for name in ("Branch", "JournalEntry", "Keyframe"))
    for run in apps.get_model("runs", "Run").objects.filter(pk__in=branch_of.objects.values("run")).iterator():
        known = {each.number: each for each in branch_of.objects.filter(run=run)}
        ways: dict[int, Any] = {}
        number, left = run.branch, None
        while number is not None:
            ways[number] = left
            left = known[number]
            number = left.parent
        for number in known:
            entries, frames = (each.objects.filter(run=run, branch=number) for each in (entry_of, frame_of))
            left = ways.get(number)
            if left is not None:
                entries = entries.filter(seq__gt=left.seq)
                frames = frames.exclude(seq__lte=left.seq, at_us__lte=left.at_us)
            if number != run.branch:
                entries.delete()
                frames.delete()


class Migration(migrations.Migration):

    dependencies = [
        ("runs", "0010_older_keyframes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Branch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=60)),
                ("parent", models.PositiveIntegerField(null=True)),
                ("seq", models.PositiveIntegerField(default=0)),
                ("at_us", models.BigIntegerField(default=0)),
                ("gone", models.BooleanField(default=False)),
                ("created", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["run", "number"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="journalentry",
            name="runs_journal_run_seq",
        ),
        migrations.RemoveConstraint(
            model_name="keyframe",
            name="runs_keyframe_run_seq",
        ),
        migrations.AddField(
            model_name="journalentry",
            name="branch",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="keyframe",
            name="branch",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="run",
            name="branch",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.UniqueConstraint(fields=("run", "branch", "seq"), name="runs_journal_run_branch_seq"),
        ),
        migrations.AddConstraint(
            model_name="keyframe",
            constraint=models.UniqueConstraint(fields=("run", "branch", "seq"), name="runs_keyframe_run_branch_seq"),
        ),
        migrations.AddField(
            model_name="branch",
            name="run",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="branches", to="runs.run"),
        ),
        migrations.AddConstraint(
            model_name="branch",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="runs_branch_run_number"),
        ),
        migrations.RunPython(migrations.RunPython.noop, _one_way),
    ]
