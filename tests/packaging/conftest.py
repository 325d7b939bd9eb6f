"""What the tests of packaging and of the look at a deployment share."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "infra"))
