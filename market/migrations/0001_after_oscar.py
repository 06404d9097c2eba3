"""Let Oscar's long history run before our tables exist.

At each step of a history Django renders every model that is related to the one that changes, and all are related through User.
With Oscar first, an empty database is ready in a fraction of the time (docs/decisions/0003-migrations-after-oscar.md).
"""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    run_before = [("products", "0002_public_record")]
    dependencies = [
        ("address", "0007_useraddress_code"),
        ("analytics", "0003_auto_20200801_0817"),
        ("basket", "0012_line_code"),
        ("catalogue", "0032_category_exclude_from_menu_category_long_description"),
        ("communication", "0004_auto_20200801_0817"),
        ("customer", "0008_assign_permissions_to_staff"),
        ("offer", "0013_range_excluded_categories"),
        ("order", "0021_billingaddress_code_shippingaddress_code"),
        ("partner", "0007_partneraddress_code"),
        ("payment", "0005_auto_20200801_0817"),
        ("reviews", "0005_productreview_code"),
        ("shipping", "0003_auto_20181115_1953"),
        ("voucher", "0010_auto_20210224_0712"),
        ("wishlists", "0004_auto_20220328_0939"),
    ]
    operations = []
