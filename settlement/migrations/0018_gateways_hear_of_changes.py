"""Gateways remember keys and what they hang on; triggers tell them at once what has changed (market/gateway/freshness.py).

One channel, ``gongshu_market``; a notice is a kind and ids, ``product 17 23``, or ``product *`` where more than 300 changed at once. Only
what people and jobs decide is told, never what a call moves: ``last_used_at`` of keys and ``used`` of quotas are left out.
"""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION tell_gateways() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told record;
BEGIN
    FOR told IN EXECUTE format(
        'SELECT kind, array_agg(DISTINCT id) AS ids FROM (%s) AS named (kind, id) WHERE id IS NOT NULL GROUP BY kind', TG_ARGV[0]
    ) LOOP
        PERFORM pg_notify(
            'gongshu_market',
            told.kind || ' ' || CASE WHEN cardinality(told.ids) > 300 THEN '*' ELSE array_to_string(told.ids, ' ') END
        );
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION tell_gateways_of_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gongshu_market', 'key ' || OLD.id);
    RETURN NULL;
END $$;
CREATE TRIGGER gateways_hear_of_update AFTER UPDATE ON settlement_apikey FOR EACH ROW
WHEN ((to_jsonb(OLD) - 'last_used_at') IS DISTINCT FROM (to_jsonb(NEW) - 'last_used_at')) EXECUTE FUNCTION tell_gateways_of_key();
CREATE TRIGGER gateways_hear_of_delete AFTER DELETE ON settlement_apikey FOR EACH ROW EXECUTE FUNCTION tell_gateways_of_key();
"""
ANY = ("insert", "update", "delete")
# Table, what is told of the rows in ``changed``, of which statements. What is new and nothing hangs on yet is not told.
TOLD = (
    ("settlement_entitlement", "SELECT 'entitlement', id FROM changed", ("update", "delete")),
    ("settlement_quota", "SELECT 'entitlement', entitlement_id FROM changed", ("insert", "delete")),
    (
        "settlement_emergencystop",
        "SELECT 'product', product_id FROM changed UNION SELECT 'organisation', organisation_id FROM changed",
        ANY,
    ),
    ("settlement_consentwithdrawal", "SELECT 'consent', organisation_id FROM changed", ("insert",)),
    ("products_organisation", "SELECT 'organisation', id FROM changed", ("update", "delete")),
    ("products_dataproduct", "SELECT 'product', id FROM changed", ("update", "delete")),
    ("products_release", "SELECT 'product', product_id FROM changed", ANY),
    ("products_remotehost", "SELECT 'remote_host', id FROM changed", ANY),
    (
        "products_authorisation",
        "SELECT 'product', product.id FROM changed JOIN products_dataproduct AS product ON product.authorisation_id = changed.id",
        ("update", "delete"),
    ),
    ("pricing_plan", "SELECT 'product', product_id FROM changed", ANY),
    (
        "pricing_tariff",
        "SELECT 'product', plan.product_id FROM changed JOIN pricing_plan AS plan ON plan.id = changed.plan_id",
        ANY,
    ),
    (
        "pricing_freeusegrant",
        "SELECT 'entitlement', ent.id FROM changed JOIN settlement_entitlement AS ent ON ent.grant_id = changed.id",
        ("update",),
    ),
)


def _trigger(table: str, query: str, event: str) -> tuple[str, str]:
    rows = "OLD" if event == "delete" else "NEW"
    name = f"gateways_hear_of_{event}"
    quoted = query.replace("'", "''")
    return (
        f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table} REFERENCING {rows} TABLE AS changed "
        f"FOR EACH STATEMENT EXECUTE FUNCTION tell_gateways('{quoted}')",
        f"DROP TRIGGER {name} ON {table}",
    )


PAIRS = [_trigger(table, query, event) for table, query, events in TOLD for event in events]
UNDO_KEY = """
DROP TRIGGER gateways_hear_of_update ON settlement_apikey;
DROP TRIGGER gateways_hear_of_delete ON settlement_apikey;
DROP FUNCTION tell_gateways_of_key();
DROP FUNCTION tell_gateways();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0017_emergency_stops_have_an_outcome"),
        ("products", "0012_gateway_ground"),
        ("pricing", "0010_guard_permitted_revenues"),
    ]
    operations = [
        migrations.RunSQL(FUNCTION, reverse_sql=UNDO_KEY),
        *(migrations.RunSQL(do, reverse_sql=undo) for do, undo in PAIRS),
    ]
