"""Prepares a configuration and trains it to its end, in one call."""

from pentimento.training.families.table import prepare
from pentimento.training.loop import loop


def train(config, dataset, classifier, folder, *, device, precision, **options):
    training = prepare(config, dataset, classifier, device=device, precision=precision)
    return loop.train(training, folder, **options)
