"""Issued documents name their readers; neither a document nor its readers change or go, and no number is left out."""

from django.db import migrations, models

GUARDS = """
CREATE TRIGGER issued_document_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON products_issueddocument
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER issued_document_readers_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON products_issueddocument_readers
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION issued_document_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sequence <> 1 AND NOT EXISTS (
        SELECT 1 FROM products_issueddocument
        WHERE issuer_id = NEW.issuer_id AND year = NEW.year AND sequence = NEW.sequence - 1)
    THEN
        RAISE EXCEPTION 'the number before % is not issued', NEW.number
        USING ERRCODE = 'check_violation', CONSTRAINT = 'issued_document_leaves_no_gap';
    END IF;
    IF NEW.sha256 <> encode(sha256(NEW.pdf), 'hex') THEN
        RAISE EXCEPTION 'the hash of % is not the hash of its PDF', NEW.number
        USING ERRCODE = 'check_violation', CONSTRAINT = 'issued_document_has_its_hash';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER issued_document_follows BEFORE INSERT ON products_issueddocument
FOR EACH ROW EXECUTE FUNCTION issued_document_follows();
"""
UNDO = """
DROP TRIGGER issued_document_follows ON products_issueddocument;
DROP FUNCTION issued_document_follows();
DROP TRIGGER issued_document_readers_kept ON products_issueddocument_readers;
DROP TRIGGER issued_document_append_only ON products_issueddocument;
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0009_parameters_of_guided_pricing")]
    operations = [
        migrations.AddField(
            model_name="issueddocument",
            name="readers",
            field=models.ManyToManyField(
                help_text="Parties that may read it beside the issuer", related_name="+", to="products.organisation"
            ),
        ),
        migrations.RunSQL(GUARDS, reverse_sql=UNDO),
    ]
