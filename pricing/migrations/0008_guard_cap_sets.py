"""Triggers: what a cap filing is tested with, and what a set of caps was filed with, stays as it was."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION cap_filing_test_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.volumes, NEW.is_trial, NEW.permitted_revenue_id, NEW.basket_id)
       IS DISTINCT FROM (OLD.volumes, OLD.is_trial, OLD.permitted_revenue_id, OLD.basket_id)
    THEN PERFORM pricing_refuse('a cap filing keeps its volumes', 'cap_filing_keeps_its_volumes'); END IF;
    IF OLD.state <> 'draft' AND NEW.test IS DISTINCT FROM OLD.test
    THEN PERFORM pricing_refuse('the test of an approved filing stays', 'cap_filing_keeps_its_test'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cap_filing_test_guard BEFORE UPDATE ON pricing_capfiling FOR EACH ROW EXECUTE FUNCTION cap_filing_test_guard();

CREATE FUNCTION cap_basket_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM pricing_refuse('a set of caps is never deleted', 'cap_basket_is_kept'); END IF;
    IF (NEW.permitted_revenue_id, NEW.made_by_id, NEW.made_at) IS DISTINCT FROM (OLD.permitted_revenue_id, OLD.made_by_id, OLD.made_at)
    THEN PERFORM pricing_refuse('a set of caps keeps where it comes from', 'cap_basket_keeps_its_start'); END IF;
    IF OLD.state <> 'draft' AND
       (NEW.rows, NEW.method, NEW.from_date, NEW.note, NEW.document_no, NEW.authorising_body_id, NEW.filed_by_id, NEW.filed_at)
       IS DISTINCT FROM
       (OLD.rows, OLD.method, OLD.from_date, OLD.note, OLD.document_no, OLD.authorising_body_id, OLD.filed_by_id, OLD.filed_at)
    THEN PERFORM pricing_refuse('a filed set of caps keeps its content', 'cap_basket_keeps_its_content'); END IF;
    IF OLD.state IN ('approved', 'reported', 'published') AND NEW.test IS DISTINCT FROM OLD.test
    THEN PERFORM pricing_refuse('the test of an approved set stays', 'cap_basket_keeps_its_test'); END IF;
    IF OLD.state IN ('published', 'dropped') AND NEW.state <> OLD.state
    THEN PERFORM pricing_refuse('a published or dropped set stays so', 'cap_basket_state_is_final'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cap_basket_guard BEFORE UPDATE OR DELETE ON pricing_capbasket FOR EACH ROW EXECUTE FUNCTION cap_basket_guard();
"""
UNDO = """
DROP TRIGGER cap_basket_guard ON pricing_capbasket;
DROP FUNCTION cap_basket_guard();
DROP TRIGGER cap_filing_test_guard ON pricing_capfiling;
DROP FUNCTION cap_filing_test_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("pricing", "0007_caps_of_a_basket")]
    operations = [migrations.RunSQL(GUARDS, reverse_sql=UNDO)]
