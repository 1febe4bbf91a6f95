"""What counts as a quotation of an answer's sentences, and what any two texts have in common."""

from __future__ import annotations

from time import process_time

import pytest

from aquila_cassette.cli.rerecord.quoting import quoted
from aquila_cassette.model import Request, Response
from tests.cli.rerecord.asking import NOTHING, chat, followed, refused, says

PYTHON = (
    "Python is a high-level language. It is known for readable syntax and a huge ecosystem. Let's "
    "go step by step. For example, you can use it on servers. The difference between Python and "
    "compiled languages is that code runs line by line. It was created in 1991 by Guido van "
    "Rossum, and today there are more than 10 million users."
)
NOW = "A programming language with clean syntax, released by Guido van Rossum in 1991."
STARS = "I give it {} stars because of the plot and the cast, which is fine"
SCORE = "The text is rather good and well written, I like it. Score: {}/9 overall"
OPTION = "After long thought I would choose option {} as it is cheapest overall"
TICKET = "I think this ticket belongs into the category {} because the customer speaks of it"


def tape_of(first: str, answer: str, prompt: str) -> list[tuple[Request, Response]]:
    return [(chat(first), says(answer)), (chat(first, answer, prompt), NOTHING)]


@pytest.mark.parametrize(
    ("answer", "now", "prompt"),
    [
        (PYTHON, NOW, "Explain it step by step."),
        (PYTHON, NOW, "What is the difference between it and Java?"),
        (PYTHON, NOW, "Give me 10 more facts."),
        ("It's sunny in Lund today.", "Sunny, 18 degrees.", "Do I need an umbrella today?"),
        ("Hi! I'm ready to assist.", "Hello! What can I do?", "I'm looking for a recipe."),
        ("Sure, happy to help!", "Of course, go ahead.", "I am not happy with my code."),
        ("Stockholm is the capital city.", "Stockholm", "How big is the city?"),
        ("OK, I will remember that.", "Got it, noted!", "What do you remember?"),
        ("Don\u2019t worry!", "Never mind.", "I don't get it."),
    ],
)
def test_words_of_any_talk_are_no_quotation(answer: str, now: str, prompt: str) -> None:
    tape = tape_of("What is Python?", answer, prompt)
    assert followed(*tape, new=[says(now)]) == chat("What is Python?", now, prompt)


@pytest.mark.parametrize(
    ("answer", "now", "prompt", "part"),
    [
        (STARS.format(4), STARS.format(2), "Why did you give 4 stars?", "4 stars"),
        (STARS.format(4), STARS.format(2), "Why not more than 4?", "4"),
        (SCORE.format(7), SCORE.format(2), "Score was 7 or so", "Score 7"),
        (OPTION.format("C"), OPTION.format("D"), "Why not C?", "C"),
        (OPTION.format("A"), OPTION.format("D"), "Why not A?", "A"),
        (OPTION.format("C"), OPTION.format("D"), "Option C is fine", "Option C"),
        (PYTHON, NOW, "Who are these 10 million?", "10"),
        ("You get 10.", "You get 12.", "Give me 10 more", "10"),
        ("It is of all the beasts the whale that I like best, by far", "The shark, as ever",
         "Draw the whale that I like", "the whale that i like"),
        ("One of us, they say, goes by the name of Happy in town", "It is Joy.",
         "So who is Happy?", "Happy"),
    ],
)  # fmt: skip
def test_a_part_of_a_longer_answer_is_a_quotation(
    answer: str, now: str, prompt: str, part: str
) -> None:
    tape = tape_of("a", answer, prompt)
    assert f"  quoted: {part!r} in" in refused(*tape, new=[says(now)])
    assert followed(*tape, new=[says(answer)]) == chat("a", answer, prompt)
    # What was there before the answer is not from it.
    tape = tape_of(prompt, answer, prompt)
    assert followed(*tape, new=[says(now)]) == chat(prompt, now, prompt)


@pytest.mark.parametrize(
    ("answer", "prompt"),
    [
        ("These are they:\n1. Wash it well and often\n2. Cook it\n3. Eat it up", "Give me 3."),
        (STARS.format(4), "Name 4 plays."),
        (STARS.format(4), "Rate it from 1 to 4."),
        (OPTION.format("C"), "C is what I like"),
        ("A whale, I would say, is the largest of all that live", "A shark is small"),
    ],
)
def test_a_digit_or_letter_that_only_counts_or_begins_is_no_quotation(
    answer: str, prompt: str
) -> None:
    assert quoted(prompt, [answer], known=["a"], said_now=["No."]) is None


@pytest.mark.parametrize(
    ("first", "old", "new"),
    [
        ("Is it billing, technical or sales?", "billing", "technical"),
        ("Category: billing/technical/other", "billing", "technical"),
        ("One of:\n- billing\n- technical\nReason first.", "billing", "technical"),
        ('One of "billing", "technical help", "sales"', "technical help", "sales"),
    ],
)
def test_a_choice_among_what_was_offered_is_a_quotation_however_long_the_answer(
    first: str, old: str, new: str
) -> None:
    answer, now, prompt = TICKET.format(old), TICKET.format(new), f"Reply to this {old} one."
    tape = tape_of(first, answer, prompt)
    assert f"  quoted: {old!r} in" in refused(*tape, new=[says(now)])
    assert followed(*tape, new=[says(answer)]) == chat(first, answer, prompt)


@pytest.mark.parametrize(
    ("new", "prompt"),
    [
        (TICKET.format("technical"), "Now is this one billing or technical?"),
        ("I cannot tell in which category this ticket is", "Reply to this billing one."),
        (TICKET.format("billing, not technical,"), "Reply to this billing one."),
    ],
)
def test_a_choice_is_none_where_it_is_offered_again_or_no_other_is_made(
    new: str, prompt: str
) -> None:
    first = "Is it billing, technical or sales?"
    assert quoted(prompt, [TICKET.format("billing")], known=[first], said_now=[new]) is None


def test_a_letter_that_was_offered_is_a_quotation_if_another_is_chosen_now() -> None:
    old, new = OPTION.format("C"), OPTION.format("D")
    for prompt in ("Why not C?", "Explain option C to me"):
        assert quoted(prompt, [old], known=["Take option C or option D."], said_now=[new])


def test_long_answers_are_sought_through_in_no_time() -> None:
    answers = [
        "".join(f"Item {n * turn} of the blue whale {turn}{n}x is {n % 10}. " for n in range(6000))
        for turn in range(1, 5)
    ]
    start = process_time()
    for answer in answers:
        quoted("Go on, tell me of that 3 times", [answer], known=["a"], said_now=["No."])
    assert process_time() - start < 5
