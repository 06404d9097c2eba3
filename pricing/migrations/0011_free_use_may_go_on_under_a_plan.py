"""The claimant's choice for when a free quota is used up: stop, or go on at the list price of a plan."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pricing", "0010_guard_permitted_revenues")]
    operations = [
        migrations.AddField(
            model_name="freeusegrant",
            name="continues_on",
            field=models.ForeignKey(
                blank=True,
                help_text="Plan whose price is paid once the quota is used up; empty: calls stop",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pricing.plan",
            ),
        ),
    ]
