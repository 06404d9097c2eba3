"""From a spec to a release that is proven to run: pack the data file, load it, and answer every sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from products.catalogue.spec import ProductSpec
from products.record.refusals import Refused
from products.runtimes import host, index, links, modelconfig, verification
from products.runtimes.base import FieldError, InputRefused, ReleaseRefused, ReleaseSpec, Secrets
from products.runtimes.digests import Digester
from products.runtimes.remoteconfig import is_remote
from products.runtimes.schemas import Schema


@dataclass(frozen=True, slots=True)
class ProvenRelease:
    """A release whose samples ran; ``sha256`` is over everything that decides what it answers."""

    release: ReleaseSpec
    sha256: str
    sample_input: Any
    sample_output: dict[str, Any]


def prove(spec: ProductSpec, *, version: int, secrets: Secrets, at: datetime) -> ProvenRelease:
    """Pack and run. Raises ``ReleaseRefused`` with every fault found, ``ProductKeyMissing``; touches no database."""
    release = packed(spec, version=version, secrets=secrets)
    output = _run_samples(release, spec.samples, secrets=secrets, at=at)[0]
    if spec.type == "report":
        output = {**output, "url": links.PATH + "…"}  # a sample is public: it must not hold a link that opens the report
    return ProvenRelease(release, digest_of(release, spec.samples[0]), spec.samples[0], output)


def packed(spec: ProductSpec, *, version: int, secrets: Secrets) -> ReleaseSpec:
    """The release of a spec: its artifact in the type's own packing, schemas filled in where the spec gives none."""
    remote = is_remote(spec.type, spec.config)
    artifact = b"" if remote else _artifact(spec, secrets)
    given, answered = (_nothing, _nothing) if remote else host.SCHEMAS[spec.type]
    return ReleaseSpec(
        product_code=spec.code,
        version=version,
        type=spec.type,
        config=spec.config,
        artifact=artifact,
        input_schema=spec.input_schema or given(spec.config),
        output_schema=spec.output_schema or answered(spec.config),
    )


def _nothing(_config: Mapping[str, Any]) -> dict[str, Any]:
    """No schema: only its operator knows what a remote service takes and answers, so a spec without one is refused."""
    return {}


def _artifact(spec: ProductSpec, secrets: Secrets) -> bytes:
    try:
        if spec.type == "index":
            return index.pack_csv(spec.data, spec.config)
        if spec.type == "verification":
            return verification.pack_csv(spec.data, spec.config, Digester(secrets.product_key(spec.code), spec.code))
    except UnicodeDecodeError as error:
        raise ReleaseRefused([{"pointer": "/release/data", "message": _("must be UTF-8")}]) from error
    if spec.type == "model":
        modelconfig.check_config(spec.config)
    return spec.data


def digest_of(release: ReleaseSpec, sample: Any) -> str:
    """Content digest: the same spec and data give the same digest, whatever the version."""
    parts: Mapping[str, Any] = {
        "type": release.type,
        "config": release.config,
        "input_schema": release.input_schema,
        "output_schema": release.output_schema,
        "sample": sample,
        "artifact": sha256(release.artifact).hexdigest(),
    }
    return sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def _run_samples(release: ReleaseSpec, samples: Sequence[Any], *, secrets: Secrets, at: datetime) -> list[dict[str, Any]]:
    output_schema = Schema(release.output_schema, where="/release/output_schema")
    loaded = host.load(release, secrets=secrets)
    outputs: list[dict[str, Any]] = []
    errors: list[FieldError] = []
    for position, sample in enumerate(samples):
        where = f"/release/samples/{position}"
        try:
            loaded.check(sample)
            output = loaded.run(sample, at).output
        except InputRefused as refusal:
            errors.extend(_below(where, refusal.errors))
        except ReleaseRefused:
            raise
        except Refused as refusal:
            errors.append({"pointer": where, "message": str(refusal)})
        else:
            outputs.append(output)
            errors.extend(_below(f"{where} → output", output_schema.errors(output)))
    if errors:
        raise ReleaseRefused(errors)
    return outputs


def _below(where: str, errors: Sequence[FieldError]) -> list[FieldError]:
    return [{"pointer": where + error["pointer"], "message": error["message"]} for error in errors]
