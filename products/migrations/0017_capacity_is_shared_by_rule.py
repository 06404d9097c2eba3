"""The rules by which a product's capacity is shared, and what one organisation may ask of the market in a minute."""

from django.db import migrations

from products import reference


class Migration(migrations.Migration):
    dependencies = [("products", "0016_remote_hosts_name_who_closed_them")]
    operations = [migrations.RunPython(lambda apps, _editor: reference.extend_rule_sets(apps), migrations.RunPython.noop)]
