"""Plot of a comparison of backbones: their loss over their time, and the loss of each block of the best."""

from tl_keras.evaluation.figures import BLUE, ORANGE, saved_figure


def plot_backbones(backbones, blocks, path):
    """Draws the loss of backbones over their time, and that of heads on each block of one of them.

    Args:
        backbones: list of (name, milliseconds, loss, standard error), the best first.
        blocks: list of (name, loss, standard error), input side first, of the best backbone.
        path: the PNG file to write.
    """
    with saved_figure(path, 8.2, 3.4) as figure:
        left, right = figure.subplots(1, 2)
        for number, (name, milliseconds, loss, error) in enumerate(backbones):
            color = BLUE if number else ORANGE
            left.errorbar(milliseconds, loss, error, color=color, marker="o", capsize=3)
            # Upright, because backbones of one family take nearly the same time.
            left.annotate(
                name, (milliseconds, loss), (6, 0), textcoords="offset points", fontsize=8, va="center", rotation=90
            )
        left.set_title("Heads on frozen features")
        left.set_xlabel("CPU milliseconds an example")
        left.set_ylabel("log-loss of held-out examples")
        left.margins(x=0.35)
        names, losses, errors = zip(*blocks, strict=True)
        right.errorbar(range(len(blocks)), losses, errors, color=BLUE, marker="o", capsize=3)
        right.set_xticks(range(len(blocks)), names, rotation=45, ha="right")
        right.set_title(f"Blocks of {backbones[0][0]}")
        for axes in (left, right):
            axes.grid(axis="y")
