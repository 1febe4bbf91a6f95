"""Scripts without spaces, where a part of a text is told by its characters, not by its words."""

from __future__ import annotations

import re

__all__ = ["grams", "is_unspaced", "runs", "spaced", "starts"]

# A character of these says about as much as a short word.
_HEAVY = (
    "\u3005-\u3007\u3021-\u3029\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# Hiragana, Hangul: endings that every sentence has are written with them.
_LIGHT = "\u3041-\u309f\uac00-\ud7a3"
# Thai, Lao, Tibetan, Burmese, Khmer: letters.
_LETTERS = "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"

_RUN = re.compile(f"[{_HEAVY}{_LIGHT}]+|[{_LETTERS}]+")
_HEAVIES = re.compile(f"[{_HEAVY}]")
_HANGUL = re.compile("[\uac00-\ud7a3]{3,}")
_SIZES = {"heavy": (2, 4), "light": (4, 6), "letters": (5, 8)}


def is_unspaced(char: str) -> bool:
    r"""Tell whether `char` is of a script that puts no space, or endings only, after a word.

    Args:
        char: One character, or none.

    Example:
        >>> [is_unspaced(char) for char in ("\u6771", "\u0e01", "a", "3", "")]
        [True, True, False, False, False]
    """
    return _RUN.match(char) is not None


def runs(text: str) -> list[str]:
    """Give what of `text` is written in such scripts.

    Args:
        text: Any text.
    """
    return _RUN.findall(text)


def spaced(text: str) -> str:
    """Give what of `text` is written in other scripts.

    Args:
        text: Any text.
    """
    return _RUN.sub(" ", text)


def grams(text: str, *, short: bool) -> list[str]:
    r"""Give the parts of `text` in such scripts that another text has hardly by chance.

    Args:
        text: Any text.
        short: Whether they are sought in a short text: there, fewer characters tell.

    Example:
        >>> grams("\u6771\u4eac\u306f\u6674\u308c", short=True)
        ['\u6771\u4eac', '\u6771\u4eac\u306f\u6674', '\u4eac\u306f\u6674\u308c']
        >>> grams("\u6771\u4eac\u306f\u6674", short=False)
        ['\u6771\u4eac\u306f\u6674']
    """
    which = 0 if short else 1
    found: dict[str, None] = {}
    for run in runs(text):
        letters = re.match(f"[{_LETTERS}]", run)
        for kind in ("letters",) if letters else ("heavy", "light"):
            size = _SIZES[kind][which]
            for at in range(len(run) - size + 1):
                part = run[at : at + size]
                if kind != "heavy" or len(_HEAVIES.findall(part)) > 1:
                    found[part] = None
    return list(found)


def starts(text: str) -> list[str]:
    r"""Give the first two syllables of each longer word in Hangul: its end changes with its case.

    Args:
        text: Any text.

    Example:
        >>> starts("\ud30c\ub9ac\ub97c \ubcf8\ub2e4")
        ['\ud30c\ub9ac']
    """
    return [word[:2] for word in _HANGUL.findall(text)]
