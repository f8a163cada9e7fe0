"""Runs never expire; histories before a reset are gone; what a run keeps is counted, and how far its time has come."""

from typing import Any

from django.db import migrations, models
from django.db.models import Max, Sum
from django.db.models.functions import Length

ROW_BYTES = 100


def forward(apps: Any, editor: Any) -> None:
    run_model, entry_model = apps.get_model("runs", "Run"), apps.get_model("runs", "JournalEntry")
    run_model.objects.filter(state="expired").update(state="stopped")
    resets = entry_model.objects.filter(kind="reset").values("run").annotate(last=Max("seq")).order_by()
    for run, last in list(resets.values_list("run", "last")):
        entry_model.objects.filter(run=run, seq__lte=last).delete()
    for run in run_model.objects.iterator():
        rows = entry_model.objects.filter(run=run)
        text = rows.aggregate(total=Sum(Length("payload")))["total"] or 0
        run_model.objects.filter(pk=run.pk).update(kept_bytes=text + ROW_BYTES * rows.count())


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_keyframe")]

    operations = [
        migrations.AddField("run", "kept_bytes", models.BigIntegerField(default=0)),
        migrations.AddField("run", "reached_us", models.BigIntegerField(default=0)),
        migrations.AddField("keyframe", "files", models.BinaryField(default=b"")),
        # Its rows are read by a function that changes them: apart from the changes of the table.
        migrations.RunPython(forward, migrations.RunPython.noop, elidable=True),
    ]
