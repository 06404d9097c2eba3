"""Purposes, scenarios, the national rule set and the published working days; adds what is missing."""

from django.db import migrations

from products import reference


class Migration(migrations.Migration):
    dependencies = [("products", "0004_case_runs_and_audit_head")]
    operations = [migrations.RunPython(lambda apps, schema_editor: reference.load(apps), migrations.RunPython.noop)]
