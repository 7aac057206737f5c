"""The model that comes with the package, registered by install."""

from __future__ import annotations

import json
from pathlib import Path

from thanopg.database.connect import Connection

NAME = "catalog"
DIRECTORY = Path(__file__).resolve().parent.parent / "catalog" / "model"
INFO = DIRECTORY / "thanopg.json"
CAPTIONER = DIRECTORY / "captioner_config.json"
REGISTER = """
    INSERT INTO thanopg.model AS m
      (name, base, source, architecture, dimensions, fingerprint, context_length, can_caption, can_embed_texts,
       can_embed_images, languages)
    VALUES (%(name)s, %(name)s, %(source)s, %(architecture)s, %(dimensions)s, %(fingerprint)s, %(context_length)s,
            %(can_caption)s, %(can_embed_texts)s, %(can_embed_images)s, %(languages)s)
    ON CONFLICT (name) DO UPDATE SET
      base = EXCLUDED.base, source = EXCLUDED.source, architecture = EXCLUDED.architecture,
      dimensions = EXCLUDED.dimensions, fingerprint = EXCLUDED.fingerprint,
      context_length = EXCLUDED.context_length, can_caption = EXCLUDED.can_caption,
      can_embed_texts = EXCLUDED.can_embed_texts, can_embed_images = EXCLUDED.can_embed_images,
      languages = EXCLUDED.languages
    WHERE m.fingerprint <> EXCLUDED.fingerprint
        AND NOT EXISTS (SELECT FROM thanopg.embedding e WHERE e.model = m.name)
      OR m.fingerprint = EXCLUDED.fingerprint
        AND (m.can_caption, m.languages) IS DISTINCT FROM (EXCLUDED.can_caption, EXCLUDED.languages)
"""
OUTDATED = "SELECT FROM thanopg.model WHERE name = %(name)s AND fingerprint <> %(fingerprint)s"


def register_bundled_model(connection: Connection) -> str | None:
    """Insert or update; None, or why an older one stays."""
    if not INFO.is_file():
        return None
    row = connection.execute("SELECT to_regclass('thanopg.model') IS NULL").fetchone()
    if row and row[0]:
        return None
    info = {
        "can_caption": False,
        "can_embed_texts": True,
        "can_embed_images": True,
        "languages": json.loads(CAPTIONER.read_text())["languages"] if CAPTIONER.is_file() else None,
        **json.loads(INFO.read_text()),
        "name": NAME,
    }
    connection.execute(REGISTER, info)
    if connection.execute(OUTDATED, info).fetchone() is None:
        return None
    return "model catalog has embedding columns of an older version: drop and add them to use the new one"
