"""Small repairs come back, too: their cards are known by the lab's slug."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("review", "0001_cards")]

    operations = [
        migrations.AlterField(model_name="card", name="question", field=models.CharField(max_length=110)),
    ]
