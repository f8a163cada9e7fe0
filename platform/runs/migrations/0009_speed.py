from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0008_lab_version")]

    operations = [
        migrations.AddField(model_name="run", name="speed", field=models.FloatField(default=1.0)),
    ]
