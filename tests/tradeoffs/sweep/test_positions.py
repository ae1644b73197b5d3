from __future__ import annotations

from tfkit.tradeoffs.sweep.positions import Positions

TEXT = '''# a comment
title = """
[not a table]
key = "no key"
"""

[data]  # with a comment
name = 'digits'

[[model]]
name = "a"
width = [
    0.5,  # half
    1.0,
]
[[model]]
name = "b"

[training]
optimizer.name = "adam"
"quoted key" = { inline = 1, other = [1, 2] }
[[model.part]]
x = 1
[[model.part]]
x = 2
'''


def test_lines_of_keys_and_tables() -> None:
    positions = Positions(TEXT)
    expected = {
        ("title",): 2,
        ("data",): 7,
        ("data", "name"): 8,
        ("model", 0): 10,
        ("model", 0, "width"): 12,
        ("model", 1): 16,
        ("model", 1, "name"): 17,
        ("training",): 19,
        ("training", "optimizer", "name"): 20,
        ("training", "quoted key"): 21,
        ("model", 1, "part", 0, "x"): 23,
        ("model", 1, "part", 1): 24,
        ("model", 1, "part", 1, "x"): 25,
    }
    assert {path: positions.line(path) for path in expected} == expected
    # The same by looking for the words: each line starts with what its path ends with.
    lines = TEXT.splitlines()
    for path, line in expected.items():
        word = str(next(part for part in reversed(path) if isinstance(part, str)))
        assert word in lines[line - 1]


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    positions = Positions(TEXT)
    assert positions.line(("model", 1, "width")) == 16
    assert positions.line(("nothing",)) == 1


def test_line_ends_of_windows() -> None:
    assert Positions(TEXT.replace("\n", "\r\n")).line(("model", 1, "name")) == 17


def test_a_statement_of_many_lines_takes_no_time() -> None:
    text = "x = [\n" + "1,\n" * 100_000 + "]\n[data]\nname = 'digits'\n"
    assert Positions(text).line(("data", "name")) == 1  # given up: messages name the first line then
