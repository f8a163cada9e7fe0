"""Keyframes say which steps of the lab begin with them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0011_branches")]

    operations = [
        migrations.AddField(
            model_name="keyframe",
            name="steps",
            field=models.JSONField(default=list),
        ),
    ]
