"""Places the boxes of a directed graph in layers, so that its lines run downwards and cross little. Used by drawings of journeys.

Sugiyama's method: turn the lines of loops round, give each box a rank, put the boxes of a rank in an order, then give them
places. The same graph gives the same places. Lengths are CSS pixels.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

SWEEPS: Final = 12
"""How often the orders of the ranks are improved from above and from below."""
SETTLING: Final = 1000
SETTLED: Final = 0.02
"""How often the places of the ranks are improved at most; they are settled when none moves by so much."""
GAP: Final = 12.0
LANE: Final = 8.0
"""Distance of two boxes of a rank, and of a line from what it passes."""
RISE: Final = 26.0
"""Distance of two ranks."""
PORT: Final = 16.0
"""Distance of two lines at the box where they begin or end, if it is wide enough."""


class Point(NamedTuple):
    """A place in the picture; ``y`` grows downwards."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """The size of a box, or of a line's label."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line from a box to a box; ``label`` is the size of what is written on it."""

    source: str
    target: str
    label: Box | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box or a label lies: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The x of its middle."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a line, from its source to its target, and where its label lies."""

    points: tuple[Point, ...]
    label: Place | None


@dataclass(frozen=True, slots=True)
class Layout:
    """The size of the picture, the place of each box, and the routes in the order of the lines."""

    width: float
    height: float
    places: Mapping[str, Place]
    routes: tuple[Route, ...]


@dataclass(slots=True)
class _Vertex:
    """A box, a label, or the place at which a long line passes a rank (``width`` is 0 there)."""

    width: float
    height: float
    is_box: bool = False
    rank: int = 0
    x: float = 0.0

    @property
    def passes(self) -> bool:
        return self.width == 0


class _Chain(NamedTuple):
    """The vertices of a line from the upper end to the lower one; ``turned`` when the line runs upwards."""

    vertices: list[int]
    label: int | None
    turned: bool


def lay_out(
    boxes: Mapping[str, Box], lines: Sequence[Line], *, start: str, most_abreast: int = 100, compact: bool = False
) -> Layout:
    """Place ``boxes`` with ``start`` on top and at most ``most_abreast`` boxes and labels side by side.

    A ``compact`` picture is as wide as its widest rank, others may be wider for the sake of straighter lines.
    A line from a box to itself runs round its right side. Raises KeyError when a line names an unknown box.
    """
    graph = _Graph(boxes, lines, start)
    graph.rank(most_abreast)
    layers = graph.layers()
    _order(layers, graph.above, graph.below)
    _settle(layers, graph.vertices, graph.above, graph.below, compact=compact)
    return graph.drawn(layers)


