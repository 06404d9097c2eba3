"""Bills, shares and payouts do not change once they stand; what may move on them is named here."""

import datetime

import django.db.models.deletion
from django.db import migrations, models

GUARDS = """
-- Refuses a change of a row unless only the columns named as arguments differ.
CREATE FUNCTION refuse_change_but() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - TG_ARGV IS DISTINCT FROM to_jsonb(NEW) - TG_ARGV THEN
        RAISE EXCEPTION '% is immutable but for %', TG_TABLE_NAME, array_to_string(TG_ARGV, ', ') USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_immutable BEFORE UPDATE ON settlement_invoice
FOR EACH ROW EXECUTE FUNCTION refuse_change_but('paid', 'state');
CREATE TRIGGER deposit_immutable BEFORE UPDATE ON settlement_deposit
FOR EACH ROW EXECUTE FUNCTION refuse_change_but('drawn_minor');
CREATE TRIGGER share_immutable BEFORE UPDATE ON settlement_share
FOR EACH ROW EXECUTE FUNCTION refuse_change_but('payable_minor');
CREATE TRIGGER payout_immutable BEFORE UPDATE ON settlement_payout
FOR EACH ROW EXECUTE FUNCTION refuse_change_but('state', 'bank_reference', 'confirmed_by_id', 'confirmed_at');
CREATE TRIGGER distribution_agreement_immutable BEFORE UPDATE ON settlement_distributionagreement
FOR EACH ROW EXECUTE FUNCTION refuse_change_but('period');

CREATE TRIGGER invoice_kept BEFORE DELETE OR TRUNCATE ON settlement_invoice FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deposit_kept BEFORE DELETE OR TRUNCATE ON settlement_deposit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER share_kept BEFORE DELETE OR TRUNCATE ON settlement_share FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payout_kept BEFORE DELETE OR TRUNCATE ON settlement_payout FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER charge_append_only ON settlement_charge;
CREATE TRIGGER charge_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_charge
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_line_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_invoiceline
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER settlement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_settlement
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payout_line_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_payoutline
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A closed month stays as it is, and takes no more usage or charges.
CREATE FUNCTION billing_month_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'billing month % is closed', OLD.month
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_month_stays_closed';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER billing_month_stays_closed BEFORE UPDATE OR DELETE ON settlement_billingmonth
FOR EACH ROW EXECUTE FUNCTION billing_month_stays_closed();
CREATE FUNCTION charge_in_an_open_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added a JOIN settlement_billingmonth m ON m.month = a.month_id WHERE m.state = 'closed') THEN
        RAISE EXCEPTION 'a closed month takes no more charges'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'charge_in_an_open_month';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER charge_in_an_open_month AFTER INSERT ON settlement_charge REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION charge_in_an_open_month();
CREATE TRIGGER invoice_in_an_open_month AFTER INSERT ON settlement_invoice REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION charge_in_an_open_month();
"""
UNDO = """
DROP TRIGGER invoice_in_an_open_month ON settlement_invoice;
DROP TRIGGER charge_in_an_open_month ON settlement_charge;
DROP FUNCTION charge_in_an_open_month();
DROP TRIGGER billing_month_stays_closed ON settlement_billingmonth;
DROP FUNCTION billing_month_stays_closed();
DROP TRIGGER payout_line_append_only ON settlement_payoutline;
DROP TRIGGER settlement_append_only ON settlement_settlement;
DROP TRIGGER invoice_line_append_only ON settlement_invoiceline;
DROP TRIGGER charge_append_only ON settlement_charge;
CREATE TRIGGER charge_append_only BEFORE DELETE OR TRUNCATE ON settlement_charge
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER payout_kept ON settlement_payout;
DROP TRIGGER share_kept ON settlement_share;
DROP TRIGGER deposit_kept ON settlement_deposit;
DROP TRIGGER invoice_kept ON settlement_invoice;
DROP TRIGGER distribution_agreement_immutable ON settlement_distributionagreement;
DROP TRIGGER payout_immutable ON settlement_payout;
DROP TRIGGER share_immutable ON settlement_share;
DROP TRIGGER deposit_immutable ON settlement_deposit;
DROP TRIGGER invoice_immutable ON settlement_invoice;
DROP FUNCTION refuse_change_but();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0001_initial"),
        ("settlement", "0004_idempotent_answers"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="charge",
            name="charge_once",
        ),
        migrations.RemoveConstraint(
            model_name="payoutline",
            name="payout_line_once",
        ),
        migrations.AddField(
            model_name="charge",
            name="from_date",
            field=models.DateField(
                default=datetime.date(2000, 1, 1), help_text="First day that was rated: a month is cut where the tariff changes"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="charge",
            name="to_date",
            field=models.DateField(default=datetime.date(2000, 1, 2), help_text="First day after it"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="deposit",
            name="key",
            field=models.CharField(default="-", help_text="Idempotency key, the ledger's too", max_length=120, unique=True),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="payoutline",
            name="invoice",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="vat_payout_lines", to="settlement.invoice"
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="usage",
            field=models.JSONField(
                help_text="The usage document that was rated (design.md section 7); late usage: all and billed"
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="number",
            field=models.CharField(max_length=80, unique=True),
        ),
        migrations.AlterField(
            model_name="payoutline",
            name="share",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="payout_lines", to="settlement.share"
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                fields=("month", "entitlement", "service_month", "tariff", "from_date"), name="charge_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(("to_date__gt", models.F("from_date"))), name="charge_dates_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutline",
            constraint=models.UniqueConstraint(
                fields=("payout", "share", "invoice"), name="payout_line_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("invoice__isnull", True), ("share__isnull", False)),
                    models.Q(("invoice__isnull", False), ("share__isnull", True)),
                    _connector="OR",
                ),
                name="payout_line_of_one_thing",
            ),
        ),
        migrations.RunSQL(GUARDS, reverse_sql=UNDO),
    ]
