from pathlib import Path

from localcloud.personalize.operations_table import operations_page

PAGE = Path(__file__).parents[3] / "docs" / "personalize-operations.md"


def test_the_documented_table_of_operations_is_that_of_the_code():
    assert PAGE.read_text() == operations_page(), (
        "run: python -m localcloud.personalize.operations_table > docs/personalize-operations.md"
    )