class _Graph:
    def __init__(self, boxes: Mapping[str, Box], lines: Sequence[Line], start: str) -> None:
        self.lines = lines
        self.names = _depth_first(boxes, lines, start)
        self.number = {name: index for index, name in enumerate(self.names)}
        self.vertices = [_Vertex(boxes[name].width, boxes[name].height, is_box=True) for name in self.names]
        self.chains = [self._chain(line, turned) for line, turned in zip(lines, self._turned(), strict=True)]
        self.above: list[list[int]] = []
        self.below: list[list[int]] = []

    def _turned(self) -> list[bool]:
        """Which lines lead back into the path by which a depth-first walk came: without them there is no loop."""
        targets: dict[int, list[tuple[int, int]]] = {}
        for index, line in enumerate(self.lines):
            targets.setdefault(self.number[line.source], []).append((self.number[line.target], index))
        turned = [False] * len(self.lines)
        finished: set[int] = set()
        for first in range(len(self.names)):
            path = {first: iter(targets.get(first, []))} if first not in finished else {}
            while path:
                vertex = next(reversed(path))
                target, index = next(path[vertex], (None, 0))
                if target is None:
                    del path[vertex]
                    finished.add(vertex)
                elif target in path:
                    turned[index] = True
                elif target not in finished:
                    path[target] = iter(targets.get(target, []))
        return turned

    def _chain(self, line: Line, turned: bool) -> _Chain:
        ends = [self.number[line.source], self.number[line.target]]
        if turned:
            ends.reverse()
        if ends[0] == ends[1]:
            return _Chain(ends, None, turned)
        if line.label is None:
            return _Chain(ends, None, turned)
        self.vertices.append(_Vertex(line.label.width, line.label.height))
        label = len(self.vertices) - 1
        return _Chain([ends[0], label, ends[1]], label, turned)

    def rank(self, most_abreast: int) -> None:
        """Give each vertex the first rank below all that lead to it in which there is room."""
        after: dict[int, list[int]] = {index: [] for index in range(len(self.vertices))}
        open_before = [0] * len(self.vertices)
        for chain in self.chains:
            for upper, lower in pairwise(chain.vertices):
                if upper != lower:
                    after[upper].append(lower)
                    open_before[lower] += 1
        ready = [index for index, count in enumerate(open_before) if count == 0]
        abreast: dict[int, int] = {}
        while ready:
            index = heapq.heappop(ready)
            vertex = self.vertices[index]
            while abreast.get(vertex.rank, 0) >= most_abreast:
                vertex.rank += 1
            abreast[vertex.rank] = abreast.get(vertex.rank, 0) + 1
            for lower in after[index]:
                self.vertices[lower].rank = max(self.vertices[lower].rank, vertex.rank + 1)
                open_before[lower] -= 1
                if open_before[lower] == 0:
                    heapq.heappush(ready, lower)

    def layers(self) -> list[list[int]]:
        """The vertices of each rank, with a new one wherever a line passes a rank; and who is joined with whom."""
        self.chains = [chain._replace(vertices=self._passing(chain.vertices)) for chain in self.chains]
        self.above = [[] for _ in self.vertices]
        self.below = [[] for _ in self.vertices]
        for chain in self.chains:
            for upper, lower in pairwise(chain.vertices):
                if upper != lower:
                    self.above[lower].append(upper)
                    self.below[upper].append(lower)
        layers: list[list[int]] = [[] for _ in range(1 + max(vertex.rank for vertex in self.vertices))]
        for index in self._walk():
            layers[self.vertices[index].rank].append(index)
        return layers

    def _passing(self, vertices: list[int]) -> list[int]:
        found = vertices[:1]
        for upper, lower in pairwise(vertices):
            for rank in range(self.vertices[upper].rank + 1, self.vertices[lower].rank):
                self.vertices.append(_Vertex(0, 0, rank=rank))
                found.append(len(self.vertices) - 1)
            found.append(lower)
        return found

    def _walk(self) -> Iterable[int]:
        """All vertices, depth first, so that what belongs together begins side by side."""
        seen: dict[int, None] = {}
        waiting = [index for index in range(len(self.vertices) - 1, -1, -1) if not self.above[index]]
        while waiting:
            index = waiting.pop()
            if index not in seen:
                seen[index] = None
                waiting.extend(reversed(self.below[index]))
        return seen

    def drawn(self, layers: list[list[int]]) -> Layout:
        """The places in whole and half pixels, with the picture's left upper corner at 0, 0."""
        left = min(vertex.x - vertex.width / 2 for vertex in self.vertices)
        loops = {chain.vertices[0] for chain in self.chains if chain.vertices[0] == chain.vertices[-1]}
        tops, top = [], 0.0
        for layer in layers:
            height = max(self.vertices[index].height for index in layer)
            tops.append((top, height))
            top += height + RISE
        places = {
            index: Place(
                _half(vertex.x - vertex.width / 2 - left),
                _half(tops[vertex.rank][0] + (tops[vertex.rank][1] - vertex.height) / 2),
                vertex.width,
                vertex.height,
            )
            for index, vertex in enumerate(self.vertices)
        }
        ports = self._ports(places)
        routes = tuple(self._route(number, places, tops, ports) for number in range(len(self.chains)))
        right = max(place.x + place.width + (GAP + PORT if index in loops else 0) for index, place in places.items())
        return Layout(
            width=right,
            height=top - RISE,
            places={name: places[self.number[name]] for name in self.names},
            routes=routes,
        )

    def _ports(self, places: Mapping[int, Place]) -> dict[tuple[int, int], float]:
        """Where each line meets the boxes at its ends, in the order of where it comes from: (line, end) → x."""
        meeting: dict[tuple[int, int], list[tuple[float, int]]] = {}
        for number, chain in enumerate(self.chains):
            first, *_, last = chain.vertices
            if first != last:
                meeting.setdefault((first, 1), []).append((places[chain.vertices[1]].middle, number))
                meeting.setdefault((last, 0), []).append((places[chain.vertices[-2]].middle, number))
        ports = {}
        for (box, end), found in meeting.items():
            apart = min(PORT, places[box].width / (len(found) + 1))
            for index, (_, number) in enumerate(sorted(found)):
                ports[number, 1 - end] = _half(places[box].middle + (index - (len(found) - 1) / 2) * apart)
        return ports

    def _route(
        self,
        number: int,
        places: Mapping[int, Place],
        tops: Sequence[tuple[float, float]],
        ports: Mapping[tuple[int, int], float],
    ) -> Route:
        chain = self.chains[number]
        first, last = places[chain.vertices[0]], places[chain.vertices[-1]]
        if chain.vertices[0] == chain.vertices[-1]:
            right, upper, lower = first.x + first.width, first.y + first.height / 3, first.y + first.height * 2 / 3
            return Route((Point(right, _half(lower)), Point(right, _half(upper))), None)
        points = [Point(ports[number, 0], first.y + first.height)]
        for index in chain.vertices[1:-1]:
            top, height = tops[self.vertices[index].rank]
            place = places[index]
            points.append(Point(place.middle, _half(top)))
            points.append(Point(place.middle, _half(top + height)))
        points.append(Point(ports[number, 1], last.y))
        if chain.turned:
            points.reverse()
        return Route(tuple(points), None if chain.label is None else places[chain.label])


