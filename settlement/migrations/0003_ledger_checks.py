"""The database counts a transaction's postings at commit, keeps balances and refuses to overdraw an account."""

from django.db import migrations, models
from django.db.models import Q

CHECKS = """
-- At commit a transaction has exactly the postings that its row says, all in the currency of their accounts.
CREATE FUNCTION ledger_transaction_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM settlement_posting WHERE transaction_id = NEW.id) <> NEW.posting_count THEN
        RAISE EXCEPTION 'ledger transaction % does not have its % postings', NEW.id, NEW.posting_count
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_is_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_transaction_is_whole AFTER INSERT ON settlement_ledgertransaction
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_is_whole();

-- Each statement that adds postings: none too many, one currency a transaction, balances kept, nothing overdrawn.
CREATE FUNCTION ledger_keep_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE at_fault text;
BEGIN
    SELECT min(t.id)::text INTO at_fault FROM settlement_ledgertransaction t
    WHERE t.id IN (SELECT transaction_id FROM added)
      AND t.posting_count < (SELECT count(*) FROM settlement_posting p WHERE p.transaction_id = t.id);
    IF at_fault IS NOT NULL THEN
        RAISE EXCEPTION 'ledger transaction % has all its postings', at_fault
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_is_whole';
    END IF;

    SELECT min(a.transaction_id)::text INTO at_fault FROM added a
    JOIN settlement_account s ON s.id = a.source_id JOIN settlement_account d ON d.id = a.destination_id
    WHERE a.currency <> s.currency OR a.currency <> d.currency;
    IF at_fault IS NOT NULL THEN
        RAISE EXCEPTION 'ledger transaction % mixes currencies', at_fault
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_one_currency';
    END IF;

    INSERT INTO settlement_accountbalance AS b (account_id, in_minor, out_minor)
    SELECT account_id, sum(in_minor), sum(out_minor) FROM (
        SELECT destination_id AS account_id, amount_minor AS in_minor, 0 AS out_minor FROM added
        UNION ALL SELECT source_id, 0, amount_minor FROM added) AS moved
    GROUP BY account_id ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE
    SET in_minor = b.in_minor + excluded.in_minor, out_minor = b.out_minor + excluded.out_minor;

    SELECT min(c.path) INTO at_fault FROM settlement_account c JOIN settlement_accountbalance b ON b.account_id = c.id
    WHERE c.id IN (SELECT source_id FROM added UNION SELECT destination_id FROM added)
      AND CASE WHEN c.kind IN ('clearing', 'receivable') THEN b.in_minor > b.out_minor
               WHEN c.kind IN ('memo', 'outside') THEN false
               ELSE b.out_minor > b.in_minor END;
    IF at_fault IS NOT NULL THEN
        RAISE EXCEPTION 'account % would be overdrawn', at_fault
        USING ERRCODE = 'check_violation', CONSTRAINT = 'account_never_overdrawn';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_keep_balances AFTER INSERT ON settlement_posting REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep_balances();
"""
UNDO = """
DROP TRIGGER ledger_keep_balances ON settlement_posting;
DROP FUNCTION ledger_keep_balances();
DROP TRIGGER ledger_transaction_is_whole ON settlement_ledgertransaction;
DROP FUNCTION ledger_transaction_is_whole();
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0002_usage_and_ledger_guards")]
    operations = [
        migrations.AddField(
            model_name="ledgertransaction",
            name="posting_count",
            field=models.PositiveSmallIntegerField(default=1, help_text="Checked against its postings at commit"),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="ledgertransaction",
            constraint=models.CheckConstraint(condition=Q(posting_count__gte=1), name="ledger_transaction_has_a_posting"),
        ),
        migrations.AlterField(
            model_name="posting",
            name="transaction",
            field=models.ForeignKey(
                db_index=False, on_delete=models.PROTECT, related_name="postings", to="settlement.ledgertransaction"
            ),
        ),
        migrations.RunSQL(CHECKS, reverse_sql=UNDO),
    ]
