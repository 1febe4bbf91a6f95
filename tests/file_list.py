"""Write the list of files in CONTRIBUTING.md: ``python -m tests.file_list`` (``make files``)."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "aquila_cassette"
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- files: make files -->", "<!-- end of files -->"


def summary(path: Path) -> str:
    """Return the first line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.partition("\n")[0]


def file_list() -> str:
    """Return a section for each folder of the package, with one line for each file."""
    folders = [PACKAGE, *sorted(path.parent for path in PACKAGE.rglob("__init__.py"))[1:]]
    sections = []
    for folder in folders:
        files = sorted(
            folder.glob("*.py"), key=lambda path: (path.name != "__init__.py", path.name)
        )
        name = folder.relative_to(ROOT).as_posix()
        lines = [f"- `{path.name}`: {summary(path)}" for path in files]
        sections.append("\n".join([f"**`{name}/`**", "", *lines]))
    return "\n\n".join(sections)


def page(text: str) -> str:
    """Return the text of CONTRIBUTING.md with the current list."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{file_list()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
