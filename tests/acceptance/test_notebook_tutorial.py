"""The tutorial's notebook, executed top to bottom as a reader executes it: nothing runs before, nothing is set."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from examples.make_tutorial_data import SEED, photo_id
from tests.command import ROOT, environment, run
from tests.databases import make_home
from thanopg.catalog.catalogue import make_products
from thanopg.notebook.connection import Connector
from thanopg.thanosql.result import Table, no_progress

EXAMPLES = ROOT / "examples"
NAME = "text_to_image_search.ipynb"
ROWS = 200
EMBEDDING = "tutorial_search_clip_clipen"
SIMILARITY = f"{EMBEDDING}_similarity1"
PHOTO = ["photo_id", "image_path", "photo_image_url", "photo_description", "ai_description"]
SECONDS = 150

COPY = """\
%%thanosql
COPY unsplash_data 
OPTIONS(overwrite=True)
FROM "tutorial_data/unsplash_data/unsplash.csv\""""
SELECT = """\
%%thanosql
SELECT photo_id, image_path, photo_image_url, photo_description, ai_description
FROM unsplash_data
LIMIT 5"""
PRINT = """\
%%thanosql
PRINT IMAGE 
AS
SELECT image_path 
FROM unsplash_data 
LIMIT 5"""
CONVERT = """\
%%thanosql
CONVERT USING tutorial_search_clip
OPTIONS (
    image_col="image_path", 
    table_name="unsplash_data", 
    batch_size=128
    )
AS 
SELECT * 
FROM unsplash_data"""
SEARCH = """\
%%thanosql
SEARCH IMAGE text="a black cat"
USING tutorial_search_clip
AS 
SELECT * 
FROM unsplash_data"""
SORTED = """\
%%thanosql
SELECT image_path, tutorial_search_clip_clipen_similarity1 
FROM (
    SEARCH IMAGE text="a black cat"
    USING tutorial_search_clip
    AS 
    SELECT * 
    FROM unsplash_data
    )
ORDER BY tutorial_search_clip_clipen_similarity1 DESC 
LIMIT 5"""
PRINT_SORTED = """\
%%thanosql
PRINT IMAGE 
AS (
    SELECT image_path, tutorial_search_clip_clipen_similarity1 
    FROM (
        SEARCH IMAGE text="{text}"
        USING tutorial_search_clip
        AS 
        SELECT * 
        FROM unsplash_data
        )
    ORDER BY tutorial_search_clip_clipen_similarity1 DESC 
    LIMIT 5
    )"""
TEXTS = ("a black cat", "a dog on a chair", "gloomy photos", "the feeling when your program finally works")
STATEMENTS = [
    "%load_ext thanopg",
    "%thanosql API_TOKEN=<발급받은_API_TOKEN>",
    COPY,
    SELECT,
    PRINT,
    CONVERT,
    SEARCH,
    SORTED,
    *(PRINT_SORTED.format(text=text) for text in TEXTS),
]
"""of the tutorial, as they stand there but for the first"""

Outputs = Sequence[Any]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("reader") / "examples"
    directory.mkdir()
    for name in (NAME, "make_tutorial_data.py"):
        shutil.copy(EXAMPLES / name, directory)
    return directory


