"""Naming the users to forget."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import OperatorError
from ops.forget import named_users


def test_users_of_the_command_line_and_the_file_are_named_once(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("u2\n\n u1 \n")
    assert named_users(["u1", "u3"], file) == ["u1", "u2", "u3"]


def test_naming_nobody_is_refused_with_what_to_give() -> None:
    with pytest.raises(OperatorError, match="--file with one a line"):
        named_users([" "], None)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"none\.txt"):
        named_users([], tmp_path / "none.txt")
