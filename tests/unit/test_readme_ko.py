"""README.ko.md is in step with README.md: what is not prose is the same in both, at the same place."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.command import ROOT

BLOCK = re.compile(r"^```[\w-]*\n.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
EACH_OTHER = {"README.md": "한국어: [README.ko.md](README.ko.md)", "README.ko.md": "English: [README.md](README.md)"}


@dataclass(frozen=True)
class Section:
    """A heading, and what stands below it up to the next."""

    level: int
    title: str
    parts: tuple[str, ...]
    """paragraphs, code blocks and tables, in their order"""

    @property
    def prose(self) -> str:
        return "\n".join(part for part in self.parts if not BLOCK.match(part))

    @property
    def tables(self) -> list[list[str]]:
        """Of each the first cells of its rows, without the heading's."""
        return [[row.split("|")[1].strip() for row in part.splitlines()[1:]] for part in self.parts if part[0] == "|"]


def read(name: str) -> list[Section]:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    sections: list[Section] = []
    for part in BLOCK.sub("```", text).strip().split("\n\n"):
        if heading := re.fullmatch(r"(#+) (.+)", part):
            sections.append(Section(len(heading[1]), heading[2], ()))
        elif part != EACH_OTHER[name]:
            last = sections.pop()
            sections.append(Section(last.level, last.title, (*last.parts, blocks.pop(0) if part == "```" else part)))
    assert not blocks
    return sections


PAIRS = list(zip(read("README.md"), read("README.ko.md"), strict=False))
BOTH = pytest.mark.parametrize(("english", "korean"), [pytest.param(*pair, id=pair[0].title) for pair in PAIRS])


def kind(part: str) -> str:
    return "code" if BLOCK.match(part) else "table" if part[0] == "|" else "text"


def test_the_same_headings() -> None:
    english, korean = read("README.md"), read("README.ko.md")
    assert [section.level for section in english] == [section.level for section in korean]
    assert len(PAIRS) == len(english)


@pytest.mark.parametrize("name", EACH_OTHER)
def test_each_names_the_other_at_its_top(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").split("\n\n")[1] == EACH_OTHER[name]


@BOTH
def test_the_same_parts_in_the_same_order(english: Section, korean: Section) -> None:
    assert [kind(part) for part in english.parts] == [kind(part) for part in korean.parts]


@BOTH
def test_the_same_code(english: Section, korean: Section) -> None:
    assert [part for part in english.parts if BLOCK.match(part)] == [part for part in korean.parts if BLOCK.match(part)]


@BOTH
def test_the_same_links(english: Section, korean: Section) -> None:
    assert LINK.findall(english.prose) == LINK.findall(korean.prose)
    for link in LINK.findall(korean.prose):
        assert "://" in link or (ROOT / link).exists(), link


@BOTH
def test_the_same_rows_in_tables(english: Section, korean: Section) -> None:
    assert english.tables == korean.tables


@BOTH
def test_the_same_names_and_numbers_in_the_prose(english: Section, korean: Section) -> None:
    """Word order differs, what is named and measured doesn't."""
    assert set(CODE.findall(english.prose)) == set(CODE.findall(korean.prose))
    assert set(NUMBER.findall(english.prose)) <= set(NUMBER.findall(korean.prose))


def test_it_is_written_in_composed_hangul() -> None:
    text = (ROOT / "README.ko.md").read_text(encoding="utf-8")
    assert not re.search("[\u1100-\u11ff]", text)
