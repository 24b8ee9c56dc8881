"""Which place a set's words speak of, and painting it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipeline.contracts import Look
from pipeline.inference.drawing import interiors_home as home
from pipeline.inference.drawing import interiors_public as public
from pipeline.inference.drawing import places_outdoor as wild
from pipeline.inference.drawing import places_town as town
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import Light
from pipeline.inference.drawing.scene import Scene
from pipeline.inference.drawing.shapes import box
from pipeline.inference.drawing.words import Lots, Text

Painter = Callable[[Art, Scene], None]

INDOOR: Mapping[str, tuple[Painter, tuple[str, ...]]] = {
    "kitchen": (home.kitchen, ("kitchen", "scullery", "pantry", "bakehouse")),
    "bedroom": (home.bedroom, ("bedroom", "nursery", "bedside", "dormitory", "bedchamber", "attic", "loft", "bed",
        "hotel room")),
    "shop": (home.shop, ("shop", "store", "bakery", "bookshop", "pharmacy", "apothecary", "grocery", "grocer",
        "boutique", "bookstore")),
    "tavern": (home.tavern, ("tavern", "inn", "pub", "restaurant", "cafe", "caf\u00e9", "bar", "diner", "saloon",
        "canteen", "dining room")),
    "classroom": (home.classroom, ("classroom", "school", "schoolroom", "schoolhouse", "lecture")),
    "office": (home.office, ("office", "study", "bureau", "police station", "bank", "courtroom", "post office")),
    "hospital": (home.hospital, ("hospital", "clinic", "ward", "infirmary", "sickroom", "surgery")),
    "barn": (home.barn, ("barn", "stable", "stables", "byre", "henhouse", "shed", "cowshed", "hayloft")),
    "library": (public.library, ("library", "archive", "reading room")),
    "hall": (public.hall, ("hall", "palace", "throne", "throne room", "ballroom", "museum", "theatre", "theater",
        "gallery", "court", "corridor", "great hall", "banquet", "mansion", "stage", "temple")),
    "church": (public.church, ("chapel", "church", "cathedral", "abbey", "monastery")),
    "workshop": (public.workshop, ("workshop", "forge", "smithy", "studio", "laboratory", "lab", "factory", "garage",
        "clockmaker", "watchmaker", "workbench", "foundry")),
    "carriage": (public.carriage, ("carriage", "train", "railway carriage", "compartment", "tram", "bus", "subway")),
    "cabin": (public.cabin, ("ship's cabin", "cabin below", "captain's cabin", "ship cabin", "hold", "submarine",
        "galley", "berth")),
    "spaceship": (public.spaceship, ("spaceship", "starship", "spacecraft", "space station", "rocket", "cockpit",
        "airlock", "control room")),
    "cave": (public.cave, ("cave", "cavern", "mine", "tunnel", "burrow", "den", "lair", "grotto", "underground",
        "hollow")),
    "lantern_room": (public.lantern_room, ("lantern room", "lamp room", "light room", "lighthouse room",
        "lighthouse lamp", "top of the lighthouse", "inside the lighthouse", "lighthouse top", "lighthouse interior",
        "gallery of the lighthouse")),
    "cellar": (public.cellar, ("cellar", "dungeon", "prison", "cell", "basement", "crypt", "vault", "jail", "sewer",
        "tower")),
    "tent": (public.tent, ("tent", "circus", "pavilion")),
    "room": (home.room, ("room", "house", "cottage", "home", "parlour", "parlor", "living room", "sitting room", "hut",
        "apartment", "flat", "inside", "indoors", "interior", "cabin", "fireside", "hearth", "fireplace", "hallway",
        "doorway", "bathroom")),
}  # fmt: skip
OUTDOOR: Mapping[str, tuple[Painter, tuple[str, ...]]] = {
    "street": (town.street, ("street", "city", "town", "alley", "avenue", "lane", "pavement", "downtown", "boulevard",
        "rooftop", "rooftops", "neighbourhood", "traffic")),
    "village": (town.village, ("village", "hamlet", "cottages", "village green", "outside the cottage",
        "outside the house", "well", "porch", "doorstep", "front door", "houses")),
    "square": (town.square, ("square", "town square", "plaza", "piazza", "fountain")),
    "market": (town.market, ("market", "marketplace", "bazaar", "fair", "stall", "stalls", "market stall",
        "market square", "festival")),
    "forest": (wild.forest, ("forest", "wood", "woods", "woodland", "jungle", "pinewood", "trees", "grove", "glade",
        "clearing", "rainforest", "thicket", "tree", "oak")),
    "field": (wild.field, ("field", "meadow", "farm", "pasture", "prairie", "farmyard", "hill", "hillside",
        "countryside", "grassland", "plain", "plains", "moor", "savanna", "orchard", "vineyard", "hilltop", "valley",
        "farmhouse", "mill", "windmill", "grass")),
    "garden": (wild.garden, ("garden", "park", "backyard", "courtyard", "playground", "yard", "greenhouse", "lawn",
        "schoolyard", "terrace")),
    "mountain": (wild.mountain, ("mountain", "cliff", "peak", "summit", "ridge", "pass", "canyon", "volcano", "crag",
        "mountainside")),
    "desert": (wild.desert, ("desert", "dune", "sahara", "oasis", "wasteland", "sands")),
    "river": (wild.river, ("river", "lake", "stream", "pond", "brook", "riverbank", "creek", "waterfall", "lakeside",
        "shore of the lake", "canal")),
    "beach": (wild.beach, ("beach", "shore", "coast", "seaside", "seashore", "bay", "island", "sand", "cove",
        "coastline", "lagoon")),
    "open_sea": (wild.open_sea, ("sea", "ocean", "waves", "open sea", "open water", "underwater")),
    "harbour": (town.harbour, ("harbour", "harbor", "port", "dock", "docks", "pier", "quay", "wharf", "jetty",
        "marina")),
    "lighthouse": (town.lighthouse, ("lighthouse", "headland")),
    "road": (town.road, ("road", "path", "roadside", "crossroads", "highway", "track", "trail", "gate", "fence")),
    "bridge": (town.bridge, ("bridge", "viaduct")),
    "castle": (town.castle, ("castle", "fortress", "citadel", "castle gate", "kingdom", "outside the palace",
        "battlements")),
    "platform": (town.platform, ("platform", "station", "railway", "train station", "railway station",
        "railway platform")),
    "snowfield": (wild.snowfield, ("snowfield", "tundra", "glacier", "arctic", "snow", "ice", "north pole",
        "antarctica")),
    "space": (wild.space, ("planet", "moon", "space", "mars", "asteroid", "galaxy", "stars", "outer space",
        "moon surface", "planet surface")),
    "swamp": (wild.swamp, ("swamp", "marsh", "bog", "wetland")),
    "graveyard": (town.graveyard, ("graveyard", "cemetery", "churchyard")),
    "ship": (town.ship_deck, ("ship", "deck", "boat", "ship's deck", "ship deck", "aboard", "raft", "vessel",
        "galleon")),
}  # fmt: skip
_ALL = {**INDOOR, **OUTDOOR}
_VOCABULARY = {family: words for family, (_, words) in _ALL.items()}
_BETWEEN = re.compile(
    r"\b(?:of|in|at|by|near|on|with|under|beside|above|behind|outside|before|along|through|from|where|overlooking)\b",
    re.I,
)
# Indoors by their words alone; a text that says it is outside moves them out.
_OUTSIDE = {"room": "village", "hall": "castle", "church": "village", "barn": "field", "carriage": "platform",
    "cabin": "ship",
            "cellar": "castle", "lantern_room": "lighthouse", "shop": "street", "tavern": "village",
                "classroom": "street",
            "spaceship": "space", "hospital": "street", "office": "street"}  # fmt: skip
_INSIDE = {"lighthouse": "lantern_room", "castle": "hall", "ship": "cabin", "street": "room", "village": "room",
    "platform": "carriage",
           "field": "room", "market": "shop", "mountain": "cave"}  # fmt: skip
_DARK = "#0b0a20"
_NEAR_INDOOR, _NEAR_OUTDOOR = 1.34, 1.14


def family_of(name: str, description: str) -> str:
    """The family of places: the name's head noun decides, then the rest of the name, then the description."""
    whole = Text(name, description)
    family = _named(name[:400]) or Text(description).first(_VOCABULARY)
    if family is None:
        return "field" if whole.has("outside", "outdoors", "sky", "sun") else "room" if whole.tokens else "field"
    if Text(name).has("outside", "exterior", "front") and family in _OUTSIDE:
        return _OUTSIDE[family]
    if whole.has("inside", "interior", "indoors", "below deck") and family in _INSIDE:
        return _INSIDE[family]
    return family