def _depth_first(boxes: Mapping[str, Box], lines: Sequence[Line], start: str) -> list[str]:
    """The names in the order in which a reader meets them."""
    targets: dict[str, list[str]] = {name: [] for name in boxes}
    for line in lines:
        targets[line.source].append(line.target)
    found: dict[str, None] = {}
    waiting = [*reversed([name for name in boxes if name != start]), start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting.extend(reversed(targets[name]))
    return list(found)


def _order(layers: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> None:
    """Order each layer by the mean place of its neighbours, from above and from below, and keep the best order found."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers, below)
    for _ in range(SWEEPS):
        for numbers, neighbours in ((range(1, len(layers)), above), (range(len(layers) - 2, -1, -1), below)):
            for number in numbers:
                _sort_by_neighbours(layers, number, neighbours)
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
        if fewest == 0:
            break
    layers[:] = best


def _sort_by_neighbours(layers: list[list[int]], number: int, neighbours: Sequence[Sequence[int]]) -> None:
    places = {index: place for layer in layers for place, index in enumerate(layer)}
    means = {
        index: sum(places[other] for other in neighbours[index]) / len(neighbours[index])
        if neighbours[index]
        else float(places[index])
        for index in layers[number]
    }
    layers[number].sort(key=lambda index: (means[index], places[index]))


def _crossings(layers: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """How many pairs of lines cross between neighbouring layers."""
    crossings = 0
    for upper, lower in pairwise(layers):
        places = {index: place for place, index in enumerate(lower)}
        ends = [sorted(places[target] for target in below[index]) for index in upper]
        passed: list[int] = []
        for some in ends:
            crossings += sum(other > place for place in some for other in passed)
            passed += some
    return crossings


def _settle(
    layers: Sequence[Sequence[int]],
    vertices: Sequence[_Vertex],
    above: Sequence[Sequence[int]],
    below: Sequence[Sequence[int]],
    *,
    compact: bool,
) -> None:
    """Give each vertex the x that makes its lines as straight as the others allow: least squares, a layer at a time."""
    offsets: dict[int, float] = {}
    for layer in layers:
        steps = [_apart(vertices[left], vertices[right]) for left, right in pairwise(layer)]
        left, right = vertices[layer[0]].width / 2, vertices[layer[-1]].width / 2
        for index, x in zip(layer, accumulate([(left - right - sum(steps)) / 2, *steps]), strict=True):
            offsets[index] = vertices[index].x = x
    room = max(_reach(vertices, layer, offsets) for layer in layers) if compact else math.inf
    downwards = list(range(len(layers)))
    for _ in range(SETTLING):
        moved = 0.0
        for number in (*downwards, *reversed(downwards)):
            layer = layers[number]
            wanted, weights = [], []
            for index in layer:
                joined = [
                    (vertices[other].x, _stiffness(vertices[index], vertices[other]))
                    for other in (*above[index], *below[index])
                ]
                weight = sum(each for _, each in joined)
                mean = sum(x * each for x, each in joined) / weight if weight else vertices[index].x
                wanted.append(mean - offsets[index])
                weights.append(weight or 1.0)
            most = room - _reach(vertices, layer, offsets)  # it may be moved so far to either side
            for index, rising in zip(layer, _rising(wanted, weights), strict=True):
                place = max(-most, min(most, rising))
                moved = max(moved, abs(vertices[index].x - place - offsets[index]))
                vertices[index].x = place + offsets[index]
        if moved < SETTLED:
            return


def _reach(vertices: Sequence[_Vertex], layer: Sequence[int], offsets: Mapping[int, float]) -> float:
    """Half the width of a layer whose vertices stand as close as they may."""
    return offsets[layer[-1]] + vertices[layer[-1]].width / 2


def _stiffness(one: _Vertex, other: _Vertex) -> float:
    """How much it matters that this piece of a line is straight: most in the middle of a long one."""
    return (1.0, 2.0, 8.0)[one.passes + other.passes]


def _apart(left: _Vertex, right: _Vertex) -> float:
    gap = LANE if left.passes or right.passes else GAP
    return (left.width + right.width) / 2 + gap


def _rising(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The numbers closest to ``wanted`` that never fall: pool adjacent violators."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, mass, count = pools.pop()
            whole = mass + pool[1]
            pool = ((mean * mass + pool[0] * pool[1]) / whole, whole, count + pool[2])
        pools.append(pool)
    return [mean for mean, _, count in pools for _ in range(count)]


def _half(length: float) -> float:
    return round(length * 2) / 2
