import pytest

from tl_keras.errors import InputError
from tl_keras.studies.result_tables import refuse_filled


def test_a_table_that_a_person_has_filled_is_not_replaced(tmp_path):
    path = tmp_path / "label_check.csv"
    refuse_filled(path, "decision", "give it as --apply")
    for content in ("name,decision\n", "name,decision\na,\n", "name,label\na,b\n"):
        path.write_text(content)
        refuse_filled(path, "decision", "give it as --apply")
    path.write_text("name,decision\na,\nb,drop\n")
    with pytest.raises(InputError, match="its column decision is filled: give it as --apply, or give --output a new"):
        refuse_filled(path, "decision", "give it as --apply")
