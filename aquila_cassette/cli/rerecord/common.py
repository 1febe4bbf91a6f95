"""Words that any text may have: they tell little or nothing of where a text comes from."""

from __future__ import annotations

__all__ = ["is_common", "is_everyday"]

_COMMON = frozenset({
    "a", "about", "above", "after", "again", "against", "ain't", "all", "almost", "along",
    "already", "also", "although", "always", "am", "among", "an", "and", "another", "any",
    "anyone", "anything", "are", "around", "as", "ask", "asked", "at", "away", "back", "be",
    "because", "been", "before", "being", "below", "best", "better", "between", "both", "but",
    "by", "can", "cannot", "come", "could", "did", "do", "does", "doing", "done", "down", "each",
    "either", "else", "enough", "even", "ever", "every", "few", "find", "first", "for", "from",
    "further", "get", "give", "given", "go", "going", "good", "got", "great", "had", "has", "have",
    "having", "he", "hello", "help", "her", "here", "him", "his", "how", "however", "i", "if",
    "in", "instead", "into", "is", "it", "its", "itself", "just", "keep", "know", "last", "later",
    "least", "less", "let", "let's", "like", "list", "little", "look", "made", "make", "many",
    "may", "maybe", "me", "mean", "means", "might", "more", "most", "much", "must", "my", "name",
    "need", "never", "new", "next", "no", "not", "nothing", "now", "of", "off", "often", "ok",
    "okay", "on", "once", "one", "only", "or", "other", "others", "our", "out", "over", "own",
    "part", "per", "perhaps", "please", "put", "question", "quite", "rather", "really", "right",
    "said", "same", "say", "says", "see", "seem", "shan't", "should", "show", "since", "so",
    "some", "someone", "something", "soon", "still", "such", "sure", "take", "tell", "than",
    "thank", "thanks", "that", "the", "their", "them", "then", "there", "these", "they", "thing",
    "things", "think", "this", "those", "though", "through", "time", "to", "together", "too",
    "try", "under", "until", "up", "upon", "us", "use", "used", "using", "very", "want", "was",
    "way", "we", "well", "were", "what", "when", "where", "whether", "which", "while", "who",
    "whole", "whom", "whose", "why", "will", "with", "within", "without", "won't", "word", "words",
    "would", "write", "yet", "you", "your", "yours",
})  # fmt: skip

