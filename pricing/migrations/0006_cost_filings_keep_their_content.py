"""Triggers: allocation rules never change and sum to 100 %; a filing and its rows keep their content; a decision is final."""

from django.db import migrations, models

GUARDS = """
CREATE FUNCTION allocation_rule_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM pricing_refuse('an allocation rule is kept; make a new version', 'allocation_rule_is_kept'); END IF;
    IF (SELECT sum((part->>'percent')::numeric) FROM jsonb_array_elements(NEW.parts) AS part) IS DISTINCT FROM 100
    THEN PERFORM pricing_refuse('the parts of an allocation rule sum to 100 per cent', 'allocation_rule_is_whole'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER allocation_rule_guard BEFORE INSERT OR UPDATE OR DELETE ON pricing_allocationrule
FOR EACH ROW EXECUTE FUNCTION allocation_rule_guard();

CREATE FUNCTION cost_filing_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM pricing_refuse('a cost filing is never deleted', 'cost_filing_is_kept'); END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.year >= extract(year FROM NEW.filed_at AT TIME ZONE 'Asia/Shanghai')
        THEN PERFORM pricing_refuse('the costs of a year are filed when it is over', 'cost_filing_year_is_over'); END IF;
        RETURN NEW;
    END IF;
    IF (NEW.authorisation_id, NEW.year, NEW.version, NEW.file_id, NEW.statement, NEW.rules, NEW.filed_by_id, NEW.filed_at)
       IS DISTINCT FROM
       (OLD.authorisation_id, OLD.year, OLD.version, OLD.file_id, OLD.statement, OLD.rules, OLD.filed_by_id, OLD.filed_at)
       OR (OLD.case_id IS NOT NULL AND NEW.case_id IS DISTINCT FROM OLD.case_id)
    THEN PERFORM pricing_refuse('a cost filing keeps its content', 'cost_filing_keeps_its_content'); END IF;
    IF OLD.state <> 'submitted' AND
       (NEW.state, NEW.decided_by_id, NEW.decided_at, NEW.decision_reason)
       IS DISTINCT FROM (OLD.state, OLD.decided_by_id, OLD.decided_at, OLD.decision_reason)
    THEN PERFORM pricing_refuse('a decided cost filing stays so', 'cost_filing_decision_is_final'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cost_filing_guard BEFORE INSERT OR UPDATE OR DELETE ON pricing_costfiling
FOR EACH ROW EXECUTE FUNCTION cost_filing_guard();

CREATE FUNCTION cost_item_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE filing_state text; filing_case bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM pricing_refuse('a filed cost is never deleted', 'cost_item_is_kept'); END IF;
    SELECT state, case_id INTO filing_state, filing_case FROM pricing_costfiling WHERE id = NEW.filing_id;
    IF TG_OP = 'INSERT' THEN
        IF filing_case IS NOT NULL
        THEN PERFORM pricing_refuse('no cost is added to a filing that has its case', 'cost_item_filed_with_the_rest'); END IF;
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - ARRAY['overruled_by_id', 'overruled_at', 'overruled_reason', 'overruled_minor'])
       IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['overruled_by_id', 'overruled_at', 'overruled_reason', 'overruled_minor'])
    THEN PERFORM pricing_refuse('a filed cost keeps its content', 'cost_item_keeps_its_content'); END IF;
    IF filing_state <> 'submitted'
    THEN PERFORM pricing_refuse('costs are overruled during the audit only', 'cost_item_overruled_in_audit'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cost_item_guard BEFORE INSERT OR UPDATE OR DELETE ON pricing_costitem
FOR EACH ROW EXECUTE FUNCTION cost_item_guard();
"""
UNDO = """
DROP TRIGGER cost_item_guard ON pricing_costitem;
DROP FUNCTION cost_item_guard();
DROP TRIGGER cost_filing_guard ON pricing_costfiling;
DROP FUNCTION cost_filing_guard();
DROP TRIGGER allocation_rule_guard ON pricing_allocationrule;
DROP FUNCTION allocation_rule_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("pricing", "0005_guard_falling_tariffs")]
    operations = [
        migrations.AddConstraint(
            model_name="costfiling",
            constraint=models.CheckConstraint(
                condition=~models.Q(state__in=["returned", "audited"])
                | models.Q(decided_by__isnull=False, decided_at__isnull=False) & ~models.Q(decision_reason=""),
                name="cost_filing_decision_names_a_person",
            ),
        ),
        migrations.RunSQL(GUARDS, reverse_sql=UNDO),
    ]
