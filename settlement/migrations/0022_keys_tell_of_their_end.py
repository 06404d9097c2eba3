"""Which of the notices before a key's end was sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("settlement", "0021_rows_of_a_batch")]
    operations = [
        migrations.AddField(
            model_name="apikey",
            name="told_days",
            field=models.PositiveSmallIntegerField(null=True, help_text="Days before its end of the last notice: 30, 7 or 1"),
        ),
    ]
