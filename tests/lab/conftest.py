import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from labs import open_lab  # noqa: F401
