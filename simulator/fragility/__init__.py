"""Which assumptions does the verdict hang on, and how far may each be off before it turns?"""

from .study import BY as BY
from .study import End as End
from .study import Fragility as Fragility
from .study import Swing as Swing
from .study import Turn as Turn
from .study import fragility as fragility
from .study import parse_by as parse_by
