from tl_keras import data


def test_texts_without_labels_come_in_lines_or_in_a_table(tmp_path):
    (tmp_path / "target.txt").write_text("one film\n\nanother film\n", encoding="utf-8")
    (tmp_path / "target.csv").write_text("text,stars\none film,3\nanother film,4\n", encoding="utf-8")
    for name in ("target.txt", "target.csv"):
        records = data.find_target_texts(tmp_path / name, ("bad", "good"))
        assert records.sources == ["one film", "another film"] and records.labels.tolist() == [-1, -1]


def test_pairs_of_texts_without_labels_come_in_a_table(tmp_path):
    (tmp_path / "target.csv").write_text("text,answer\nwhy,so\nwho,he\n", encoding="utf-8")
    records = data.find_target_texts(tmp_path / "target.csv", ("no", "yes"), data.TableColumns(second_text="answer"))
    assert records.sources == [("why", "so"), ("who", "he")] and records.labels.tolist() == [-1, -1]


def test_texts_with_labels_have_those_of_the_source(tmp_path):
    (tmp_path / "target.csv").write_text("text,label\nfine,good\npoor,bad\n", encoding="utf-8")
    records = data.find_target_texts(tmp_path / "target.csv", ("bad", "good"))
    assert records.labels.tolist() == [1, 0]
