"""Distorts and shrinks images on the device they are on."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from omnishot.data.affine import SHIFT_SIDE

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
"""Of red, green and blue over ImageNet, in [0, 1]."""


def affine_matrices(parameters: Tensor) -> Tensor:
    """Return what `render` takes for distortions, shape (n, 7), given as in `omnishot.data.affine`.

    The result, shape (n, 2, 3), says where each output point takes its ink from: the inverse of "scale, shear, rotate,
    shift" in coordinates that run from -1 to 1.
    """
    rotation, shear_x, shear_y, scale_x, scale_y, shift_x, shift_y = parameters.unbind(1)
    angle = rotation * (math.pi / 180)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    # Rows of the forward map; y points down, so a counter-clockwise turn has its sines swapped.
    xx, xy = (cosine + sine * shear_y) * scale_x, (cosine * shear_x + sine) * scale_y
    yx, yy = (cosine * shear_y - sine) * scale_x, (cosine - sine * shear_x) * scale_y
    determinant = xx * yy - xy * yx
    inverse = torch.stack([yy, -xy, -yx, xx], dim=1).div(determinant[:, None]).view(-1, 2, 2)
    shift = torch.stack([shift_x, shift_y], dim=1).mul(2 / SHIFT_SIDE)[:, :, None]
    return torch.cat([inverse, -inverse @ shift], dim=2)


def shrink(pixels: Tensor, side: int) -> Tensor:
    """Return images as the networks take them: mean ink of each block of pixels.

    Pixels have the shape (n, h, h), uint8, ink 255 on 0, where h is a multiple of `side`; the result has the shape (n,
    1, side, side), float32 in [0, 1].
    """
    return F.avg_pool2d(pixels.float().div_(255).unsqueeze(1), pixels.shape[-1] // side)


def normalize(pixels: Tensor, side: int) -> Tensor:
    """Return images as a network takes them that knows ImageNet, shape (n, 3, side, side).

    Pixels are photographs, shape (n, h, h, 1 or 3), or drawings, (n, h, h), which appear black on white; uint8 both.
    """
    images = (255 - pixels)[..., None] if pixels.ndim == 3 else pixels
    images = images.permute(0, 3, 1, 2).float().div_(255).expand(-1, 3, -1, -1)
    if images.shape[-1] != side:
        images = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    mean, deviation = (images.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_DEVIATION))
    return (images - mean) / deviation


def render(pixels: Tensor, matrices: Tensor, side: int, displacement: Tensor | None = None) -> Tensor:
    """Distort and shrink images in one sampling; for identity matrices this is `shrink` but for rounding.

    Pixels and result are those of `shrink`, but h is an odd multiple of `side`; `matrices`, shape (n, 2, 3), are from
    `affine_matrices`. `displacement`, in half image sides, shape (n, side, side, 2), is added to the sampling points.
    """
    images = pixels.float().div_(255).unsqueeze(1)
    block = pixels.shape[-1] // side
    if block > 1:  # Average first, then sample one point a block: a ninth of the samples of the other order at 35.
        images = _average(images, block)
    points = F.affine_grid(matrices, [images.shape[0], 1, side, side], align_corners=False)
    if displacement is not None:
        points = points + displacement
    return F.grid_sample(images, points, mode="bilinear", padding_mode="zeros", align_corners=False)


def _average(images: Tensor, block: int) -> Tensor:
    """Return the mean of the block around each pixel; adding slices is four times as fast as torch's pooling here."""
    n, reach = images.shape[-1], block // 2
    padded = F.pad(images, (reach, reach, reach, reach))
    rows = sum((padded[..., start : start + n, :] for start in range(1, block)), start=padded[..., :n, :])
    both = sum((rows[..., start : start + n] for start in range(1, block)), start=rows[..., :n])
    return both / block**2


def elastic_displacement(control: Tensor, side: int) -> Tensor:
    """Return smooth displacements, shape (n, side, side, 2), for `render`.

    `control` is how far the points of a 5 x 5 grid move, in half image sides, shape (n, 2, 5, 5).

    Source: Simard et al. 2003, with a coarse grid in place of the Gaussian filter.
    """
    smooth = F.interpolate(control, size=(side, side), mode="bicubic", align_corners=True)
    return smooth.permute(0, 2, 3, 1)
