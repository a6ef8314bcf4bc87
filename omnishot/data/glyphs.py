"""Invented alphabets that look handwritten, so that training needs no data set."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Points of the plane are x + iy, y down. A stroke is the steps of its pen, a path the points it passes.
Plane = NDArray[np.complex128]

# As in Omniglot: the side of the page, the width of the pen and where drawings centre, in pixels.
PAGE, PEN, MIDDLE = 105.0, 5.0, 51 * (1 + 1j)
# A segment of a stroke is 16 straight steps, as a mouse would sample it; each is inked by 8 dots.
STEPS, DOTS = 16, 8
# The side of a draft in cells, five of them margin; a cell is about as wide as the pen.
CELLS = 18
SMEAR = (np.abs(np.subtract.outer(np.arange(CELLS), np.arange(CELLS))) <= 2).astype(np.float64)
# Drafts whose blurred ink differs by a smaller share of its energy would be read as one character.
TOO_ALIKE = 0.2


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Drawings in the order alphabet, character, drawer.

    Attributes:
        pixels: Ink 255 on 0, shape (n, side, side).
        alphabet: Alphabet of each drawing, shape (n,).
        character: Character of each drawing, unique over all alphabets, shape (n,).
        drawer: Drawer of each drawing, shape (n,); a drawer has one style per alphabet.
    """

    pixels: NDArray[np.uint8]
    alphabet: NDArray[np.int16]
    character: NDArray[np.int32]
    drawer: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Part:
    """A stroke in a character; a node is a fraction of a stroke, a bridge the other part and node it ends on."""

    stroke: Plane
    size: float
    parent: int = -1
    parent_node: float = 0.0
    own_node: float = 0.0
    gap: complex = 0j
    bridge: tuple[int, float] | None = None


