"""Install as plain SQL, for those who may run nothing but psql, and for migrations that are written down as SQL."""

from __future__ import annotations

from psycopg import sql

from thanopg import __version__
from thanopg.database.migrate import SCHEMA, VERSION_TABLE, revisions, upgrade_script
from thanopg.database.service_address import SERVICE_PORT, SERVICE_USER
from thanopg.database.steps import Step, after_migrations, before_migrations

HEADER = """\
-- thanopg {version}: creates schema thanopg, or upgrades it. Written by: thanopg install --sql
--
--   psql --file install.sql postgresql://owner@db.example/shop
--
-- For a database without thanopg, and for one at {known}; afterwards it is at {newest}.
-- One transaction, which fails as a whole or not at all. Again changes nothing.
\\set ON_ERROR_STOP on
\\set QUIET on
\\encoding UTF8
"""
FROM_OUTSIDE = """
-- The password is not in this file: it comes from THANOPG_SERVICE_PASSWORD, or from psql --set service_password=…
\\if :{?service_password}
\\else
\\getenv service_password THANOPG_SERVICE_PASSWORD
\\endif
\\if :{?service_password}
\\else
DO $$ BEGIN RAISE EXCEPTION 'the service needs a password' USING HINT = 'put one into THANOPG_SERVICE_PASSWORD'; END $$;
\\endif
"""
FOUND = f"""
SELECT current_setting('thanopg.adapter') AS thanopg_adapter,
       current_setting('thanopg.adapter') <> 'none' AS thanopg_may_ask,
       (SELECT version_num FROM {SCHEMA}.{VERSION_TABLE}) AS thanopg_revision \\gset
"""  # noqa: S608 - names of ours
SET_ADDRESS = """\
\\if :thanopg_may_ask
SELECT thanopg.set_service_address({host}, {port}, {user}, :'service_password') AS thanopg_address \\gset
\\endif
"""
SAY = """
COMMIT;
\\warn 'installed: schema at revision' :thanopg_revision '; way to the service:' :thanopg_adapter
"""
SAY_ADDRESS = """\
\\if :thanopg_may_ask
\\warn 'where the service is, unless it is known: SELECT thanopg.set_service_address(host, port, user, password)'
\\endif
"""


def install_script() -> str:
    """What install does, for one transaction of the caller's: only SQL, no BEGIN and no COMMIT, nothing secret.

    Whatever the schema's revision is, it is brought to the newest; a newer one is refused. Settings of the transaction
    are afterwards as they were.
    """
    steps = [*before_migrations(), Step("migrations", upgrade_script()), *after_migrations()]
    return "\n".join(f"-- {step.name}\n\n{step.text.rstrip()}\n" for step in steps)


def psql_script(host: str | None = None, port: int = SERVICE_PORT, user: str = SERVICE_USER) -> str:
    """The same as a file for psql; with `host` it also sets the service's address, with a password given to psql."""
    known = revisions()
    header = HEADER.format(version=__version__, known=" or ".join(known), newest=known[-1])
    if host is None:
        return f"{header}\nBEGIN;\n\n{install_script()}{FOUND}{SAY}{SAY_ADDRESS}"
    address = SET_ADDRESS.format(host=_literal(host), port=port, user=_literal(user))
    return f"{header}{FROM_OUTSIDE}\nBEGIN;\n\n{install_script()}{FOUND}{address}{SAY}"


def _literal(text: str) -> str:
    return sql.Literal(text).as_string(None)
