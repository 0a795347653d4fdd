from .audit import FreezeAudit as FreezeAudit
from .audit import FreezeViolation as FreezeViolation
from .freezing import block_names as block_names
from .freezing import freeze_to as freeze_to
from .plan import plan_phases as plan_phases
from .staged_adamw import StagedAdamW as StagedAdamW
from .unfreezing import ProgressiveUnfreezing as ProgressiveUnfreezing
