"""Reading of ZIP members that state a wrong size or are compressed to fill the memory."""

MAX_COMPRESSION_RATIO = 20


def member_bytes(archive, name, budget=None):
    """Reads a member of a ZIP file and verifies its checksum.

    Args:
        archive: `zipfile.ZipFile`.
        name: name of the member.
        budget: `Budget` that its bytes are counted in; None counts nothing.

    Returns:
        bytes.

    Raises:
        KeyError: the member does not exist.
        ValueError: its compression ratio exceeds `MAX_COMPRESSION_RATIO`.
        zipfile.BadZipFile: it is damaged.
    """
    info = archive.getinfo(name)
    check_growth(info)
    if budget:
        budget.read(info.file_size)
    # Without a number of bytes, zipfile decompresses up to 2 GiB at once, whatever size the archive states.
    with archive.open(info) as member:
        return member.read(info.file_size + 1)


def check_growth(info):
    """Checks the compression ratio of a member; Keras itself does not compress.

    Args:
        info: `zipfile.ZipInfo`.

    Raises:
        ValueError: the ratio exceeds `MAX_COMPRESSION_RATIO`.
    """
    if info.file_size > MAX_COMPRESSION_RATIO * max(info.compress_size, 1):
        raise ValueError(f"{info.filename} has a suspicious compression ratio")
