"""What Tab offers, place by place."""

from __future__ import annotations

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from thanopg.cli.sql.completion import Words
from thanopg.cli.sql.sheet import heading_of
from thanopg.thanosql.session import Vocabulary

KNOWN = Vocabulary(
    keywords=("SEARCH", "CONVERT", "PRINT", "OPTIONS", "USING", "IMAGE"),
    options=("image_col", "table_name"),
    models=("tutorial_search_clip",),
    bases=("clipen", "catalog"),
    tables=("unsplash_data", "상품"),
    columns=("image_path", "photo_id"),
)


def offered(before: str) -> set[str]:
    event = CompleteEvent(completion_requested=True)
    return {completion.text for completion in Words(lambda: KNOWN).get_completions(Document(before), event)}


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("sea", {"SEARCH"}),
        ("CONVERT USING ", {"tutorial_search_clip", "clipen", "catalog"}),
        ("CONVERT USING cl", {"clipen"}),
        ("SELECT * FROM ", {"unsplash_data", "상품"}),
        ("SELECT * FROM 상", {"상품"}),
        ("CONVERT USING m OPTIONS(", {"image_col", "table_name"}),
        ("CONVERT USING m OPTIONS(table_name=", {"unsplash_data", "상품"}),
        ("CONVERT USING m OPTIONS(batch_size=1, image_col=im", {"image_path"}),
        ("DELETE MODEL t", {"tutorial_search_clip"}),
        ("SEARCH IMAGE text='a black ca", set()),
        ("SELECT pho", {"photo_id"}),
    ],
)
def test_words_that_can_stand_there(before: str, words: set[str]) -> None:
    assert offered(before) == words


def test_a_page_is_headed_by_what_was_searched_for() -> None:
    assert heading_of('SEARCH IMAGE text="it\'s black" USING m AS SELECT 1') == "it's black"
    assert heading_of("PRINT IMAGE\nAS SELECT 1") == "PRINT IMAGE AS SELECT 1"
    assert len(heading_of("SELECT " + "x" * 200)) == 80
