"""Texts of which some take two windows, for a tiny encoder."""

from tests.tasks.task_cases import write_texts


def write_long_texts(folder):
    """Writes a table and an encoder, and returns the flags of a run with recipe auto that splits texts into windows."""
    flags = write_texts(folder)
    table = folder / "films.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    longer = [line.replace("a ", "a very very very very very long ") if "!!" in line else line for line in lines]
    table.write_text("\n".join(longer), encoding="utf-8")
    windows = ["--text.windows", "2", "--text.max_tokens", "8"]
    return [*flags[: flags.index("--phases")], "--task", "text_classification", *windows]
