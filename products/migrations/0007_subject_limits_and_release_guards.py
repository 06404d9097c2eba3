"""The subject limit is decided in the database, a release never changes, and no product type delivers rows."""

from django.db import migrations, models

GUARDS = """
CREATE FUNCTION subject_admit(
    p_release bigint, p_caller text, p_day date, p_digest bytea, p_attempts integer, p_subjects integer
) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE made integer;
BEGIN
    -- One decision at a time for a caller and day: what the statements below see is then final (in READ COMMITTED).
    PERFORM pg_advisory_xact_lock(hashtextextended('subject_window/' || p_release || '/' || p_caller || '/' || p_day, 0));
    SELECT attempts INTO made FROM products_subjectwindow
    WHERE release_id = p_release AND caller = p_caller AND day = p_day AND subject_digest = p_digest;
    IF FOUND THEN
        IF made >= p_attempts THEN RETURN 'attempts'; END IF;
        UPDATE products_subjectwindow SET attempts = attempts + 1
        WHERE release_id = p_release AND caller = p_caller AND day = p_day AND subject_digest = p_digest;
        RETURN 'admitted';
    END IF;
    SELECT count(*) INTO made FROM products_subjectwindow
    WHERE release_id = p_release AND caller = p_caller AND day = p_day;
    IF made >= p_subjects THEN RETURN 'subjects'; END IF;
    INSERT INTO products_subjectwindow (release_id, caller, day, subject_digest, attempts)
    VALUES (p_release, p_caller, p_day, p_digest, 1);
    RETURN 'admitted';
END $$;

CREATE FUNCTION release_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.product_id, NEW.version, NEW.config, NEW.input_schema, NEW.output_schema, NEW.sample_input, NEW.sample_output, NEW.artifact, NEW.sha256, NEW.created_by_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.product_id, OLD.version, OLD.config, OLD.input_schema, OLD.output_schema, OLD.sample_input, OLD.sample_output, OLD.artifact, OLD.sha256, OLD.created_by_id, OLD.created_at)
    THEN
        RAISE EXCEPTION 'a release does not change; publish a new version'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'release_is_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER release_is_kept BEFORE UPDATE ON products_release FOR EACH ROW EXECUTE FUNCTION release_refuse_change();
"""
UNDO = """
DROP TRIGGER release_is_kept ON products_release;
DROP FUNCTION release_refuse_change();
DROP FUNCTION subject_admit(bigint, text, date, bytea, integer, integer);
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0006_authorisation_by_two_people")]
    operations = [
        migrations.RunSQL(GUARDS, reverse_sql=UNDO),
        migrations.AddConstraint(
            model_name="dataproduct",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["index", "verification", "model", "report", "remote"])),
                name="data_product_never_raw_data",
            ),
        ),
    ]
