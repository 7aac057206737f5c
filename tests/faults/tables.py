"""The tables that are worked on: keys of every kind, odd names, partitions whose columns are numbered otherwise.

Some have captions as well, and vectors of the captions: a chain.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg


@dataclass(frozen=True, kw_only=True)
class Target:
    """A table with a column `n` from which its key is made. `key`: columns and what they are, in terms of {n}."""

    name: str
    create: str
    key: dict[str, str]
    source: str = "image_path"
    type: str = "vector"
    partitions: tuple[str, ...] = ()
    chain: bool = False
    """with the columns of CHAIN too"""

    @property
    def made(self) -> tuple[str, ...]:
        """What workers fill."""
        return (VECTOR, *CHAIN) if self.chain else (VECTOR,)

    @property
    def columns(self) -> str:
        return ", ".join(self.key)

    def key_of(self, n: str) -> str:
        return ", ".join(expression.format(n=n) for expression in self.key.values())

    def set_key(self, n: str) -> str:
        return ", ".join(f"{column} = {expression.format(n=n)}" for column, expression in self.key.items())


VECTOR = "fake_base"
CAPTION, ATTRIBUTES, CAPTION_VECTOR = '"설명"', "attributes", "caption_vector"
CHAIN = (CAPTION, ATTRIBUTES, CAPTION_VECTOR)
TARGETS = (
    Target(
        name="photo",
        create="CREATE TABLE photo (id int PRIMARY KEY, n int, image_path text, note text)",
        key={"id": "{n}"},
        chain=True,
    ),
    Target(
        name="by_text",
        create="CREATE TABLE by_text (label text PRIMARY KEY, n int, image_path text, note text)",
        key={"label": "'한글 \"' || {n} || E'\\\\'"},
        type="halfvec",
    ),
    Target(
        name="by_uuid",
        create="CREATE TABLE by_uuid (gone int, id uuid PRIMARY KEY, n int, image_path varchar(2000), note text); "
        "ALTER TABLE by_uuid DROP COLUMN gone",
        key={"id": "md5(({n})::text)::uuid"},
    ),
    Target(
        name='"Odd, ""schema"."Weird ""name"',
        create='CREATE SCHEMA "Odd, ""schema"; CREATE TABLE "Odd, ""schema"."Weird ""name" '
        '(id bigint, "part B" text, n int, image_path text, note text, PRIMARY KEY ("part B", id))',
        key={"id": "{n}", '"part B"': "'p' || ({n}) % 3"},
    ),
    Target(
        name="parted",
        create="CREATE TABLE parted (id int, region int, n int, image_path text, note text, PRIMARY KEY (id, region)) "
        "PARTITION BY LIST (region); "
        "CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN (0); "
        "CREATE TABLE parted_1 (note text, gone int, image_path text, region int NOT NULL, n int, id int NOT NULL); "
        "ALTER TABLE parted_1 DROP COLUMN gone; "
        "ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES IN (1)",
        key={"id": "{n}", "region": "({n}) % 2"},
        partitions=("parted_0", "parted_1"),
        chain=True,
    ),
    Target(
        name="stored",
        create="CREATE TABLE stored (id int PRIMARY KEY, n int, image bytea, note text)",
        key={"id": "{n}"},
        source="image",
        chain=True,
    ),
)
AUDIT = """
CREATE TABLE written (target regclass, made text, source text, value text);
GRANT INSERT ON written TO thanopg_worker;
CREATE FUNCTION note_writing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF starts_with(current_setting('application_name'), 'thanopg worker') THEN
    INSERT INTO written VALUES (
      TG_ARGV[0]::regclass, TG_ARGV[1],
      CASE TG_ARGV[2] WHEN 'image' THEN encode(sha256((to_jsonb(NEW)->>'image')::bytea), 'hex')
                      ELSE to_jsonb(NEW)->>TG_ARGV[2] END,
      to_jsonb(NEW)->>TG_ARGV[1]);
  END IF;
  RETURN NULL;
END $$;
"""


def create_tables(connection: psycopg.Connection) -> None:
    """With embedding columns, and a note of all that a worker writes and what it is for."""
    connection.execute("SELECT create_model('fake', source => 'fake:16', base => 'base')")
    connection.execute("SELECT create_model('words', source => 'fake:0')")
    connection.execute(AUDIT.encode())
    for target in TARGETS:
        connection.execute(target.create.encode())
        add_columns(connection, target)
        noted = ((VECTOR, target.source), (CAPTION, target.source), (CAPTION_VECTOR, CAPTION))
        for number, (made, source) in enumerate(noted):
            if made in target.made:
                arguments = ", ".join(_literal(text) for text in (target.name, made.strip('"'), source.strip('"')))
                connection.execute(
                    f"CREATE TRIGGER note_{number} AFTER UPDATE OF {made} ON {target.name} FOR EACH ROW "
                    f"WHEN (NEW.{made} IS NOT NULL) EXECUTE FUNCTION note_writing({arguments})".encode()
                )


def add_columns(connection: psycopg.Connection, target: Target) -> None:
    where = (target.name, target.source)
    connection.execute("SELECT add_image_embedding(%s, %s, 'fake', type => %s)", (*where, target.type))
    if target.chain:
        connection.execute("SELECT add_caption(%s, %s, 'words', '설명', attributes_column => 'attributes')", where)
        connection.execute(
            "SELECT add_text_embedding(%s, '설명', 'fake', 'caption_vector', type => %s)", (target.name, target.type)
        )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
