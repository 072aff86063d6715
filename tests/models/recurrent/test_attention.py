"""The boxes of DRAW: filters lie where they should, and read and write what they cover."""

import pytest
import torch

from pentimento.models.recurrent.attention import Box, box_from, filter_bank, read_patch, write_patch

SIDE = 12


def at(x, y, *, stride=1.0, width=0.05, intensity=1.0):
    return Box(*(torch.tensor([float(value)]) for value in (x, y, stride, width, intensity)))


@pytest.fixture
def image():
    return torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def test_every_filter_sums_to_one_and_lies_where_the_centre_says():
    centre, stride, width = torch.tensor([5.0, 6.3]), torch.tensor([1.5, 0.8]), torch.tensor([0.6, 0.9])
    filters = filter_bank(centre, stride, width, points=3, side=SIDE)
    assert torch.allclose(filters.sum(2), torch.ones(2, 3))
    found = (filters * torch.arange(SIDE)).sum(2)  # the mean pixel of each filter
    wanted = centre[:, None] + torch.tensor([-1.0, 0.0, 1.0]) * stride[:, None]
    assert torch.allclose(found, wanted, atol=1e-3)
    spread = ((filters * torch.arange(SIDE) ** 2).sum(2) - found**2).sqrt()
    assert torch.allclose(spread, width[:, None].expand(2, 3), atol=0.02)


def test_an_even_number_of_filters_has_the_centre_between_two():
    filters = filter_bank(torch.tensor([5.5]), torch.tensor([1.0]), torch.tensor([0.01]), points=2, side=SIDE)
    assert filters.argmax(2).tolist() == [[5, 6]]


@pytest.mark.parametrize("points", [2, 5])
def test_numbers_of_zero_are_a_grid_from_the_first_pixel_to_the_last(points):
    box = box_from(torch.zeros(1, 5), SIDE, points)
    assert box.x.item() == box.y.item() == pytest.approx((SIDE - 1) / 2)
    assert box.stride.item() * (points - 1) == pytest.approx(SIDE - 1)
    assert box.width.item() == box.intensity.item() == 1


def test_one_end_of_the_numbers_is_the_left_and_the_upper_edge():
    # The paper's centre runs from 1/2 beyond one edge to 1/2 beyond the other, as g runs from -1 to 1.
    box = box_from(torch.tensor([[-1.0, 1.0, 0.0, 0.0, 0.0]]), SIDE, 3)
    assert (box.x.item(), box.y.item()) == (-1.0, SIDE)


def test_a_box_over_the_whole_image_reads_the_image_itself(image):
    middle = (SIDE - 1) / 2
    assert torch.allclose(read_patch(image, at(middle, middle), SIDE), image)


def test_a_box_reads_the_pixels_under_it_column_by_x_and_row_by_y(image):
    patch = read_patch(image, at(4, 7, intensity=2), 3)
    assert torch.allclose(patch, 2 * image[:, :, 6:9, 3:6])


def test_what_is_written_lies_where_it_would_be_read():
    patch = torch.arange(9.0).reshape(1, 3, 3)
    written = write_patch(patch, at(4, 7, intensity=2), SIDE)
    wanted = torch.zeros(1, SIDE, SIDE)
    wanted[:, 6:9, 3:6] = patch / 2
    assert torch.allclose(written, wanted)


def test_images_of_one_row_are_read_through_the_same_box_and_each_row_through_its_own(image):
    images = torch.cat([image, 1 - image], dim=1)
    both = read_patch(images, at(5, 5, width=0.7), 4)
    assert torch.allclose(both[:, :1], read_patch(image, at(5, 5, width=0.7), 4))
    two = Box(*(torch.cat(pair) for pair in zip(at(5, 5), at(2, 8), strict=True)))
    rows = read_patch(image.expand(2, -1, -1, -1), two, 3)
    assert torch.allclose(rows[1:], read_patch(image, at(2, 8), 3))


@pytest.mark.parametrize("number", [-1e4, 1e4])
def test_the_wildest_numbers_give_a_finite_patch_and_gradient(image, number):
    numbers = torch.full((1, 5), number, requires_grad=True)
    box = box_from(numbers, SIDE, 3)
    patch = read_patch(image, box, 3)
    written = write_patch(patch[:, 0], box, SIDE)
    (patch.sum() + written.sum()).backward()
    assert patch.isfinite().all() and written.isfinite().all() and numbers.grad.isfinite().all()
