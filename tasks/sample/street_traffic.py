"""Who and what stands or moves in the street, placed by rules and painted far to near."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from tasks.sample import street_figures as figures
from tasks.sample import street_vehicles as vehicles
from tasks.sample.camera import Camera
from tasks.sample.canvas import Canvas
from tasks.sample.pen import Pen, standing
from tasks.sample.street_furniture import (
    LED,
    SODIUM,
    Lamp,
    street_lamp,
    traffic_light,
    traffic_sign,
)  # fmt: skip
from tasks.sample.street_ground import Road
from tasks.sample.street_sides import tree

_VEHICLES = {
    "car": vehicles.car,
    "truck": vehicles.truck,
    "bus": vehicles.bus,
    "tram": vehicles.tram,
}
_TWO_WHEELERS = {
    "bicycle": figures.bicycle,
    "cyclist": figures.cyclist,
    "motorcycle": figures.motorcycle,
    "motorcyclist": figures.motorcyclist,
}

_HEADLIGHT = (1.0, 0.95, 0.82)
_TAILLIGHT = (1.0, 0.1, 0.06)


@dataclass
class Cast:
    """Everything to be painted: (z metres, painter) pairs, and the lamps collected so far."""

    canvas: Canvas
    camera: Camera
    rng: np.random.Generator
    road: Road
    painters: list[tuple[float, Callable[[], Lamp | None]]] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)

    def add(self, z: float, painter: Callable[[], Lamp | None]) -> None:
        """Keep a painter for the thing whose near end is at z."""
        self.painters.append((z, painter))

    def paint(self) -> None:
        """Paint all of them, far to near, and collect their lamps."""
        for _, painter in sorted(self.painters, key=lambda item: -item[0]):
            lamp = painter()
            if lamp is not None:
                self.lamps.append(lamp)


def populate(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, road: Road, wanted: str
) -> list[Lamp]:
    """Place and paint traffic, people, trees and poles; return the lamps.

    `wanted` names something rare that must be there ("tram", "truck", "bus", "motorcycle").
    """
    cast = Cast(canvas, camera, rng, road)
    _posts(cast)
    _lane(cast, wanted)
    _oncoming(cast, wanted)
    _parked(cast)
    _two_wheelers(cast, wanted)
    _people(cast)
    cast.paint()
    return cast.lamps


def _posts(cast: Cast) -> None:
    rng, road = cast.rng, cast.road
    tone = SODIUM if rng.random() < 0.7 else LED
    step, trees = rng.uniform(14, 24), rng.uniform(9, 18)
    for side, kerb in ((-1, road.left - 0.5), (1, road.right + 0.5)):
        for z in np.arange(rng.uniform(6, 6 + step), 90, step):
            cast.add(z, lambda z=z, x=kerb: street_lamp(cast.canvas, cast.camera, rng, x, z, tone))
        if rng.random() < 0.5:
            for z in np.arange(rng.uniform(7, 20), 90, trees):
                cast.add(z, lambda z=z, x=kerb + 0.6 * side: tree(_pen(cast, x, z), rng))
        for z in rng.uniform(6, 35, int(rng.integers(0, 3))):
            cast.add(z, lambda z=z, x=kerb: traffic_sign(cast.canvas, cast.camera, rng, x, z))
    if rng.random() < 0.6:
        z = rng.uniform(8, 26)
        for x in (road.left - 0.6, road.right + 0.6):
            cast.add(z, lambda x=x: traffic_light(cast.canvas, cast.camera, rng, x, z))


def _pen(cast: Cast, x: float, z: float) -> Pen:
    return standing(cast.canvas, cast.camera, x, z, mirror=bool(cast.rng.random() < 0.5))


def _vehicle(cast: Cast, kind: str, x: float, z: float, oncoming: bool) -> None:
    def painter() -> Lamp:
        _VEHICLES[kind](cast.canvas, cast.camera, cast.rng, x, z, oncoming)
        if oncoming:
            return Lamp((x, 0.8, z - 1.5), _HEADLIGHT, 12.0)
        return Lamp((x, 0.8, z - 0.8), _TAILLIGHT, 2.5)

    cast.add(z, painter)


def _kind(cast: Cast, wanted: str) -> str:
    if wanted in ("truck", "bus"):
        return wanted
    return str(cast.rng.choice(["car", "truck", "bus"], p=[0.84, 0.09, 0.07]))


def _lane(cast: Cast, wanted: str) -> None:
    rng = cast.rng
    z = rng.uniform(9, 20)
    ahead = wanted in ("truck", "bus") and rng.random() < 0.5
    while z < 80:
        kind = _kind(cast, wanted if ahead else "")
        ahead = False
        _vehicle(cast, kind, rng.uniform(-0.4, 0.4), z, False)
        z += rng.uniform(9, 35) + (8 if kind != "car" else 0)


def _oncoming(cast: Cast, wanted: str) -> None:
    rng, road = cast.rng, cast.road
    z, lane = rng.uniform(7, 16), road.center - 1.65
    if road.rails is not None:
        _vehicle(cast, "tram", road.rails, rng.uniform(9, 20), bool(rng.random() < 0.6))
        if lane < road.rails + 2.4:
            return
    while z < 80:
        kind = _kind(cast, wanted)
        wanted = ""
        _vehicle(cast, kind, lane + rng.uniform(-0.2, 0.2), z, True)
        z += rng.uniform(10, 35) + (8 if kind != "car" else 0)


def _parked(cast: Cast) -> None:
    rng, road = cast.rng, cast.road
    spots = [(road.right - 1.05, False)] if road.right > 3 else []
    if road.left < road.center - 4.5 and road.rails is None:
        spots.append((road.left + 1.05, True))
    for x, turned in spots:
        z = rng.uniform(5, 10)
        while z < 60:
            if rng.random() < 0.7:
                _dark_car(cast, x, z, turned)
            z += rng.uniform(5.5, 7)


def _dark_car(cast: Cast, x: float, z: float, turned: bool) -> None:
    paint = partial(vehicles.car, cast.canvas, cast.camera, cast.rng, x, z, turned, lit=False)
    cast.add(z, paint)


def _two_wheelers(cast: Cast, wanted: str) -> None:
    rng, road = cast.rng, cast.road
    kinds = ["cyclist"] * int(rng.integers(0, 3)) + ["bicycle"] * int(rng.integers(0, 3))
    kinds += ["motorcycle", "motorcyclist"] if wanted == "motorcycle" else []
    kinds += ["motorcyclist"] if rng.random() < 0.2 else []
    for kind in kinds:
        z = rng.uniform(5.5, 20)
        if kind in ("bicycle", "motorcycle"):
            x = rng.choice([road.left - rng.uniform(0.7, 1.6), road.right + rng.uniform(0.7, 1.6)])
        else:
            x = rng.uniform(road.left + 0.8, road.right - 0.5)
        draw = _TWO_WHEELERS[kind]
        cast.add(z, lambda x=x, z=z, draw=draw: draw(_pen(cast, x, z), rng))


def _people(cast: Cast) -> None:
    rng, road = cast.rng, cast.road
    for _ in range(int(rng.integers(3, 11))):
        z = 5 + 25 * rng.random() ** 1.5
        side = int(rng.integers(2))
        low, high = ((road.fronts[0] + 0.3, road.left - 0.3) if side == 0
                     else (road.right + 0.3, road.fronts[1] - 0.3))  # fmt: skip
        x = rng.uniform(road.left, road.right) if rng.random() < 0.12 else rng.uniform(low, high)
        cast.add(z, lambda x=x, z=z: figures.person(_pen(cast, x, z), rng))
