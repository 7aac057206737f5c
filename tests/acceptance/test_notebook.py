"""`%thanosql` and `%%thanosql` in an IPython shell, on a real database."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

from tests.photo_database import ROWS, Photos, photo_database
from tests.running_service import RunningService
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.models.library import ModelLibrary

NAME = "tutorial_search_clip_clipen"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Cell = Callable[[str], "Ran"]


class Ran:
    """One cell's value, what it printed and displayed, and its error."""

    def __init__(self, result: Any, captured: CapturedIO) -> None:
        self.value = result.result
        self.error = result.error_in_exec or result.error_before_exec
        self.said = COLOURS.sub("", captured.stdout + captured.stderr)
        self.displayed = [output.data for output in captured.outputs]


@pytest.fixture(scope="module")
def photos(
    server: EmbeddedServer,
    template: str,
    service: RunningService,
    library: ModelLibrary,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Photos]:
    with photo_database(server, template, library, tmp_path_factory.mktemp("photos")) as made:
        yield made


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    main = sys.modules["__main__"]
    made = InteractiveShell.instance()
    made.reset(new_session=False)
    yield made
    made.run_cell("%unload_ext thanopg")
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main  # a shell makes itself the main program, and later tests start processes


@pytest.fixture
def fresh(shell: InteractiveShell, photos: Photos, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """The extension is loaded, nothing else is set."""
    for name in ("THANOPG_DATABASE_URL", "THANOPG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("THANOPG_IMAGE_ROOT", str(photos.root))

    def run(source: str) -> Ran:
        with capture_output() as captured:
            result = shell.run_cell(source)
        return Ran(result, captured)

    assert run("%load_ext thanopg").said == ""
    return run


@pytest.fixture
def cell(fresh: Cell, photos: Photos, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """With THANOPG_DATABASE_URL."""
    monkeypatch.setenv("THANOPG_DATABASE_URL", photos.url)
    return fresh


def test_rows_are_a_frame(cell: Cell) -> None:
    frame = cell("%%thanosql\nSELECT photo_id, length(photo_description) AS n FROM unsplash_data").value
    assert type(frame) is pd.DataFrame and frame.shape == (ROWS, 2)
    assert frame["n"].dtype == "Int64" and frame["n"].isna().sum() == ROWS // 4


def test_a_line_has_a_value(cell: Cell) -> None:
    ran = cell("df = %thanosql SELECT 1 AS one, 'ℵ' AS sign\ndf.iloc[0].tolist()")
    assert ran.value == [1, "ℵ"]


def test_python_values_are_sent_as_values(cell: Cell) -> None:
    cell('evil = "x\'; DROP TABLE unsplash_data; --"\nn = 3\nids = [1, 2]')
    assert cell("%thanosql SELECT $evil AS text").value.iloc[0, 0] == "x'; DROP TABLE unsplash_data; --"
    assert len(cell("%thanosql SELECT * FROM unsplash_data LIMIT $n").value) == 3
    assert cell("%thanosql SELECT 2 = ANY ($ids) AS found").value.iloc[0, 0]
    searched = cell("%%thanosql\nSEARCH IMAGE text=$evil USING tutorial_search_clip AS SELECT * FROM unsplash_data")
    assert len(searched.value) == ROWS
    assert cell("%thanosql SELECT '{n}', '$n'").value.iloc[0].tolist() == ["{n}", "$n"], "nothing is pasted"


def test_a_functions_own_variables_count(cell: Cell) -> None:
    cell("n = 1\ndef ask(n):\n    frame = %thanosql SELECT $n::int\n    return frame.iloc[0, 0]")
    assert cell("ask(7)").value == 7


def test_a_statement_from_a_variable(cell: Cell) -> None:
    cell("query = 'SELECT 42 AS answer'")
    assert cell("%thanosql $query").value["answer"].tolist() == [42]


def test_a_frame_becomes_a_table(cell: Cell) -> None:
    cell("import pandas as pd\nframe = pd.DataFrame({'id': [1, 2], '이름': ['가', '나']})")
    assert cell("%thanosql COPY from_frame FROM $frame").said.splitlines()[-1] == "Success"
    assert cell("%thanosql SELECT 이름 FROM from_frame ORDER BY id").value["이름"].tolist() == ["가", "나"]
    assert cell("%thanosql DROP TABLE from_frame").said == "Success\n"


def test_pictures_each_under_its_path(cell: Cell, photos: Photos) -> None:
    (shown,) = cell("%%thanosql\nPRINT IMAGE AS SELECT image_path FROM unsplash_data LIMIT 5").displayed
    assert len(shown["text/plain"].splitlines()) == 5 and str(photos.root) in shown["text/plain"]
    figures = shown["text/html"].split("<figure")[1:]
    assert all(figure.index("</figcaption>") < figure.index('<img src="data:image/jpeg') for figure in figures)


def test_pictures_that_there_are_not_are_said(cell: Cell) -> None:
    (shown,) = cell("%%thanosql\nPRINT IMAGE AS SELECT image_path FROM broken ORDER BY id").displayed
    assert shown["text/html"].count("<figure") == 3 and "<img" not in shown["text/html"]


def test_thumbnails_where_asked(cell: Cell) -> None:
    statement = f"SELECT photo_id, image_path FROM unsplash_data WHERE {NAME} IS NOT NULL"
    asked, plain = cell(f"%%thanosql --thumbnails\n{statement}").value, cell(f"%%thanosql\n{statement}").value
    assert asked._repr_html_().count('<img src="data:image/jpeg') == ROWS
    assert asked.head(2)._repr_html_().count("<img ") == 2
    assert "<img" not in plain._repr_html_()
    named = cell("%thanosql --thumbnails=p SELECT image_path AS p FROM unsplash_data LIMIT 2").value
    assert named._repr_html_().count("<img ") == 2
    assert asked["image_path"].tolist() == plain["image_path"].tolist(), "the values are what they were"


def test_an_error_is_short_and_says_where(cell: Cell) -> None:
    ran = cell("%%thanosql\nSEARCH IMAGE text='한글' USNG tutorial_search_clip\nAS SELECT * FROM unsplash_data")
    assert ran.error is not None, "a notebook that is run as a whole stops here"
    lines = ran.said.splitlines()
    assert lines[0].startswith("error: ") and lines[1].startswith("SEARCH IMAGE text='한글' USNG")
    assert lines[2].strip() == "^^^^" and lines[2].index("^") == len("SEARCH IMAGE text='한글' ") + 2, "two are wide"
    assert "Traceback" not in ran.said and len(lines) <= 4


def test_the_databases_errors_too(cell: Cell) -> None:
    ran = cell("%%thanosql\nSELECT photo_id,\n       nothing\nFROM unsplash_data")
    lines = ran.said.splitlines()
    assert "nothing" in lines[0] and lines[1] == "       nothing" and lines[2] == "       ^"[: len(lines[2])]
    assert "Traceback" not in ran.said and cell("%thanosql SELECT 1").error is None


def test_errors_can_be_caught(cell: Cell) -> None:
    ran = cell(
        "try:\n    %thanosql SELECT * FROM nowhere\nexcept Exception as error:\n    caught = error.sqlstate\ncaught"
    )
    assert ran.value == "42P01"


def test_the_token_is_the_password_where_the_url_has_none(fresh: Cell, photos: Photos) -> None:
    parts = urlsplit(photos.url)
    assert parts.password
    bare = parts._replace(netloc=f"{parts.username}@").geturl()
    refused = fresh(f"%thanosql {bare}")
    assert refused.error is not None and "password" in refused.said
    assert fresh(f"%thanosql API_TOKEN={parts.password}").said == ""
    connected = fresh(f"%thanosql {bare}")
    assert connected.said.startswith("connected to test_") and parts.password not in connected.said
    assert fresh("%thanosql SELECT 1").value.iloc[0, 0] == 1


def test_a_wrong_token_is_not_shown(fresh: Cell, photos: Photos) -> None:
    parts = urlsplit(photos.url)
    fresh("%thanosql API_TOKEN=wrong-and-secret")
    ran = fresh(f"%thanosql {parts._replace(netloc=f'{parts.username}@').geturl()}")
    assert "password authentication failed" in ran.said and "wrong-and-secret" not in ran.said


def test_after_a_lost_connection_the_next_statement_opens_another(cell: Cell, photos: Photos) -> None:
    assert cell("%thanosql SELECT 1").error is None
    with connect(photos.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user"
        )
    lost = cell("%thanosql SELECT 1")
    assert lost.error is not None and "Traceback" not in lost.said
    assert cell("%thanosql SELECT 1").value.iloc[0, 0] == 1


def test_loading_twice_and_unloading(cell: Cell, shell: InteractiveShell) -> None:
    assert cell("%reload_ext thanopg").error is None
    assert cell("%thanosql SELECT 1").value.iloc[0, 0] == 1
    cell("%unload_ext thanopg")
    assert shell.find_line_magic("thanosql") is None and shell.find_cell_magic("thanosql") is None
