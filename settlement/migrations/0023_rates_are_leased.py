"""Calls taken of a limit in a minute, by all gateways together. Not logged: after a crash of PostgreSQL windows simply begin again."""

from django.db import migrations

TABLE = """
CREATE UNLOGGED TABLE settlement_ratelease (
    bucket varchar(40) NOT NULL,
    began bigint NOT NULL,
    taken bigint NOT NULL,
    granted bigint NOT NULL,
    CONSTRAINT rate_lease_pkey PRIMARY KEY (bucket, began),
    CONSTRAINT rate_lease_counts CHECK (taken >= 0 AND granted >= 0)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0022_keys_tell_of_their_end")]
    operations = [migrations.RunSQL(TABLE, reverse_sql="DROP TABLE settlement_ratelease")]