# What any talk may have, whatever it is about.
_EVERYDAY = frozenset({
    "able", "absolutely", "according", "across", "actual", "actually", "add", "added", "adding",
    "additional", "afternoon", "age", "ago", "agree", "allow", "alright", "amount", "answer",
    "answered", "answers", "anymore", "anytime", "anyway", "apart", "appreciate", "approach",
    "area", "aside", "assist", "assistance", "assistant", "available", "avoid", "aware", "basic",
    "basically", "basics", "became", "become", "becomes", "began", "begin", "beginner",
    "beginners", "beginning", "begins", "behind", "believe", "besides", "big", "bit", "brief",
    "briefly", "bring", "build", "building", "built", "call", "called", "calls", "care", "case",
    "cases", "cause", "certain", "certainly", "change", "changed", "changes", "check", "child",
    "children", "choice", "choices", "cities", "city", "clearly", "code", "comes", "coming",
    "common", "completely", "consider", "contain", "contains", "continue", "conversation",
    "correctly", "couple", "course", "create", "created", "creating", "curious", "current",
    "currently", "daily", "day", "days", "deal", "decide", "depending", "depends", "describe",
    "described", "description", "despite", "detail", "detailed", "details", "differ", "difference",
    "differences", "different", "differently", "directly", "discuss", "discussed", "easily",
    "effect", "end", "ending", "ends", "english", "enjoy", "ensure", "entire", "especially", "etc",
    "evening", "everybody", "everyone", "everything", "everywhere", "exactly", "example",
    "examples", "exist", "exists", "expect", "explain", "explained", "explains", "explanation",
    "extra", "eye", "eyes", "fact", "facts", "fairly", "family", "far", "feel", "feels", "felt",
    "file", "files", "fine", "finish", "follow", "following", "follows", "forget", "forward",
    "found", "full", "fully", "fun", "function", "generally", "gets", "getting", "gives", "giving",
    "glad", "gladly", "goal", "goes", "gone", "hand", "happen", "happened", "happens", "happy",
    "hear", "heard", "helped", "helpful", "helping", "helps", "hey", "hi", "hope", "hour", "hours",
    "house", "idea", "ideas", "imagine", "improve", "include", "included", "includes", "including",
    "indeed", "info", "information", "inside", "interested", "interesting", "item", "items", "job",
    "join", "keeps", "kept", "key", "kind", "kinds", "knew", "known", "knows", "language",
    "languages", "lead", "learn", "learned", "learning", "leave", "length", "letter", "letters",
    "level", "life", "likely", "likes", "line", "lines", "listed", "lists", "live", "lives",
    "living", "long", "longer", "looked", "looking", "looks", "lot", "lots", "love", "main",
    "mainly", "major", "makes", "making", "manage", "manner", "matter", "meaning", "meant", "meet",
    "mention", "mentioned", "message", "messages", "mind", "minute", "minutes", "moment", "money",
    "month", "months", "morning", "mostly", "myself", "names", "near", "nearly", "necessary",
    "needed", "needs", "night", "none", "normally", "note", "notes", "nowadays", "number",
    "numbers", "obviously", "offer", "offers", "older", "option", "options", "otherwise",
    "ourselves", "outside", "overall", "page", "pages", "paragraph", "particularly", "parts",
    "past", "people", "person", "piece", "pieces", "place", "places", "plan", "play", "point",
    "points", "possible", "possibly", "practice", "prefer", "present", "previous", "probably",
    "problem", "problems", "process", "program", "programs", "project", "projects", "proper",
    "properly", "provide", "provided", "provides", "questions", "quick", "quickly", "read",
    "reader", "reading", "reads", "ready", "real", "reason", "reasons", "recent", "recently",
    "recommend", "related", "remain", "remember", "reply", "request", "required", "requires",
    "response", "rest", "result", "results", "rule", "rules", "run", "running", "runs", "saying",
    "school", "seconds", "section", "seems", "seen", "sense", "sent", "sentence", "sentences",
    "set", "sets", "several", "shall", "share", "short", "shorter", "shortly", "showed", "showing",
    "shown", "shows", "side", "similar", "simply", "single", "situation", "size", "slightly",
    "solution", "solutions", "somebody", "sometimes", "somewhat", "somewhere", "sort", "sorts",
    "sound", "sounds", "speak", "specific", "start", "started", "starting", "starts", "state",
    "stay", "step", "steps", "stories", "story", "stuff", "suggest", "suggestion", "suggestions",
    "summarise", "summarize", "summary", "suppose", "system", "taken", "takes", "taking", "talk",
    "talking", "task", "tasks", "term", "terms", "text", "texts", "therefore", "thought",
    "thoughts", "throughout", "thus", "times", "tip", "tips", "title", "today", "told", "tomorrow",
    "tonight", "topic", "topics", "total", "totally", "toward", "towards", "tries", "turn",
    "turns", "twice", "type", "types", "typical", "typically", "understand", "understanding",
    "unless", "unlike", "useful", "user", "users", "uses", "usual", "usually", "value", "values",
    "various", "version", "versions", "via", "visit", "walk", "walks", "wanted", "wants", "watch",
    "ways", "week", "weeks", "welcome", "went", "whatever", "whenever", "wherever", "whichever",
    "whoever", "wide", "wish", "wonder", "wonderful", "wondering", "work", "worked", "working",
    "works", "worry", "worth", "writes", "writing", "written", "wrote", "year", "years",
    "yesterday", "yourself",
})  # fmt: skip

_ENDINGS = frozenset({"m", "s", "re", "ve", "ll", "d", "t"})  # I'm, it's, don't


def is_common(word: str) -> bool:
    r"""Tell whether `word` is an English word that any text may have, or one small letter.

    Args:
        word: In any case.

    Example:
        >>> [is_common(word) for word in ("The", "a", "A", "whale", "7")]
        [True, True, False, False, False]
        >>> [is_common(word) for word in ("I'm", "don\u2019t", "whale's")]
        [True, True, False]
    """
    if len(word) == 1:
        return word == "I" or (word.isascii() and word.islower())
    low = word.lower()
    if low in _COMMON:
        return True
    stem, _, end = low.replace("\u2019", "'").partition("'")
    return end in _ENDINGS and (stem in _COMMON or (end == "t" and stem[:-1] in _COMMON))


def is_everyday(word: str) -> bool:
    """Tell whether `word` is common, or one that people often say to a model.

    Args:
        word: In any case.

    Example:
        >>> [is_everyday(word) for word in ("The", "example", "Today", "whale")]
        [True, True, True, False]
    """
    return word.lower() in _EVERYDAY or is_common(word)
