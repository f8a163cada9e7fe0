"""A run may be in a language that only some lab has."""

from config.languages import all_of_them
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0012_steps")]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="language",
            field=models.CharField(choices=all_of_them, default="en", max_length=16),
        ),
    ]
