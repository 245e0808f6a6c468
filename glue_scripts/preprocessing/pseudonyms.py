"""User ids as keyed hashes: HMAC-SHA256 (RFC 2104) in Spark's functions, the key from Secrets Manager."""

from __future__ import annotations

import hashlib

import boto3
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

BLOCK_BYTES = 64
HASH_BITS = 256


def secret_key(secret_arn: str) -> bytes:
    """Read the key."""
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=secret_arn)
    return (
        bytes(secret["SecretBinary"]) if "SecretBinary" in secret else secret["SecretString"].encode("utf-8")
    )


def pseudonym(user_id: Column, key: bytes) -> Column:
    """Return the hexadecimal HMAC-SHA256 of an id under `key`; null stays null."""
    padded = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    inner = F.unhex(F.lit(bytes(byte ^ 0x36 for byte in padded).hex()))
    outer = F.unhex(F.lit(bytes(byte ^ 0x5C for byte in padded).hex()))
    message = F.sha2(F.concat(inner, F.encode(user_id, "UTF-8")), HASH_BITS)
    return F.sha2(F.concat(outer, F.unhex(message)), HASH_BITS)
