"""A person may read in a language that only some lab has."""

from config.languages import all_of_them
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_classes")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="language",
            field=models.CharField(
                choices=all_of_them, default="en", max_length=16, verbose_name="language"
            ),
        ),
    ]
