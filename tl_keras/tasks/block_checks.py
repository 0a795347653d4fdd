"""Checks of the blocks that a configuration names, before a model is built."""

from tl_keras.errors import UnusedSetting, unknown_name


def check_blocks(config, blocks):
    """Refuses blocks that the model does not have.

    Args:
        config: `RunConfig`.
        blocks: names of the model's blocks, the head last.

    Raises:
        UnusedSetting: names the block and the nearest one.
    """
    if config.unfreeze_from not in (None, "all", *blocks[:-1]):
        error = unknown_name("unfreeze_from", config.unfreeze_from, [*blocks[:-1], "all"])
        raise UnusedSetting(str(error), "unfreeze_from")
    for phase in config.phases or ():
        for name in [phase.train] if isinstance(phase.train, str) else phase.train:
            if name not in (*blocks, "all") and not name.startswith("regex:"):
                raise UnusedSetting(str(unknown_name("block", name, [*blocks, "all"])), "phases")
