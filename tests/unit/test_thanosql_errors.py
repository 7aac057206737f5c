"""What is said of a statement that can't be meant: one line, the place underlined, the word that was probably meant."""

from __future__ import annotations

import pytest

from tests.unit.test_thanosql_compiler import plan_of
from thanopg.errors import SyntaxNotUnderstood

SEARCH = "SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo"

# statement, what is underlined, part of the message, part of the hint
WRONG = (
    ("SEARCH IMGE text='a' USING clip1 AS SELECT 1", "IMGE", "expected IMAGE, not IMGE", "did you mean IMAGE?"),
    ("SEARCH IMAGE txt='a' USING clip1 AS SELECT 1", "txt", "unknown search input txt", "did you mean text?"),
    ("SEARCH IMAGE text='a' USNG clip1 AS SELECT 1", "USNG", "not USNG", "did you mean USING?"),
    ("SEARCH IMAGE text='a' USING clp1 AS SELECT 1", "clp1", "there is no model clp1", "did you mean clip1?"),
    ("SEARCH IMAGE text='a', image='b' USING clip1 AS SELECT 1",
     "image", "only one of text, texts, image and images", ""),
    ("SEARCH IMAGE USING clip1 AS SELECT 1", "clip1", "the search input is missing", "text='a cat'"),
    ("SEARCH IMAGE text='' USING clip1 AS SELECT 1", "''", "the search input is empty", "in a few words"),
    ("SEARCH IMAGE texts=[] USING clip1 AS SELECT 1", "[]", "the list of inputs is empty", ""),
    ("SEARCH IMAGE texts=['a' 'b'] USING clip1 AS SELECT 1", "'b'", "expected , or ], not 'b'", ""),
    ("SEARCH IMAGE text=cat USING clip1 AS SELECT 1", "cat", "expected text in quotes", "text='cat'"),
    ("SEARCH IMAGE text=7 USING clip1 AS SELECT 1", "7", "expected text as a text, not int", ""),
    ("SEARCH IMAGE text='a USING clip1 AS SELECT 1", "'", "this quote is not closed", ""),
    ("SEARCH IMAGE text='a' USING clip1", "", "expected AS, not the end", ""),
    ("SEARCH IMAGE text='a' USING clip1 AS", "", "expected a query after AS", "SELECT * FROM my_table"),
    ("SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM bare",
     "clip1", "table bare has no column clip1_clipen", "CONVERT"),
    ("SEARCH IMAGE text=$txt USING clip1 AS SELECT 1", "$txt", "there is no value for $txt", "did you mean text?"),
    ("SEARCH IMAGE USING clip1 OPTIONS(search_by='audio', search_input='a') AS SELECT 1",
     "'audio'", "search_by=audio", "images"),
    ("SEARCH IMAGE USING clip1 OPTIONS(search_input='a', emb_col='clip_clipen') AS SELECT * FROM photo",
     "'clip_clipen'",
     "table photo has no column clip_clipen", "did you mean clip1_clipen?"),
    ("SEARCH IMAGE USING clip1 OPTIONS(search_input='a', top_k=0) AS SELECT 1", "0", "top_k is a whole number", ""),
    ("SEARCH IMAGE USING clip1 OPTIONS(search_input='a', search_input='b') AS SELECT 1",
     "search_input", "given twice", ""),
    ("SEARCH AUDIO text='a' USING clip1 AS SELECT 1", "AUDIO", "SEARCH AUDIO is not supported", "SEARCH IMAGE"),
    ("PRINT VIDEO AS SELECT 1", "VIDEO", "PRINT VIDEO is not supported", "PRINT IMAGE"),
    ("PREDICT USING m AS SELECT 1", "PREDICT", "PREDICT is not supported", "similarity"),
    ("SELECT * FROM (EVALUATE USING m AS SELECT 1)", "EVALUATE", "EVALUATE is not supported", "BUILD MODEL"),
    ("UPLOAD MODEL m FROM 'x'", "UPLOAD", "UPLOAD is not supported", "create_model"),
    ("CREATE TABLE t USING m OPTIONS(path_type='folder') FROM 'x'",
     "CREATE", "CREATE TABLE … USING is not supported", "COPY"),
    ("LIST THANOSQL DATASET", "DATASET", "LIST THANOSQL DATASET is not supported", "LIST THANOSQL MODEL"),
    ("LIST MODLE", "MODLE", "expected MODEL or TABLE or THANOSQL, not MODLE", "did you mean MODEL?"),
    ("GET THANOSQL MODEL clpen", "clpen", "unknown base or source 'clpen'", "did you mean clipen?"),
    ("GET THANOSQL MODEL clip AS clip1", "clip1", "model clip1 exists", "overwrite=True"),
    ("DELETE MODEL nothing", "nothing", "there is no model nothing", "models: clip1, my_clip"),
    ("COPY photo FROM STDIN", "STDIN", "expected a file, a folder or $name", "\\copy"),
    ("COPY photo TO 'x'", "TO", "expected OPTIONS or FROM, not TO", "\\copy"),
    ("COPY photo (a, b) FROM 'x'", "(", "expected OPTIONS or FROM, not (", "\\copy"),
    ("COPY photo FROM file.csv", "file", "expected a file or a folder in quotes", ""),
    ("COPY seen OPTIONS(overwrite=True) FROM 'x'", "seen", "seen is not a table", ""),
    ("COPY thanopg.model FROM 'x'", "thanopg.model", "schema thanopg is not for tables of yours", ""),
    ("COPY t OPTIONS(overwrite=maybe) FROM 'x'", "maybe", "overwrite is True or False", ""),
    ("COPY t OPTIONS(if_exists='repalce') FROM 'x'",
     "'repalce'", "if_exists is fail or replace or append", "mean replace?"),
    ("CONVERT USING clip1 OPTIONS(image_col='imge_path') AS SELECT * FROM bare", "'imge_path'",
     "table bare has no column imge_path", "did you mean image_path?"),
    ("CONVERT USING clip1 AS SELECT a.* FROM bare a JOIN bare b USING (id)",
     "CONVERT", "there is none to store", "table_name"),
    ("CONVERT USING clip1 AS SELECT * FROM seen", "CONVERT", "does not read one table", "table_name"),
    ("CONVERT USING clip1 OPTIONS(task='caption') AS SELECT * FROM bare",
     "clip1", "the model clip1 writes no captions", "these do: words"),
    ("CONVERT USING words OPTIONS(task='embedding') AS SELECT * FROM bare",
     "words", "the model words makes no vectors of images", "these do: clip1, my_clip"),
    ("CONVERT USING words OPTIONS(text_col='id') AS SELECT * FROM bare",
     "words", "the model words makes no vectors of texts", "these do: clip1, my_clip, e5"),
    ("CONVERT USING words OPTIONS(task='captoin') AS SELECT * FROM bare",
     "'captoin'", "task is embedding or caption", "did you mean caption?"),
    ("CONVERT USING words OPTIONS(task='caption', convert_type='text') AS SELECT * FROM bare",
     "'caption'", "captions are of images, not of texts", "convert_type"),
    ("CONVERT USING e5 OPTIONS(text_col='captoin') AS SELECT * FROM told",
     "'captoin'", "table told has no column captoin", "did you mean caption?"),
    ("BUILD MODEL clip1 USING catalog AS SELECT 1", "clip1", "model clip1 exists", "overwrite"),
    ("BUILD MODEL clip1 USING catalog OPTIONS(overwrite=True) AS SELECT 1",
     "clip1", "is used by photo.clip1_clipen", "new name"),
    ("BUILD MODEL x USING catlog AS SELECT 1", "catlog", "there is no base catlog", "did you mean catalog?"),
    ("FIT MODEL x USING catalog AS SELECT 1", "catalog", "there is no model catalog", "clip1"),
    ("SELECT $a, $1", "$1", "$1 has no value here", "$name"),
    ("SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo WHERE id = $2", "$2", "$2 has no value here", "$name"),
    ("SELECT 1; SELECT 2", "S", "only one statement", "one after the other"),
    (f"{SEARCH}; {SEARCH}", "SEARCH", "only one statement", ""),
    (f"SELECT * FROM ({SEARCH}", "", "expected )", ""),
    ("", "", "there is no statement", ""),
)  # fmt: skip


