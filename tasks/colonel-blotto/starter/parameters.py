"""Writes the baseline with other hyperparameters: `GYMBOARD_HP_LEAST=15 python parameters.py strategy.py`.

Each GYMBOARD_HP_<NAME> of the environment replaces the number that baseline.py gives <NAME>; the others stay.
"""

import os
import re
import sys
from pathlib import Path

text = Path("baseline.py").read_text()
for variable, value in os.environ.items():
    name = variable.removeprefix("GYMBOARD_HP_")
    if name != variable:
        text, found = re.subn(rf"^{re.escape(name)} = \S+", f"{name} = {float(value):g}", text, flags=re.MULTILINE)
        if not found:
            sys.exit(f"baseline.py has no {name}")
Path(sys.argv[1]).write_text(text)
