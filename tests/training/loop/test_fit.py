"""What becomes of odd pictures is part of a training's configuration."""

from dataclasses import replace

import pytest

from pentimento.training.families.table import recipe


def test_fit_survives_a_checkpoint_and_older_ones_cropped():
    config = replace(recipe("dcgan-colour"), fit="resize")
    values = config.to_json()
    assert type(config).from_json(values) == config
    del values["fit"]
    assert type(config).from_json(values).fit == "crop"


def test_another_fit_is_refused():
    with pytest.raises(ValueError, match="fit must be one of exact, resize, crop, got 'stretch'"):
        replace(recipe("dcgan-mnist"), fit="stretch")
