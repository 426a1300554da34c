import sys
from pathlib import Path

from hypothesis import settings

# A busy machine is no failure: what is tested is never the wall clock.
settings.register_profile("no-clock", deadline=None)
settings.load_profile("no-clock")

sys.path.insert(0, str(Path(__file__).parent / "benches"))
sys.path.insert(0, str(Path(__file__).parent / "correlate"))