@pytest.mark.parametrize(("statement", "underlined", "message", "hint"), WRONG)
def test_error(statement: str, underlined: str, message: str, hint: str) -> None:
    with pytest.raises(SyntaxNotUnderstood) as raised:
        plan_of(statement, text="a")
    error = raised.value
    assert error.sqlstate == "42601"
    assert error.statement == statement
    assert error.offset is not None
    assert statement[error.offset :].startswith(underlined)
    assert message in error.message
    assert hint in error.hint
    assert "\n" not in error.message + error.hint


def test_the_place_is_underlined_in_its_line() -> None:
    statement = "SEARCH IMAGE\n\ttext='밝은 빨간색' USIN clip1\nAS SELECT 1"
    with pytest.raises(SyntaxNotUnderstood) as raised:
        plan_of(statement)
    line, carets = raised.value.underlined().split("\n")
    assert line == "\ttext='밝은 빨간색' USIN clip1"
    assert carets == "\t" + " " * len("text='") + " " * 11 + " " * 2 + "^^^^"  # Hangul is two columns wide


def test_a_long_query_is_no_hazard() -> None:
    statement = "SEARCH IMAGE text='" + "x" * 200_000 + "' USING clip1 AS SELECT * FROM photo"
    plan_of(statement)
    with pytest.raises(SyntaxNotUnderstood):
        plan_of("(" * 10_000 + "SEARCH IMAGE text='a'")
