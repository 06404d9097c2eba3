"""Questions about a subject are counted by product and organisation, so that a new release or a second entitlement starts no count
anew; what was claimed about a subject and which subjects are neighbours is counted with them."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

ADMIT = """
DROP FUNCTION subject_admit(bigint, text, date, bytea, integer, integer);
CREATE FUNCTION subject_admit(
    p_product bigint, p_organisation bigint, p_watched text, p_day date, p_subject bytea, p_near bytea, p_claim bytea,
    p_attempts integer, p_subjects integer, p_claims integer, p_neighbours integer
) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE made integer; is_known boolean; is_claimed boolean;
BEGIN
    -- One decision at a time for an organisation, product and day: what the statements below see is then final (READ COMMITTED).
    PERFORM pg_advisory_xact_lock(hashtextextended('subject_window/' || p_product || '/' || p_organisation || '/' || p_day, 0));
    IF EXISTS (
        SELECT FROM products_case WHERE object_type = 'settlement.entitlement' AND object_id = p_watched
        AND kind = 'probing' AND state <> 'closed'
    ) THEN RETURN 'probing'; END IF;
    SELECT attempts, p_claim = ANY(claims) INTO made, is_claimed FROM products_subjectwindow
    WHERE product_id = p_product AND organisation_id = p_organisation AND subject_digest = p_subject AND day = p_day;
    is_known := FOUND;
    IF is_known THEN
        IF made >= p_attempts THEN RETURN 'attempts'; END IF;
    ELSE
        SELECT count(*) INTO made FROM products_subjectwindow
        WHERE product_id = p_product AND organisation_id = p_organisation AND day = p_day;
        IF made >= p_subjects THEN RETURN 'subjects'; END IF;
        SELECT count(*) INTO made FROM products_subjectwindow
        WHERE product_id = p_product AND organisation_id = p_organisation AND day = p_day AND near_digest = p_near;
        IF made >= p_neighbours THEN RETURN 'neighbours'; END IF;
    END IF;
    IF NOT COALESCE(is_claimed, false) THEN
        SELECT count(DISTINCT claim) INTO made FROM products_subjectwindow, unnest(claims) AS claim
        WHERE product_id = p_product AND organisation_id = p_organisation AND subject_digest = p_subject
          AND day > p_day - 30 AND claim <> p_claim;
        IF made >= p_claims THEN RETURN 'claims'; END IF;
    END IF;
    IF is_known THEN
        UPDATE products_subjectwindow
        SET attempts = attempts + 1, claims = CASE WHEN is_claimed THEN claims ELSE claims || p_claim END
        WHERE product_id = p_product AND organisation_id = p_organisation AND subject_digest = p_subject AND day = p_day;
    ELSE
        INSERT INTO products_subjectwindow (product_id, organisation_id, day, subject_digest, near_digest, claims, attempts)
        VALUES (p_product, p_organisation, p_day, p_subject, p_near, ARRAY[p_claim], 1);
    END IF;
    RETURN 'admitted';
END $$;
"""
UNDO = """
DROP FUNCTION subject_admit(bigint, bigint, text, date, bytea, bytea, bytea, integer, integer, integer, integer);
CREATE FUNCTION subject_admit(bigint, text, date, bytea, integer, integer) RETURNS text LANGUAGE sql AS 'SELECT ''admitted''::text';
"""


def subject(name, **fields):
    return migrations.CreateModel(
        name=name,
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "product",
                models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="products.dataproduct"),
            ),
            (
                "organisation",
                models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="products.organisation"),
            ),
            ("day", models.DateField()),
            *fields.items(),
        ],
    )


class Migration(migrations.Migration):
    dependencies = [("products", "0017_capacity_is_shared_by_rule")]
    operations = [
        migrations.DeleteModel("SubjectWindow"),
        subject(
            "SubjectWindow",
            subject_digest=models.BinaryField(max_length=32),
            near_digest=models.BinaryField(
                help_text="Of the subject without its last characters: neighbours share it", max_length=8
            ),
            claims=django.contrib.postgres.fields.ArrayField(
                base_field=models.BinaryField(max_length=8),
                default=list,
                help_text="Digests of what was claimed, each once",
                size=None,
            ),
            attempts=models.PositiveIntegerField(default=1),
        ),
        subject("SubjectDay", asked=models.PositiveIntegerField(), missed=models.PositiveIntegerField()),
        migrations.AddConstraint(
            model_name="subjectwindow",
            constraint=models.UniqueConstraint(
                fields=("product", "organisation", "subject_digest", "day"), name="subject_window_once"
            ),
        ),
        migrations.AddIndex(
            model_name="subjectwindow",
            index=models.Index(fields=["product", "organisation", "day", "near_digest"], name="subject_window_by_neighbours"),
        ),
        migrations.AddConstraint(
            model_name="subjectday",
            constraint=models.UniqueConstraint(fields=("product", "organisation", "day"), name="subject_day_once"),
        ),
        migrations.RunSQL(ADMIT, reverse_sql=UNDO),
    ]
