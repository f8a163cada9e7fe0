"""Whoever settles an appeal writes back, and its learner reads that."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("grading", "0005_appeals_and_hints")]

    operations = [
        migrations.AddField(model_name="appeal", name="reply", field=models.TextField(blank=True, default="")),
        migrations.AddField(
            model_name="appeal", name="read", field=models.DateTimeField(blank=True, null=True)
        ),
    ]
