"""The chat of docs/live.md, which the tests here prove."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "live.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

_scope: dict[str, Any] = {"__name__": __name__}
exec(EXAMPLES[0], _scope)
ChatLive: Any = _scope["ChatLive"]
