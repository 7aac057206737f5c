"""Judged queries from csv: every way of writing keys, and one line for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from thanopg.errors import InvalidArgument
from thanopg.relevance.judgements import Judgement, key_text, read_csv


def read(tmp_path: Path, text: str, *names: str) -> list[Judgement]:
    path = tmp_path / "q.csv"
    path.write_text(text, encoding="utf-8")
    return read_csv(path, names or ("id",))


def test_keys_of_one_column(tmp_path: Path) -> None:
    one, two, three = read(tmp_path, 'query,relevant,language\n빨간 원피스,1 22,ko\n"a, b","[1, ""x y""]",en\nz,7,\n')
    assert one == Judgement(query="빨간 원피스", relevant=frozenset({'["1"]', '["22"]'}), language="ko", kind="")
    assert two.query == "a, b" and two.relevant == {'["1"]', '["x y"]'}
    assert three.language == "" and three.relevant == {key_text({"id": 7}, ["id"])}


def test_keys_of_several_columns(tmp_path: Path) -> None:
    text = '\ufeffquery,relevant,kind\nx,"[{""b"": ""라"", ""a"": 1}]",use\n'
    (one,) = read(tmp_path, text, "a", "b")
    assert one.relevant == {key_text({"a": 1, "b": "라"}, ["a", "b"])} and one.kind == "use"


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("query\nx\n", ("id",), "expected a column relevant"),
        ("text,relevant\nx,1\n", ("id",), "query 1: expected a column query"),
        ("query,relevant\n", ("id",), "no queries"),
        ("query,relevant\nx,[1\n", ("id",), "no JSON array"),
        ("query,relevant\nx,1\n", ("a", "b"), "expected keys with a, b"),
        ('query,relevant\nx,"[{""a"": 1}]"\n', ("a", "b"), "expected keys with a, b"),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said) as caught:
        read(tmp_path, text, *names)
    assert "\n" not in caught.value.message
