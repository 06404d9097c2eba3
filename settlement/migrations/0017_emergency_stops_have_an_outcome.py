"""How an emergency stop ends: calls go on, or what was stopped is ended for good."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("settlement", "0016_receipt_trees_end")]
    operations = [
        migrations.AddField(
            model_name="emergencystop",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[("recovery", "Calls go on"), ("termination", "Ended for good")],
                default="",
                help_text="What was asked for, then done",
                max_length=11,
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="emergencystop",
            constraint=models.CheckConstraint(
                condition=Q(lift_asked_by=None, outcome="")
                | Q(lift_asked_by__isnull=False, outcome__in=["recovery", "termination"]),
                name="emergency_stop_asked_for_an_outcome",
            ),
        ),
    ]
