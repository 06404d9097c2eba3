"""Usage events partitioned by event month, their identities, and the tables that only grow."""

from django.db import migrations

USAGE = """
CREATE TABLE settlement_usageevent (
    event_month date NOT NULL,
    id uuid NOT NULL,
    book_month date NOT NULL,
    entitlement_id bigint NOT NULL,
    product_id bigint NOT NULL,
    release_id bigint,
    key_id bigint,
    source varchar(200) NOT NULL,
    event_id varchar(200) NOT NULL,
    purpose varchar(80) NOT NULL,
    units jsonb NOT NULL,
    event_time timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    is_free boolean NOT NULL,
    request_digest bytea NOT NULL,
    corrects uuid,
    CONSTRAINT usage_event_pkey PRIMARY KEY (event_month, id),
    CONSTRAINT usage_event_month_is_its_own
        CHECK (event_month = date_trunc('month', event_time AT TIME ZONE 'Asia/Shanghai')::date),
    CONSTRAINT usage_event_booked_no_earlier CHECK (book_month >= event_month)
) PARTITION BY RANGE (event_month);
CREATE INDEX usage_event_by_book_month ON settlement_usageevent (book_month, entitlement_id);
CREATE INDEX usage_event_by_entitlement ON settlement_usageevent (entitlement_id, event_time);

CREATE TABLE settlement_usageevent_other PARTITION OF settlement_usageevent DEFAULT;
DO $$
DECLARE first date := '2026-01-01';
BEGIN
    FOR n IN 0..35 LOOP
        EXECUTE format('CREATE TABLE settlement_usageevent_%s PARTITION OF settlement_usageevent FOR VALUES FROM (%L) TO (%L)',
            to_char(first + (n || ' months')::interval, 'YYYYMM'),
            (first + (n || ' months')::interval)::date, (first + ((n + 1) || ' months')::interval)::date);
    END LOOP;
END $$;

CREATE TABLE settlement_usageidentity (
    source varchar(200) NOT NULL,
    event_id varchar(200) NOT NULL,
    digest bytea NOT NULL,
    usage_id uuid NOT NULL,
    event_month date NOT NULL,
    CONSTRAINT usage_identity_once PRIMARY KEY (source, event_id)
);

CREATE TRIGGER usage_event_append_only BEFORE UPDATE OR DELETE ON settlement_usageevent
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER usage_event_not_truncated BEFORE TRUNCATE ON settlement_usageevent
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER usage_identity_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_usageidentity
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refusal_append_only BEFORE UPDATE OR DELETE ON settlement_refusal
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_ledgertransaction
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_posting
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER charge_append_only BEFORE DELETE OR TRUNCATE ON settlement_charge
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An entitlement ends no later than its product's authorisation (design.md invariant 2).
CREATE FUNCTION entitlement_within_authorisation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last_day date;
BEGIN
    SELECT a.to_date INTO last_day FROM products_dataproduct p JOIN products_authorisation a ON a.id = p.authorisation_id
    WHERE p.id = NEW.product_id;
    IF last_day IS NOT NULL AND NEW.valid_to > ((last_day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') THEN
        RAISE EXCEPTION 'an entitlement ends no later than the authorisation'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_within_authorisation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entitlement_within_authorisation BEFORE INSERT OR UPDATE OF valid_to, product_id ON settlement_entitlement
FOR EACH ROW EXECUTE FUNCTION entitlement_within_authorisation();
"""
UNDO = """
DROP TRIGGER entitlement_within_authorisation ON settlement_entitlement;
DROP FUNCTION entitlement_within_authorisation();
DROP TRIGGER charge_append_only ON settlement_charge;
DROP TRIGGER posting_append_only ON settlement_posting;
DROP TRIGGER ledger_transaction_append_only ON settlement_ledgertransaction;
DROP TRIGGER refusal_append_only ON settlement_refusal;
DROP TABLE settlement_usageidentity;
DROP TABLE settlement_usageevent;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0001_initial"), ("products", "0003_guards")]
    operations = [migrations.RunSQL(USAGE, reverse_sql=UNDO)]
