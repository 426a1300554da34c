"""Makes the slow and the naive twins in the folder above importable, whichever tests are run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
