from .checkpoints import CheckpointEachEpoch as CheckpointEachEpoch
from .checkpoints import restore_newest as restore_newest
from .progress import ProgressLines as ProgressLines
from .progress import phase_table as phase_table
from .release_rows import ReleaseRows as ReleaseRows
