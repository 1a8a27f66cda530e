"""A drawing of Vega's with the same picture and a third of the elements.

Takes SVG text that vl-convert wrote, gives SVG text: groups without a meaning dissolve, what cannot be seen goes, the
lines of one look become one path, and so do the dots without an edge. The groups of points (mark-symbol) stay: pages
find points by them. Never changes a place by a pixel, a colour or a word.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as Tree

SVG = "http://www.w3.org/2000/svg"
_DROPPED = re.compile(r"role|aria-(?!hidden)|pointer-events|stroke-miterlimit")
_MOVED = re.compile(r"translate\((-?[\d.e-]+),(-?[\d.e-]+)\)")
_LONG = re.compile(r"-?\d+\.\d{2,}(?=[^\"<>]*\"[^<>]*>)")
_DOT = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0Z?")
Tree.register_namespace("", SVG)


def lean(drawing: str) -> str:
    """The same picture."""
    root = Tree.fromstring(drawing)  # noqa: S314 - our own drawing
    root.attrib.pop("version", None)
    _clean(root)
    return _LONG.sub(lambda found: f"{float(found[0]):.1f}", Tree.tostring(root, encoding="unicode"))


def _clean(node: Tree.Element) -> None:
    for name in [name for name in node.attrib if _DROPPED.match(name) or (name, node.get(name)) in _USUAL]:
        del node.attrib[name]
    if not node.get("class", "mark-").startswith("mark-") and node.tag != f"{{{SVG}}}svg":
        del node.attrib["class"]
    kept: list[Tree.Element] = []
    for child in list(node):
        if _unseen(child):
            continue
        _clean(child)
        if child.tag == f"{{{SVG}}}g" and set(child.attrib) <= {"class"} and not _marks(child):
            kept += list(child)
        elif child.tag != f"{{{SVG}}}g" or len(child):
            kept.append(child)
    node[:] = _joined(kept)


_USUAL = {("opacity", "1"), ("transform", "translate(0,0)"), ("fill-opacity", "1"), ("font-weight", "normal")}


def _unseen(node: Tree.Element) -> bool:
    if node.get("class") == "background":
        return node.get("fill") is None and node.get("stroke") is None
    return node.get("display") == "none" or (node.tag == f"{{{SVG}}}text" and not node.text)


def _marks(node: Tree.Element) -> bool:
    """Whether pages look for this group: the points of a chart."""
    return node.get("class", "").startswith("mark-symbol role-mark") and node[0].get("stroke-linecap") is None


def _joined(nodes: list[Tree.Element]) -> list[Tree.Element]:
    """Neighbours that differ in their place alone as one path."""
    out: list[Tree.Element] = []
    at = 0
    while at < len(nodes):
        look, path = _line(nodes[at])
        run = at + 1
        while path and run < len(nodes) and _line(nodes[run])[0] == look:
            run += 1
        if path and run - at > 1:
            parts = "".join(_line(node)[1] for node in nodes[at:run])
            out.append(Tree.Element(f"{{{SVG}}}path", {**dict(look), "d": parts}))
        else:
            out.append(nodes[at])
            run = at + 1
        at = run
    return _dots(out)


def _line(node: Tree.Element) -> tuple[tuple[tuple[str, str], ...], str]:
    """How a line looks, and its path; no path: not a line."""
    if node.tag == f"{{{SVG}}}path" and "transform" not in node.attrib and "fill" not in node.attrib:
        return tuple(sorted((k, v) for k, v in node.attrib.items() if k != "d")), node.get("d", "")
    if node.tag != f"{{{SVG}}}line":
        return (), ""
    look = tuple(sorted((k, v) for k, v in node.attrib.items() if k not in ("transform", "x2", "y2")))
    x, y = _place(node)
    return look, f"M{x} {y}l{node.get('x2', '0')} {node.get('y2', '0')}"


def _place(node: Tree.Element) -> tuple[str, str]:
    found = _MOVED.fullmatch(node.get("transform", "translate(0,0)"))
    if found is None:
        raise ValueError(f"a drawing that is not known: {node.get('transform')}")
    return found[1], found[2]


def _dots(nodes: list[Tree.Element]) -> list[Tree.Element]:
    """Dots without an edge as one path of round ends, each place once, to the pixel."""
    looks = {(node.get("d", ""), node.get("fill", ""), node.get("opacity", "1")) for node in nodes}
    found = _DOT.fullmatch(next(iter(looks))[0]) if len(looks) == 1 else None
    if found is None or nodes[0].get("stroke-width") != "0":
        return nodes
    ((_, fill, opacity),) = looks
    places = dict.fromkeys(f"M{float(x):.0f} {float(y):.0f}h0" for x, y in map(_place, nodes))
    drawn = {"stroke": fill, "stroke-width": f"{2 * float(found[1]):.0f}", "stroke-linecap": "round"}
    return [Tree.Element(f"{{{SVG}}}path", {**drawn, "opacity": opacity, "d": "".join(places)})]
