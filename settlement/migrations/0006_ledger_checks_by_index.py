"""The ledger's checks look rows up by index whatever the statistics say: their plans are made while the tables are empty."""

from django.db import migrations

SET = """
ALTER FUNCTION ledger_transaction_is_whole() SET enable_seqscan = off;
ALTER FUNCTION ledger_keep_balances() SET enable_seqscan = off;
"""
UNDO = """
ALTER FUNCTION ledger_transaction_is_whole() RESET enable_seqscan;
ALTER FUNCTION ledger_keep_balances() RESET enable_seqscan;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0005_billing_guards")]
    operations = [migrations.RunSQL(SET, reverse_sql=UNDO)]
