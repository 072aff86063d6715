"""Which class a prompt means, where names are numbers, differ in case only, or are many."""

from types import SimpleNamespace

import pytest

from pentimento.bundle.manifest import Labels
from pentimento.service.errors import PentimentoError
from pentimento.service.http.openai.prompts import prompt_class


def bundle(*names):
    return SimpleNamespace(name="some", labels=Labels(names=names) if names else None)


@pytest.mark.parametrize(
    ("names", "prompt", "found"),
    [
        (("cat", "dog"), "dog", 1),
        (("cat", "dog"), "DOG\n", 1),
        (("cat", "dog"), "1", 1),
        (("cat", "Cat"), "Cat", 1),  # exactly, before without case
        (("Straße", "Weg"), "STRASSE", 0),
        (("5", "6", "7"), "6", 1),  # a name, not a number of one
        ((), "  ", None),
    ],
)
def test_it_means(names, prompt, found):
    assert prompt_class(bundle(*names), prompt) == found


@pytest.mark.parametrize(
    ("names", "prompt", "sentence"),
    [
        (("cat", "dog"), "2", "one of the 2 classes of model 'some' (cat, dog) or its number, 0..1, got '2'"),
        (("5", "6", "7"), "2", "one of the 3 classes of model 'some' (5, 6, 7), got '2'"),
        (("cat", "dog"), "a dog", "got 'a dog'"),
        (("cat", "dog"), "", "got ''"),
        (("cat", "dog"), "9" * 5000, "9..."),
        (("cat", "dog"), "²", "got '²'"),  # a digit that is no decimal one
        (tuple(f"c{i}" for i in range(1000)), "x", "(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ...)"),
        ((), "a cat", "must be empty: model 'some' draws one kind of picture and reads no text, got 'a cat'"),
    ],
)
def test_it_means_nothing(names, prompt, sentence):
    with pytest.raises(PentimentoError) as caught:
        prompt_class(bundle(*names), prompt)
    assert caught.value.field == "prompt" and sentence in caught.value.message
    assert len(caught.value.message) < 400
