"""The parts of adversarial nets against direct computations: normalisations, labels, minibatches."""

import pytest
import torch
import torch.nn.functional as F

from pentimento.models.adversarial.conditioning import ConditionalBatchNorm2d, scorer_norm, with_one_hot
from pentimento.models.adversarial.minibatch import MinibatchDiscrimination, ScorerHead


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def filled(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return module


def test_conditional_normalisation_by_the_batch():
    norm = filled(ConditionalBatchNorm2d(3, 4))
    x, label = 2 * torch.randn(5, 3, 6, 6) + 1, torch.tensor([0, 3, 3, 1, 0])
    y = norm(x, label)
    for channel in range(3):
        values = x[:, channel]
        scaled = (values - values.mean()) / (values.var(unbiased=False) + 1e-5).sqrt()
        for row in range(5):
            scale, shift = norm.weight[label[row], channel], norm.bias[label[row], channel]
            torch.testing.assert_close(y[row, channel], scaled[row] * scale + shift)


def test_conditional_normalisation_by_running_statistics():
    norm = filled(ConditionalBatchNorm2d(3, 4))
    norm.norm.running_mean.copy_(torch.randn(3))
    norm.norm.running_var.copy_(torch.rand(3) + 0.5)
    norm.eval()
    x, label = torch.randn(2, 3, 6, 6), torch.tensor([2, 1])
    mean, variance = norm.norm.running_mean[:, None, None], norm.norm.running_var[:, None, None]
    for row in range(2):
        scale, shift = norm.weight[label[row], :, None, None], norm.bias[label[row], :, None, None]
        expected = (x[row] - mean) / (variance + 1e-5).sqrt() * scale + shift
        torch.testing.assert_close(norm(x, label)[row], expected)


def test_without_classes_it_is_batch_normalisation():
    norm, plain = filled(ConditionalBatchNorm2d(3)), torch.nn.BatchNorm2d(3)
    with torch.no_grad():
        plain.weight.copy_(norm.norm.weight)
        plain.bias.copy_(norm.norm.bias)
    for training in (True, False):
        x = torch.randn(5, 3, 6, 6) + 1
        torch.testing.assert_close(norm.train(training)(x), plain.train(training)(x))


def test_layer_normalisation_is_over_channels_and_places_with_a_weight_per_channel():
    norm = filled(scorer_norm("layer", 3))
    x = 2 * torch.randn(5, 3, 6, 4) + 1
    weight, bias = (p[:, None, None].expand(3, 6, 4) for p in (norm.weight, norm.bias))
    torch.testing.assert_close(norm(x), F.layer_norm(x, (3, 6, 4), weight, bias))


def test_the_other_normalisations_of_a_scorer():
    x = 2 * torch.randn(5, 3, 6, 4) + 1
    assert torch.equal(scorer_norm("none", 3)(x), x)
    torch.testing.assert_close(scorer_norm("batch", 3)(x), torch.nn.BatchNorm2d(3)(x))


def test_one_hot_labels_next_to_latents_and_images():
    label = torch.tensor([2, 0])
    latent, image = torch.randn(2, 5), torch.rand(2, 1, 4, 3)
    assert torch.equal(with_one_hot(latent, label, 3), torch.cat([latent, F.one_hot(label, 3)], dim=1))
    planes = with_one_hot(image, label, 3)
    assert planes.shape == (2, 4, 4, 3)
    assert torch.equal(planes[:, :1], image)
    for row, plane in ((0, 2), (1, 0)):
        assert (planes[row, 1 + plane] == 1).all()
        assert planes[row, 1:].sum() == 4 * 3
    assert with_one_hot(latent, None, 0) is latent


@pytest.mark.parametrize("rows", [1, 2, 6])
def test_minibatch_discrimination_is_a_double_loop(rows):
    layer = filled(MinibatchDiscrimination(7, 3, 2))
    with torch.no_grad():
        layer.weight.mul_(0.2)  # so that nothing is too far away to count
    features = torch.randn(rows, 7)
    expected = layer.bias.expand(rows, 3).clone()
    for i in range(rows):
        for j in range(rows):
            if i != j:
                for b in range(3):
                    m_i, m_j = features[i] @ layer.weight[:, b], features[j] @ layer.weight[:, b]
                    expected[i, b] += torch.exp(-(m_i - m_j).abs().sum())
    torch.testing.assert_close(layer(features), expected)
    assert rows == 1 or (expected - layer.bias).max() > 0.05


def test_minibatch_discrimination_sees_a_generator_that_repeats_itself():
    layer = MinibatchDiscrimination(7, 3)
    repeated = layer(torch.randn(1, 7).expand(6, 7))
    torch.testing.assert_close(repeated, torch.full((6, 3), 5.0))
    assert layer(torch.randn(6, 7)).max() < 4


def test_the_head_is_linear_in_what_it_sees():
    head = filled(ScorerHead(7, class_count=4, minibatch_kernels=3))
    features = torch.randn(5, 7)
    judgement = head(features)
    seen = torch.cat([features, head.minibatch(features)], dim=1)
    torch.testing.assert_close(judgement.score, seen @ head.score.weight[0] + head.score.bias)
    torch.testing.assert_close(judgement.class_logits, features @ head.classes.weight.T + head.classes.bias)
    assert judgement.features is features


def test_classes_are_told_by_features_that_learn_from_it():
    features = torch.randn(5, 7, requires_grad=True)
    ScorerHead(7, class_count=4)(features).class_logits[:, 2].sum().backward()
    assert features.grad.abs().min() > 0


def test_the_head_may_do_without_classes_and_without_the_batch():
    judgement = ScorerHead(7)(torch.randn(5, 7))
    assert judgement.score.shape == (5,) and judgement.class_logits is None


def test_a_head_with_recurrent_discrimination_scores_the_rows_of_a_group_in_order():
    head = filled(ScorerHead(7, group_size=3))
    features = torch.randn(6, 7)
    score = head(features).score
    assert score.shape == (6,)
    other = features.clone()
    other[4] += 1  # the second of the second group
    after = head(other).score
    assert torch.equal(score[:4], after[:4]) and (score[4:] != after[4:]).all()