@pytest.fixture(scope="module")
def module_home() -> Iterator[Path]:
    """Where nothing has run yet."""
    path = make_home()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def outputs(place: Path, module_home: Path) -> Iterator[dict[str, Outputs]]:
    """Of every cell, by its source."""
    notebook = nbformat.read(EXAMPLES / NAME, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    client = NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(place)}}
    )
    try:
        client.execute(env=environment(THANOPG_HOME=str(module_home)))
        yield {cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    finally:
        run("down", "--home", module_home)


@pytest.mark.timeout(240)
def test_every_statement_of_the_tutorial_is_there_in_its_order(outputs: dict[str, Outputs]) -> None:
    assert [source for source in outputs if source in STATEMENTS] == STATEMENTS


def test_nothing_is_shown_of_the_token_and_nothing_failed(outputs: dict[str, Outputs]) -> None:
    assert outputs[STATEMENTS[0]] == [] and outputs[STATEMENTS[1]] == []
    for source, found in outputs.items():
        assert all(output.output_type != "error" for output in found), source
        assert not [output.text for output in found if output.get("name") == "stderr"], source


def test_copy(outputs: dict[str, Outputs]) -> None:
    assert stream(outputs[COPY]).splitlines()[-1] == "Success"


def test_five_rows_in_the_order_of_the_file(outputs: dict[str, Outputs], place: Path) -> None:
    names, rows = table(outputs[SELECT])
    assert names == PHOTO and len(rows) == 5
    file = (place / "tutorial_data" / "unsplash_data" / "unsplash.csv").read_text().splitlines()
    assert [row[0] for row in rows] == [line.split(",")[0] for line in file[1:6]]


def test_convert_gives_every_row_and_the_new_column(outputs: dict[str, Outputs]) -> None:
    names, _ = table(outputs[CONVERT])
    assert names == [*PHOTO, EMBEDDING]
    assert f"{ROWS} rows × 6 columns" in html(outputs[CONVERT])[-1]
    assert f"embedding unsplash_data: {ROWS} rows in " in html(outputs[CONVERT])[0], "what the progress bar leaves"


def test_search_gives_every_row_and_its_similarity(outputs: dict[str, Outputs]) -> None:
    names, rows = table(outputs[SEARCH])
    assert names == [*PHOTO, EMBEDDING, SIMILARITY]
    assert f"{ROWS} rows × 7 columns" in html(outputs[SEARCH])[-1]
    assert all(-1 <= float(row[-1]) <= 1 for row in rows if row[-1] != "...")


def test_the_five_nearest_come_in_falling_order(outputs: dict[str, Outputs]) -> None:
    names, rows = table(outputs[SORTED])
    assert names == ["image_path", SIMILARITY] and len(rows) == 5
    similarities = [float(row[1]) for row in rows]
    assert similarities == sorted(similarities, reverse=True)


def test_five_pictures_each_under_its_path(outputs: dict[str, Outputs], place: Path) -> None:
    for source in (PRINT, *STATEMENTS[-4:]):
        paths = printed(outputs[source])
        assert len(paths) == 5 and all(Path(path).is_relative_to(place) for path in paths), source
        assert html(outputs[source])[0].count('<img src="data:image/jpeg;base64,') == 5
    assert [path.removeprefix(f"{place}/") for path in printed(outputs[STATEMENTS[8]])] == [
        row[0] for row in table(outputs[SORTED])[1]
    ]


def test_what_the_model_knows_is_found(outputs: dict[str, Outputs]) -> None:
    by_photo = {photo_id(product): product for product in make_products(ROWS, SEED, popular=True)}
    last = list(outputs.values())[-1]
    found = [by_photo[Path(path).stem] for path in printed(last)]
    assert sum(product.category == "sneakers" and product.colour == "white" for product in found) >= 3


def test_another_notebook_joins_what_runs(outputs: dict[str, Outputs], place: Path, module_home: Path) -> None:
    said: list[str] = []
    connector = Connector(say=said.append, on_progress=no_progress, environ={"THANOPG_HOME": str(module_home)})
    found = connector.session().run("SELECT count(*) FROM unsplash_data")
    connector.close()
    assert isinstance(found, Table) and found.rows == ((ROWS,),)
    assert said == [f"image paths are below {place}, as the running worker has it"]


def stream(found: Outputs) -> str:
    return "".join(output.text for output in found if output.output_type == "stream")


def html(found: Outputs) -> list[str]:
    return [output.data["text/html"] for output in found if "text/html" in output.get("data", {})]


def table(found: Outputs) -> tuple[list[str], list[list[str]]]:
    """Column names and rows of the DataFrame that is shown."""
    shown = html(found)[-1]
    head, body = shown.split("<tbody>")
    rows = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in body.split("</tr>") if "<td>" in row]
    return re.findall(r"<th>(.+?)</th>", head), rows


def printed(found: Outputs) -> list[str]:
    (sheet,) = [output.data["text/plain"] for output in found if "<img" in output.get("data", {}).get("text/html", "")]
    return str(sheet).splitlines()
