"""Words that any text may have: they tell nothing of where a text comes from."""

from __future__ import annotations

__all__ = ["is_common"]

_COMMON = frozenset({
    "a", "about", "above", "after", "again", "against", "all", "almost", "along", "already", "also",
    "although", "always", "am", "among", "an", "and", "another", "any", "anyone", "anything", "are",
    "around", "as", "ask", "asked", "at", "away", "back", "be", "because", "been", "before",
    "being", "below", "best", "better", "between", "both", "but", "by", "can", "come", "could",
    "did", "do", "does", "doing", "done", "down", "each", "either", "else", "enough", "even",
    "ever", "every", "few", "find", "first", "for", "from", "further", "get", "give", "given", "go",
    "going", "good", "got", "great", "had", "has", "have", "having", "he", "hello", "help", "her",
    "here", "him", "his", "how", "however", "i", "if", "in", "instead", "into", "is", "it", "its",
    "itself", "just", "keep", "know", "last", "later", "least", "less", "let", "like", "list",
    "little", "look", "made", "make", "many", "may", "maybe", "me", "mean", "means", "might",
    "more", "most", "much", "must", "my", "name", "need", "never", "new", "next", "no", "not",
    "nothing", "now", "of", "off", "often", "okay", "on", "once", "one", "only", "or", "other",
    "others", "our", "out", "over", "own", "part", "per", "perhaps", "please", "put", "question",
    "quite", "rather", "really", "right", "said", "same", "say", "says", "see", "seem", "should",
    "show", "since", "so", "some", "someone", "something", "soon", "still", "such", "sure", "take",
    "tell", "than", "thank", "thanks", "that", "the", "their", "them", "then", "there", "these",
    "they", "thing", "things", "think", "this", "those", "though", "through", "time", "to",
    "together", "too", "try", "under", "until", "up", "upon", "us", "use", "used", "using", "very",
    "want", "was", "way", "we", "well", "were", "what", "when", "where", "whether", "which",
    "while", "who", "whole", "whom", "whose", "why", "will", "with", "within", "without", "word",
    "words", "would", "write", "yet", "you", "your", "yours",
})  # fmt: skip


def is_common(word: str) -> bool:
    """Tell whether `word` is an English word that any text may have, or one small letter.

    Args:
        word: In any case.

    Example:
        >>> [is_common(word) for word in ("The", "a", "A", "whale", "7")]
        [True, True, False, False, False]
    """
    if len(word) == 1:
        return word == "I" or (word.isascii() and word.islower())
    return word.lower() in _COMMON
