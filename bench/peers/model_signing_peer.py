#!/usr/bin/env python3
"""Holds model.sig against the OpenSSF's own program, sigstore/model-transparency (Apache 2.0), of which a checkout is needed.

    python bench/peers/model_signing_peer.py CHECKOUT check VERSION_DIRECTORY PUBLIC_KEY
    python bench/peers/model_signing_peer.py CHECKOUT fixtures trainer/src/test/resources/model-signing

`check` has it verify a published version with a key, as `model_signing verify key` does. `fixtures` has it sign a small version
with new keys on three curves, as `model_signing sign key` does, for ModelSignatureTest. Made with commit e343073 of 2026-03-30 and
cryptography 50.0.2. Keys, signatures, the statement and the comparison of files are the program's own; of packages that it imports and
that need not be installed, the messages of a Sigstore bundle stand in below, and what signs without keys is not reachable.
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import types
from unittest import mock

from google.protobuf import struct_pb2


class Record(types.SimpleNamespace):
    def __init__(self, **fields):
        super().__init__(**fields)


def signature(sig, keyid):
    return Record(sig=base64.b64decode(sig), keyid=keyid)


def envelope(payload, payload_type, signatures):
    return Record(payload=base64.b64decode(payload), payload_type=payload_type, signatures=signatures)


class Bundle(Record):
    @staticmethod
    def from_dict(parsed):
        sealed = parsed["dsseEnvelope"]
        return Bundle(
            media_type=parsed["mediaType"],
            verification_material=Record(public_key=Record(hint=parsed["verificationMaterial"]["publicKey"]["hint"])),
            dsse_envelope=envelope(
                sealed["payload"],
                sealed["payloadType"],
                [signature(one["sig"], one["keyid"]) for one in sealed["signatures"]],
            ),
        )

    def to_json(self):
        sealed = self.dsse_envelope
        encoded = [{"sig": base64.b64encode(one.sig).decode(), "keyid": one.keyid} for one in sealed.signatures]
        return json.dumps({
            "mediaType": self.media_type,
            "verificationMaterial": {
                "publicKey": {"hint": self.verification_material.public_key.hint},
                "tlogEntries": [],
            },
            "dsseEnvelope": {
                "payload": base64.b64encode(sealed.payload).decode(),
                "payloadType": sealed.payload_type,
                "signatures": encoded,
            },
        })


class ResourceDescriptor:
    def __init__(self, name, digest):
        self.pb = {"name": name, "digest": digest}


class Statement:
    def __init__(self, subjects, predicate_type, predicate):
        self.pb = struct_pb2.Struct()
        self.pb.update({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subjects,
            "predicateType": predicate_type,
            "predicate": predicate,
        })


def stand_ins():
    def module(name, **content):
        made = types.ModuleType(name)
        vars(made).update(content)
        sys.modules[name] = made
        return made

    material = dict(VerificationMaterial=Record, Bundle=Bundle)
    module("sigstore_models", intoto=module("sigstore_models.intoto", Signature=signature, Envelope=envelope))
    module("sigstore_models.bundle", v1=module("sigstore_models.bundle.v1", **material))
    module("sigstore_models.common", v1=module("sigstore_models.common.v1", PublicKeyIdentifier=Record))
    statement = module("in_toto_attestation.v1.statement", ResourceDescriptor=ResourceDescriptor, Statement=Statement)
    module("in_toto_attestation", v1=module("in_toto_attestation.v1", statement=statement))
    for name in ("sigstore", "blake3", "PyKCS11", "certifi", "click", "OpenSSL"):
        sys.modules.setdefault(name, mock.MagicMock(name=name))


def check(directory, public_key):
    from model_signing import verifying

    config = verifying.Config().use_elliptic_key_verifier(public_key=pathlib.Path(public_key))
    config.verify(pathlib.Path(directory), pathlib.Path(directory) / "model.sig")
    print(f"{directory}: every file is as {public_key} signed it, and no other is there.")


def fixtures(out):
    from model_signing import hashing, signing

    version = out / "version"
    version.mkdir(parents=True, exist_ok=True)
    contents = {"README.md": "A small version.\n", "config.json": "{}\n", "model.safetensors": "no weights\n"}
    listed = []
    for name, text in contents.items():
        (version / name).write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        listed.append({"path": name, "length": str(len(text)), "sha256": digest})
    manifest = {
        "format": 1,
        "checkpoint": {"model": "tiny", "version": "tiny-000001", "state": "PROMOTED", "files": listed},
        "base": "embedded",
        "quarantined": [],
        "settings": {},
        "origin": {},
        "parent_manifest_sha256": "",
    }
    (version / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    for curve in ("P-256", "P-384", "P-521"):
        secret, shown = out / f"{curve}.pem", out / f"{curve}.pub.pem"
        subprocess.run(
            ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", secret], check=True
        )
        subprocess.run(["openssl", "pkey", "-in", secret, "-pubout", "-out", shown], check=True)
        config = signing.Config().use_elliptic_key_signer(private_key=secret)
        config.set_hashing_config(hashing.Config().set_ignored_paths(paths=["model.sig"]))
        config.sign(version, out / f"{curve}.sig")


if __name__ == "__main__":
    stand_ins()
    sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "src"))
    if sys.argv[2] == "check":
        check(sys.argv[3], sys.argv[4])
    else:
        fixtures(pathlib.Path(sys.argv[3]))
