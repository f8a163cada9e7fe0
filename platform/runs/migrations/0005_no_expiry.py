"""The columns and the state that only expiry needed."""

import django.utils.timezone
from django.db import migrations, models

STATES = ("requested", "booting", "ready", "passed", "stopped", "failed")


class Migration(migrations.Migration):
    dependencies = [("runs", "0004_runs_never_expire")]

    operations = [
        migrations.RemoveIndex("run", "runs_state_expires"),
        # With a default: the way back needs one.
        migrations.AlterField("run", "expires", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.RemoveField("run", "expires"),
        migrations.RemoveConstraint("run", "runs_state_known"),
        migrations.AlterField(
            "run",
            "state",
            models.CharField(
                choices=[(state, state) for state in STATES], default="requested", max_length=16
            ),
        ),
        migrations.AddConstraint(
            "run", models.CheckConstraint(condition=models.Q(("state__in", STATES)), name="runs_state_known")
        ),
    ]