class _Habits:
    """What the characters of one alphabet have in common."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.angular = rng.beta(0.8, 1.2)
        self.another_stroke = rng.uniform(0.1, 0.5)
        self.sibling = rng.uniform(0.3, 0.7)
        # Chances that a stroke starts on a node, joins two nodes, stands apart or is a dot.
        self.attach = rng.dirichlet([2.0, 1.0, 0.5, 0.4])
        self.diagonal = 75 * np.exp(rng.normal(0, 0.15))
        self.aspect = rng.normal(-0.05, 0.23)
        self.path_per_diagonal = rng.normal(1.8, 0.7)


class _Hands:
    """Style of each drawer of one alphabet; every attribute has shape (n_drawers, 1)."""

    def __init__(self, n_drawers: int, rng: np.random.Generator) -> None:
        noise = rng.normal(size=(6, n_drawers, 1))
        self.size = np.exp(0.08 * noise[0])
        self.slant = 0.08 * noise[1]
        self.looseness = np.exp(0.35 * noise[2])
        self.tremor = 0.5 * np.exp(0.5 * noise[3])
        self.place = 2.6 * (noise[4] + 1j * noise[5])


def draw_glyphs(
    *, seed: int, n_alphabets: int = 40, n_characters: int = 25, n_drawers: int = 20, side: int = 105
) -> Glyphs:
    """Invent alphabets and have each of their characters drawn once by every drawer, `side` pixels along an edge.

    Equal seeds give equal pixels; an alphabet is the same however many follow it.
    """
    pixels = np.empty((n_alphabets, n_characters, n_drawers, side, side), np.uint8)
    for k, pages in enumerate(pixels):
        design, hand = np.random.default_rng([seed, k]).spawn(2)
        habits = _Habits(design)
        hands = _Hands(n_drawers, hand)
        for page, parts in zip(pages, _design_alphabet(habits, n_characters, design), strict=True):
            page[:] = _ink(_write(parts, habits, hands, hand) * (side / PAGE), side)
    order = np.arange(n_alphabets * n_characters * n_drawers)
    return Glyphs(
        pixels=pixels.reshape(-1, side, side),
        alphabet=(order // (n_characters * n_drawers)).astype(np.int16),
        character=(order // n_drawers).astype(np.int32),
        drawer=(order % n_drawers).astype(np.int16),
    )


def _normal(like: Floats, rng: np.random.Generator) -> Plane:
    return np.asarray(rng.normal(size=like.shape) + 1j * rng.normal(size=like.shape))


def _design_alphabet(habits: _Habits, n_characters: int, rng: np.random.Generator) -> list[list[_Part]]:
    """Invent characters until enough of them are well formed and differ from one another."""
    pool = [_invent_stroke(habits, rng) for _ in range(rng.integers(7, 16))]
    characters: list[list[_Part]] = []
    looks: list[Floats] = []
    strictness = 1.0
    while len(characters) < n_characters:
        parts = _compose(characters, pool, habits, rng)
        look, strangeness = _draft(parts, habits, rng)
        normal = rng.random() < np.exp(-strictness * strangeness / 2)
        if normal and all(_distance(look, other) > strictness * TOO_ALIKE for other in looks):
            characters.append(parts)
            looks.append(look)
        elif normal or rng.random() < 0.005:
            # Too few strokes for so many characters: invent another, and ask for a little less.
            pool.append(_invent_stroke(habits, rng))
            strictness *= 0.98
    return characters


def _distance(look: Floats, other: Floats) -> float:
    return float(2 * np.sum((look - other) ** 2) / np.sum(look**2 + other**2))


def _compose(known: list[list[_Part]], pool: list[Plane], habits: _Habits, rng: np.random.Generator) -> list[_Part]:
    """Build a character of 1 to 5 strokes, or mirror a known one or change its end, as scripts do."""
    parts: list[_Part] = []
    n_strokes = 1 + rng.binomial(4, habits.another_stroke)
    if known and rng.random() < habits.sibling:
        model = known[rng.integers(len(known))]
        parts = model[: rng.integers(1, len(model) + 1)]
        n_strokes = min(5, len(parts) + 1)
        if rng.random() < 0.2:
            return [replace(part, stroke=-part.stroke.conj(), gap=-part.gap.conjugate()) for part in model]
    while len(parts) < n_strokes:
        parts = [*parts, _place(pool[rng.integers(len(pool))], parts, habits, rng)]
    return parts


def _place(stroke: Plane, parts: list[_Part], habits: _Habits, rng: np.random.Generator) -> _Part:
    """Attach a stroke to an earlier one at a node, between two nodes, apart from it, or as a dot or tick."""
    if not parts:
        return _Part(stroke, size=rng.uniform(0.9, 1.3))
    parent, other = (int(index) for index in rng.integers(len(parts), size=2))
    node, other_node = rng.choice([0.0, 0.0, 0.25, 0.33, 0.5, 0.5, 0.67, 0.75, 1.0, 1.0], 2)
    # A small stroke of many segments would be a blot.
    size = min(1.2, max(rng.choice([0.54, 0.72, 0.96, 1.2]), 0.2 * len(stroke) / STEPS))
    way = rng.choice(4, p=habits.attach)
    direction = np.exp(0.25j * np.pi * rng.integers(8))
    if way == 3:
        tick = np.full(STEPS, direction / STEPS)
        return _Part(tick, rng.choice([0.02, 0.15]), parent, node, 0.5, gap=direction * rng.uniform(0.2, 0.4))
    if way == 2:
        return _Part(stroke, size, parent, 0.5, 0.5, gap=direction * rng.uniform(0.3, 0.7))
    if way == 1 and abs(stroke.sum()) > 0.4:
        return _Part(stroke, size, parent, node, bridge=(other, other_node))
    return _Part(stroke, size, parent, node, own_node=rng.choice([0.0, 0.5, 1.0], p=[0.55, 0.25, 0.2]))


def _invent_stroke(habits: _Habits, rng: np.random.Generator) -> Plane:
    """Return the steps of a stroke made of segments: corners and bends are its angles between and within them."""
    angular = rng.random() < habits.angular
    sweep, ratio, tail = rng.uniform(1.3, 4.6), rng.choice([0.5, 0.7, 1.0, 1.4]), rng.choice([0.4, 0.6, 0.9])
    if angular or rng.random() < 0.3:
        # Most letters turn at few places and prefer the axes: visit 2 to 5 of 9 points, perhaps back to the first.
        walks = rng.permuted(np.tile(np.arange(9), (3, 1)), axis=1)[:, : rng.integers(2, 6)]
        walks = np.concatenate([walks, walks[:, : rng.random() < 0.25]], axis=1)
        tries = np.diff(walks % 3 + 1j * (walks // 3))
        chords = tries[np.argmax(np.mean(tries.real * tries.imag == 0, axis=1))]
        bends = rng.choice([0.0] if angular else [0.0, 0.0, 0.8, -0.8, 1.6, -1.6, 2.6, -2.6], len(chords))
        corners, lengths = np.diff(np.angle(chords) - bends / 2, prepend=0) - np.r_[0, bends[:-1]], np.abs(chords)
    else:
        curves: list[list[list[float]]] = [
            [[0, 0], [sweep / 2, sweep / 2], [1, ratio]],  # Arc.
            [[0, 0], [0, sweep], [1, tail]],  # Hook.
            [[0, 0, 0], [sweep, -sweep, sweep], [1, ratio, tail]],  # Wave.
            [[0, -sweep], [sweep, sweep], [1, ratio]],  # Humps.
            [[0, 0, 0, 0], [1.57, 1.57, 1.57, 1.57], [1, ratio, 1, ratio]],  # Loop.
            [[0, 0, 0, 0, sweep - 3], [1.57, 1.57, 1.57, 1.57, 0], [1, ratio, 1, ratio, 2 * tail]],  # Lasso.
            [[0, 0, 0, 0, 0], [1.4, 1.4, 1.4, 1.4, 1.4], [1, 0.8, 0.64, 0.51, 0.41]],  # Spiral.
        ]
        corners, bends, lengths = np.array(curves[rng.integers(len(curves))], np.float64)
        corners[0] = rng.choice([0, 2, 1, 3], p=[0.4, 0.4, 0.1, 0.1]) * np.pi / 4
    corners[0] += rng.normal(0, 0.06)
    bends += rng.normal(0, 0.12, len(bends))
    heading = np.cumsum(corners + bends)[:, None] + bends[:, None] * ((np.arange(STEPS) + 0.5) / STEPS - 1)
    steps = (lengths[:, None] * np.exp(1j * heading)).ravel()
    steps /= np.hypot(*np.ptp([np.cumsum(steps.real), np.cumsum(steps.imag)], axis=1))
    return np.asarray(steps if rng.random() < 0.5 else steps.conj())


def _draft(parts: list[_Part], habits: _Habits, rng: np.random.Generator) -> tuple[Floats, float]:
    """Return the blurred ink of a character without noise, (CELLS, CELLS), and how odd it is for its script."""
    paths = _assemble(parts, [part.stroke[None] for part in parts], np.zeros((1, 1)), rng)
    points = np.concatenate(paths, axis=1)[0]
    low, high = points.real.min() + 1j * points.imag.min(), points.real.max() + 1j * points.imag.max()
    width, height, diagonal = high.real - low.real, high.imag - low.imag, abs(high - low)
    scale = (CELLS - 5) / max(width, height)
    cells = (points - (low + high) / 2) * scale + (CELLS - 1) / 2 * (1 + 1j)
    ink = np.zeros((CELLS, CELLS))
    ink[np.rint(cells.imag).astype(int), np.rint(cells.real).astype(int)] = 1.0
    length = sum(float(np.abs(np.diff(path)).sum()) for path in paths)
    away = points - points.mean()
    oddities = [
        np.mean(away**2).imag / np.mean(np.abs(away) ** 2) / 0.25,
        np.log((width + 0.01) / (height + 0.01)) / 0.5,
        abs(points.mean() - (low + high) / 2) / diagonal / 0.09,
        (length / diagonal - habits.path_per_diagonal) / 0.6,
        # Strokes that hide behind one another light too few cells.
        10 * np.sqrt(max(0.0, 1.0 - ink.sum() / (length * scale))),
    ]
    return SMEAR @ ink @ SMEAR, float(np.sum(np.square(oddities)))


def _assemble(parts: list[_Part], strokes: list[Plane], looseness: Floats, rng: np.random.Generator) -> list[Plane]:
    """Join strokes, each (n_drawers, n_steps), to paths, (n_drawers, n_steps + 1), which miss their nodes a bit."""
    paths: list[Plane] = []

    def spot(index: int, node: float) -> Plane:
        path, last = paths[index], strokes[index].shape[1]
        slip, beside = 0.035 * looseness * rng.normal(size=looseness.shape), 0.03 * looseness * _normal(looseness, rng)
        steps = np.clip(np.rint((node + slip) * last), 0, last).astype(np.intp)
        return np.asarray(np.take_along_axis(path, steps, axis=1) + beside)

    for part, stroke in zip(parts, strokes, strict=True):
        path = part.size * np.pad(np.cumsum(stroke, axis=1), ((0, 0), (1, 0)))
        if paths:
            start = spot(part.parent, part.parent_node) + part.gap * (1 + 0.15 * looseness * _normal(looseness, rng))
            if part.bridge:
                path = path * ((spot(*part.bridge) - start) / path[:, -1:])
            path = path - path[:, [round(part.own_node * stroke.shape[1])]] + start
        paths.append(path)
    return paths


def _loosen(stroke: Plane, looseness: Floats, rng: np.random.Generator) -> Plane:
    """Return a stroke as each hand would draw it: segments turned, stretched and bent; (n_drawers, n_steps)."""
    shape = (len(looseness), len(stroke) // STEPS, 1)
    loose = looseness[..., None]
    turn = np.cumsum(rng.normal(0, 0.11, shape), axis=1) + rng.normal(0, 0.18, shape) * np.linspace(-0.5, 0.5, STEPS)
    steps = stroke * np.exp(loose * (rng.normal(0, 0.14, shape) + 1j * turn)).reshape(len(looseness), -1)
    path, model = np.cumsum(steps, axis=1), np.cumsum(stroke)
    # Errors along the pen add up; the eye corrects the size and direction of the whole.
    model = model - model.mean()
    drift = np.mean(path * model.conj(), axis=1, keepdims=True) / np.mean(np.abs(model) ** 2)
    whole = rng.normal(0, 0.08, looseness.shape) + 1j * rng.normal(0, 0.05, looseness.shape)
    return np.asarray(steps / drift * np.exp(looseness * whole))


def _write(parts: list[_Part], habits: _Habits, hands: _Hands, rng: np.random.Generator) -> Plane:
    """Draw one character with every hand; return the dots of the pen in pixels, (n_drawers, n_dots)."""
    paths = _assemble(parts, [_loosen(part.stroke, hands.looseness, rng) for part in parts], hands.looseness, rng)
    points = np.concatenate(paths, axis=1)
    noise = rng.normal(size=(5, *hands.size.shape))
    stretch = np.exp((habits.aspect + 0.14 * noise[0]) / 2)
    points = (points.real * stretch + points.imag * (hands.slant + 1j / stretch)) * np.exp(0.05j * noise[1])
    low = points.real.min(1, keepdims=True) + 1j * points.imag.min(1, keepdims=True)
    extent = points.real.max(1, keepdims=True) + 1j * points.imag.max(1, keepdims=True) - low
    # Small characters are drawn larger, large ones smaller, than their strokes would make them.
    size = habits.diagonal / 1.3 * np.sqrt(1.3 / np.median(np.abs(extent))) * hands.size * np.exp(0.05 * noise[2])
    size = np.minimum(size, (PAGE - 10) / np.maximum(extent.real, extent.imag))
    room = np.maximum(PAGE - 8 - size * np.stack([extent.real, extent.imag]), 0) / 2
    place = hands.place + 4.3 * (noise[3] + 1j * noise[4]) + 1.8 * _normal(np.zeros((1, 1)), rng)
    place = np.clip(place.real, -room[0], room[0]) + 1j * np.clip(place.imag, -room[1], room[1])
    points = (points - low - extent / 2) * size + MIDDLE + place
    ends = np.cumsum([path.shape[1] for path in paths])[:-1]
    return np.concatenate([_shake(path, hands, rng) for path in np.split(points, ends, axis=1)], axis=1)


def _shake(path: Plane, hands: _Hands, rng: np.random.Generator) -> Plane:
    """Add slow wobble and quick tremor to a stroke in pixels, then ink the lines between its points."""
    quick = _normal(np.pad(path.real, ((0, 0), (1, 1))), rng)
    waves = np.sin(np.arange(4)[:, None] * (np.pi * np.linspace(0, 1, path.shape[1]) + 1) + 0.5)
    slow = _normal(np.zeros((len(path), 4)), rng) @ waves
    path = path + hands.tremor * (quick[:, :-2] + quick[:, 1:-1] + quick[:, 2:]) / 3 + 0.45 * hands.looseness * slow
    share = np.arange(DOTS) / DOTS
    return np.asarray((path[:, :-1, None] * (1 - share) + path[:, 1:, None] * share).reshape(len(path), -1))


def _ink(dots: Plane, side: int) -> NDArray[np.uint8]:
    """Press a round pen on each dot; result (n_drawers, side, side)."""
    radius = PEN / 2 * side / PAGE
    reach = int(radius)
    thin = np.zeros((len(dots), side + 2 * reach, side + 2 * reach), np.uint8)
    column, row = (np.clip(np.rint(axis), reach, side - 1 - reach).astype(np.intp) for axis in (dots.real, dots.imag))
    thin[np.arange(len(dots))[:, None], row + reach, column + reach] = 255
    thick = np.zeros((len(dots), side, side), np.uint8)
    for down, right in np.argwhere(np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) <= radius):
        thick |= thin[:, down : down + side, right : right + side]
    return thick