def _named(name: str) -> str | None:
    head, *rest = _BETWEEN.split(name)
    for part in (head, *rest):
        text = Text(part)
        best: tuple[int, int, str] | None = None
        for family, words in _VOCABULARY.items():
            for word in words:
                place = text.place(word)
                if place is not None:
                    end = place + word.count(" ")
                    if best is None or (end, len(word)) > best[:2]:
                        best = (end, len(word), family)
        if best is not None:
            return best[2]
    return None


def is_indoor(family: str) -> bool:
    return family in INDOOR


def horizon_of(art: Art, family: str, tilt: float = 0.0) -> float:
    """Where the ground begins; `tilt` > 0 looks from above, < 0 from below."""
    portrait = art.h > art.w
    share = (0.70 if portrait else 0.66) if is_indoor(family) else (0.60 if portrait else 0.52)
    return art.h * (share - tilt)


def paint(art: Art, look: Look, light: Light, family: str, tilt: float = 0.0, made_bed: bool = True) -> float:
    """Paints the empty place; gives its horizon in units."""
    near = _NEAR_INDOOR if is_indoor(family) else _NEAR_OUTDOOR
    with art.nearer(near):
        horizon = horizon_of(art, family, tilt)
        lots = Lots("place", look.name.lower(), family)
        _ALL[family][0](art, Scene(Text(look.name, look.appearance, look.mood), light, lots, horizon, made_bed))
        if is_indoor(family) and light.night:
            _dark_corners(art)
    return horizon * near


def _dark_corners(art: Art) -> None:
    """At night lamps light the middle of a room; its sides and ceiling lie in the dark."""
    whole = box(-20, -20, art.w + 40, art.h + 40)
    art.blend(whole, [(_DARK, 0.42), (_DARK, 0.0), (_DARK, 0.0), (_DARK, 0.42)], shining=True, across=True)
    art.blend(whole, [(_DARK, 0.34), (_DARK, 0.0), (_DARK, 0.0), (_DARK, 0.22)], shining=True)
