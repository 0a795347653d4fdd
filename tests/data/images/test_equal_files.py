from tl_keras.data.images.equal_files import group_equal_files


def test_equal_files_share_a_number(tmp_path):
    contents = {"a": b"one", "b": b"two", "c": b"one", "d": b"longer", "e": b"one"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    sources = [str(tmp_path / name) for name in contents]
    assert group_equal_files(sources) == [0, 1, 0, 3, 0]
    assert group_equal_files([*contents.values(), sources[1]]) == [0, 1, 0, 3, 0, 1]


def test_missing_files_and_folders_have_no_duplicates(tmp_path):
    assert group_equal_files([str(tmp_path / "x"), str(tmp_path), str(tmp_path / "x")]) == [0, 1, 2]
    assert group_equal_files([]) == []
