from tl_keras.studies.markdown import format_table


def test_columns_are_as_wide_as_their_widest_cell():
    assert format_table([["a", "bcd"], ["long", "e"]]) == ["| a    | bcd |", "|------|-----|", "| long | e   |"]
