"""Triggers: a determined permitted revenue, its filings, opinions, assessments, warnings and reports keep their content."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION permitted_revenue_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pricing_refuse('a permitted revenue is never deleted', 'permitted_revenue_is_kept');
    END IF;
    IF OLD.state IN ('determined', 'closed') AND
       (to_jsonb(NEW) - ARRAY['state', 'document_id']) IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['state', 'document_id'])
    THEN PERFORM pricing_refuse('a determined permitted revenue keeps its content', 'permitted_revenue_keeps_its_content'); END IF;
    IF OLD.document_id IS NOT NULL AND NEW.document_id IS DISTINCT FROM OLD.document_id
    THEN PERFORM pricing_refuse('a determined permitted revenue keeps its document', 'permitted_revenue_keeps_its_document'); END IF;
    IF (OLD.state = 'determined' AND NEW.state NOT IN ('determined', 'closed'))
       OR (OLD.state IN ('closed', 'withdrawn') AND NEW.state <> OLD.state)
    THEN PERFORM pricing_refuse('a determined or withdrawn permitted revenue stays so', 'permitted_revenue_state_is_final'); END IF;
    IF (NEW.authorisation_id, NEW.regulator_id, NEW.data_bureau_id) IS DISTINCT FROM
       (OLD.authorisation_id, OLD.regulator_id, OLD.data_bureau_id)
    THEN PERFORM pricing_refuse('a permitted revenue keeps its parties', 'permitted_revenue_keeps_its_parties'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER permitted_revenue_guard BEFORE UPDATE OR DELETE ON pricing_permittedrevenue
FOR EACH ROW EXECUTE FUNCTION permitted_revenue_guard();

CREATE FUNCTION permitted_revenue_filings_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE own bigint := CASE TG_OP WHEN 'INSERT' THEN NEW.permittedrevenue_id ELSE OLD.permittedrevenue_id END;
BEGIN
    IF EXISTS (SELECT FROM pricing_permittedrevenue WHERE id = own AND state IN ('determined', 'closed'))
    THEN PERFORM pricing_refuse('a determined permitted revenue keeps its filings', 'permitted_revenue_keeps_its_filings'); END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER permitted_revenue_filings_guard BEFORE INSERT OR UPDATE OR DELETE ON pricing_permittedrevenue_filings
FOR EACH ROW EXECUTE FUNCTION permitted_revenue_filings_guard();

CREATE FUNCTION revenue_record_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pricing_refuse(TG_TABLE_NAME || ' is append-only', TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE TRIGGER revenue_opinion_append_only BEFORE UPDATE OR DELETE ON pricing_revenueopinion
FOR EACH ROW EXECUTE FUNCTION revenue_record_guard('revenue_opinion_append_only');
CREATE TRIGGER revenue_warning_append_only BEFORE UPDATE OR DELETE ON pricing_revenuewarning
FOR EACH ROW EXECUTE FUNCTION revenue_record_guard('revenue_warning_append_only');
CREATE TRIGGER operation_report_append_only BEFORE UPDATE OR DELETE ON pricing_operationreport
FOR EACH ROW EXECUTE FUNCTION revenue_record_guard('operation_report_append_only');

CREATE FUNCTION revenue_assessment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN PERFORM pricing_refuse('an assessment is never deleted', 'revenue_assessment_is_kept'); END IF;
    IF (to_jsonb(NEW) - ARRAY['confirmed_by_id', 'confirmed_at', 'document_id']) IS DISTINCT FROM
       (to_jsonb(OLD) - ARRAY['confirmed_by_id', 'confirmed_at', 'document_id'])
       OR (OLD.confirmed_at IS NOT NULL AND
           (NEW.confirmed_by_id, NEW.confirmed_at) IS DISTINCT FROM (OLD.confirmed_by_id, OLD.confirmed_at))
       OR (OLD.document_id IS NOT NULL AND NEW.document_id IS DISTINCT FROM OLD.document_id)
    THEN PERFORM pricing_refuse('an assessment keeps its content; restate it', 'revenue_assessment_keeps_its_content'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revenue_assessment_guard BEFORE UPDATE OR DELETE ON pricing_revenueassessment
FOR EACH ROW EXECUTE FUNCTION revenue_assessment_guard();
"""
UNDO = """
DROP TRIGGER revenue_assessment_guard ON pricing_revenueassessment;
DROP FUNCTION revenue_assessment_guard();
DROP TRIGGER operation_report_append_only ON pricing_operationreport;
DROP TRIGGER revenue_warning_append_only ON pricing_revenuewarning;
DROP TRIGGER revenue_opinion_append_only ON pricing_revenueopinion;
DROP FUNCTION revenue_record_guard();
DROP TRIGGER permitted_revenue_filings_guard ON pricing_permittedrevenue_filings;
DROP FUNCTION permitted_revenue_filings_guard();
DROP TRIGGER permitted_revenue_guard ON pricing_permittedrevenue;
DROP FUNCTION permitted_revenue_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("pricing", "0009_supply_refusals_are_lifted_never_edited")]
    operations = [migrations.RunSQL(GUARDS, reverse_sql=UNDO)]
