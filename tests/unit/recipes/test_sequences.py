"""Data sets that the recommender's benchmark reads from files."""

from pathlib import Path

import pytest

from benchmarks.recommender.sequences import interactions_csv


def _file(folder: Path, text: str) -> Path:
    path = folder / "bookings.csv"
    path.write_text(text)
    return path


def test_the_newest_interaction_of_each_user_is_to_be_predicted(tmp_path):
    rows = "007,b,20\n007,a,10\n9,a,5\n007,c,20\n"
    data = interactions_csv(_file(tmp_path, f"USER_ID,ITEM_ID,TIMESTAMP\n{rows}"))
    targets = dict(zip(data.log.user_ids, data.targets().tolist(), strict=True))
    assert data.name == "bookings"
    assert data.log.item_ids[targets["007"]] == "c"
    assert targets["9"] == -1
    remains = data.without_newest().log
    assert [data.log.item_ids[item] for item in remains.items] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("USER_ID,ITEM\n1,a\n", "lacks ITEM_ID, TIMESTAMP"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n1,a,1\n2,a,2\n", "no user with two interactions"),
    ],
)
def test_a_file_with_nothing_to_predict_is_refused(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        interactions_csv(_file(tmp_path, text))
