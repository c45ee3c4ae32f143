"""Makes LocalStack 4.13.1 importable on every Python that it names: run by the venv's own Python, after the installation.

One module writes `Lock | None` in annotations, which before Python 3.13 is an error when it is evaluated: there `Lock` is a
function. With annotations that nobody evaluates it works everywhere.
"""

import importlib.util
from pathlib import Path

LINE = "from __future__ import annotations\n"

package = importlib.util.find_spec("localstack")
assert package is not None and package.submodule_search_locations is not None
module = Path(next(iter(package.submodule_search_locations))) / "packages" / "api.py"
source = module.read_text()
if not source.startswith(LINE):
    module.write_text(LINE + source)
