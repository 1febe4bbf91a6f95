"""Pages of frameworks that are large: `make pages` installs them, and runs what is here."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("gradio") else ["test_*.py"]
