"""Triggers: what is filed, published, decided or granted keeps its content and its start; an end only ever comes, or comes nearer."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION pricing_refuse(message text, constraint_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation', CONSTRAINT = constraint_name;
END $$;

-- An end is set in the future, as of the moment its service recorded; brought forward, never put back.
CREATE FUNCTION pricing_check_end(was daterange, will daterange, set_at timestamptz, name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF was IS NOT DISTINCT FROM will THEN RETURN; END IF;
    IF lower(will) IS DISTINCT FROM lower(was) THEN PERFORM pricing_refuse('a version keeps its start', name || '_keeps_its_start'); END IF;
    IF upper(will) IS NULL OR upper(will) > coalesce(upper(was), 'infinity') OR set_at IS NULL
       OR upper(will) <= (set_at AT TIME ZONE 'Asia/Shanghai')::date
    THEN PERFORM pricing_refuse('an end is set in the future and never put back', name || '_end_in_the_future'); END IF;
END $$;

CREATE FUNCTION tariff_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM pricing_refuse('a tariff is never deleted', 'tariff_is_kept'); END IF;
    IF TG_OP = 'INSERT' THEN
        IF lower(NEW.period) IS NULL OR lower(NEW.period) < (NEW.filed_at AT TIME ZONE 'Asia/Shanghai')::date
        THEN PERFORM pricing_refuse('a tariff does not begin before it is filed', 'tariff_not_retroactive'); END IF;
        RETURN NEW;
    END IF;
    IF (NEW.plan_id, NEW.version, NEW.document, NEW.digest, NEW.filed_by_id, NEW.filed_at, NEW.clamped_from_id, NEW.continues_id)
       IS DISTINCT FROM
       (OLD.plan_id, OLD.version, OLD.document, OLD.digest, OLD.filed_by_id, OLD.filed_at, OLD.clamped_from_id, OLD.continues_id)
    THEN PERFORM pricing_refuse('a tariff keeps its content', 'tariff_keeps_its_content'); END IF;
    IF OLD.state IN ('returned', 'withdrawn', 'stopped') AND NEW.state <> OLD.state
    THEN PERFORM pricing_refuse('a tariff that was taken back stays so', 'tariff_state_is_final'); END IF;
    PERFORM pricing_check_end(OLD.period, NEW.period, NEW.end_set_at, 'tariff');
    RETURN NEW;
END $$;
CREATE TRIGGER tariff_guard BEFORE INSERT OR UPDATE OR DELETE ON pricing_tariff FOR EACH ROW EXECUTE FUNCTION tariff_guard();

CREATE FUNCTION cap_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE published timestamptz;
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM pricing_refuse('a cap is never deleted', 'cap_is_kept'); END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT published_at INTO published FROM pricing_capfiling WHERE id = NEW.filing_id AND state = 'published';
        IF published IS NULL THEN PERFORM pricing_refuse('not filed, not published', 'cap_of_a_published_filing'); END IF;
        IF lower(NEW.period) IS NULL OR lower(NEW.period) < (published AT TIME ZONE 'Asia/Shanghai')::date
        THEN PERFORM pricing_refuse('a cap does not begin before it is published', 'cap_not_retroactive'); END IF;
        RETURN NEW;
    END IF;
    IF (NEW.filing_id, NEW.product_id, NEW.purpose_class, NEW.basis, NEW.flat_period, NEW.amount)
       IS DISTINCT FROM (OLD.filing_id, OLD.product_id, OLD.purpose_class, OLD.basis, OLD.flat_period, OLD.amount)
    THEN PERFORM pricing_refuse('a cap keeps its content', 'cap_keeps_its_content'); END IF;
    PERFORM pricing_check_end(OLD.period, NEW.period, NEW.end_set_at, 'cap');
    RETURN NEW;
END $$;
CREATE TRIGGER cap_guard BEFORE INSERT OR UPDATE OR DELETE ON pricing_cap FOR EACH ROW EXECUTE FUNCTION cap_guard();

CREATE FUNCTION cap_filing_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.product_id, NEW.authorising_body_id, NEW.document, NEW.document_no, NEW.drafted_by_id)
       IS DISTINCT FROM (OLD.product_id, OLD.authorising_body_id, OLD.document, OLD.document_no, OLD.drafted_by_id)
    THEN PERFORM pricing_refuse('a cap filing keeps its content', 'cap_filing_keeps_its_content'); END IF;
    IF OLD.state IN ('published', 'withdrawn') AND NEW.state <> OLD.state
    THEN PERFORM pricing_refuse('a published or withdrawn filing stays so', 'cap_filing_state_is_final'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cap_filing_guard BEFORE UPDATE ON pricing_capfiling FOR EACH ROW EXECUTE FUNCTION cap_filing_guard();

CREATE FUNCTION grant_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last_day date;
BEGIN
    IF NEW.state IN ('decided', 'granted') AND NEW.to_date IS NOT NULL THEN
        SELECT a.to_date INTO last_day FROM products_dataproduct p JOIN products_authorisation a ON a.id = p.authorisation_id
        WHERE p.id = NEW.product_id;
        IF NEW.to_date > last_day THEN PERFORM pricing_refuse('a grant ends no later than the authorisation', 'grant_within_authorisation'); END IF;
        IF NEW.to_date < NEW.from_date THEN PERFORM pricing_refuse('a grant ends after it begins', 'grant_dates_in_order'); END IF;
    END IF;
    IF TG_OP = 'INSERT' THEN RETURN NEW; END IF;
    IF OLD.state IN ('granted', 'refused', 'revoked') AND
       (NEW.number, NEW.organisation_id, NEW.product_id, NEW.purpose, NEW.scenario, NEW.statement, NEW.quota, NEW.from_date, NEW.to_date,
        NEW.conditions, NEW.decided_by_id, NEW.checked_by_id)
       IS DISTINCT FROM
       (OLD.number, OLD.organisation_id, OLD.product_id, OLD.purpose, OLD.scenario, OLD.statement, OLD.quota, OLD.from_date, OLD.to_date,
        OLD.conditions, OLD.decided_by_id, OLD.checked_by_id)
    THEN PERFORM pricing_refuse('a decided claim keeps its content', 'grant_keeps_its_content'); END IF;
    IF OLD.state IN ('refused', 'revoked', 'withdrawn') AND NEW.state <> OLD.state
    THEN PERFORM pricing_refuse('a closed claim stays closed', 'grant_state_is_final'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grant_guard BEFORE INSERT OR UPDATE ON pricing_freeusegrant FOR EACH ROW EXECUTE FUNCTION grant_guard();
"""
UNDO = """
DROP TRIGGER grant_guard ON pricing_freeusegrant;
DROP FUNCTION grant_guard();
DROP TRIGGER cap_filing_guard ON pricing_capfiling;
DROP FUNCTION cap_filing_guard();
DROP TRIGGER cap_guard ON pricing_cap;
DROP FUNCTION cap_guard();
DROP TRIGGER tariff_guard ON pricing_tariff;
DROP FUNCTION tariff_guard();
DROP FUNCTION pricing_check_end(daterange, daterange, timestamptz, text);
DROP FUNCTION pricing_refuse(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("pricing", "0002_ends_continuations_and_revocation")]
    operations = [migrations.RunSQL(GUARDS, reverse_sql=UNDO)]
