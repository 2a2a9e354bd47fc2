"""Labels for boards: a QR code, the node's id and name, its MAC; on a sheet of A4 as SVG or PDF. Never a key.

In: what is printed on each label. Out: a file. QR codes are segno's (ISO/IEC 18004, error correction M), drawn as
one path; PDF 1.4 is written here directly: a page of filled rectangles and a few words in Helvetica needs no library.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import segno

from pulseweave.problem import Problem

PAGE = (210.0, 297.0)  # A4, mm
LABEL = (63.5, 29.6)  # three columns of nine: a common sheet (27 labels)
MARGIN = (7.2, 15.3)
GAP = 2.5
CODE = 24.0  # the QR code with its quiet zone, mm
COLUMNS, ROWS = 3, 9


@dataclass(frozen=True)
class Label:
    """One board: what a person reads and what a phone reads."""

    node: int
    name: str
    network: str
    board: str
    mac: str

    def code(self) -> str:
        """The QR code's text."""
        return f"pulseweave:node={self.node};net={self.network};mac={self.mac.replace(':', '')}"

    def lines(self) -> list[str]:
        """Words beside the code: id large, then smaller."""
        return [f"{self.node}", self.name or self.network, self.board, self.mac]


def modules(text: str) -> tuple[int, list[tuple[int, int, int]]]:
    """(side in modules with quiet zone, dark runs as (x, y, length))."""
    code = segno.make(text, error="m", micro=False)
    rows = [list(row) for row in code.matrix_iter(border=4)]
    runs = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            n = x
            while n < len(row) and row[n]:
                n += 1
            if n > x:
                runs.append((x, y, n - x))
            x = n + 1
    return len(rows), runs


def places(labels: list[Label]):
    """(page, x, y, label), mm from the top left corner."""
    for i, label in enumerate(labels):
        page, k = divmod(i, COLUMNS * ROWS)
        row, column = divmod(k, COLUMNS)
        yield page, MARGIN[0] + column * (LABEL[0] + GAP), MARGIN[1] + row * LABEL[1], label


SIZES = (8.5, 3.4, 2.8, 2.8)  # mm


def fitted(words: str, size: float) -> str:
    """`words` cut to what fits beside the code (Helvetica is about half as wide as high)."""
    most = int((LABEL[0] - CODE - 3) / (0.52 * size))
    words = "".join(
        c if c.isprintable() else "\ufffd" for c in words
    )  # what neither XML nor a person can read
    return words if len(words) <= most else words[: most - 1] + "…"


def svg(labels: list[Label]) -> str:
    """All pages below each other, as one SVG."""
    pages = -(-len(labels) // (COLUMNS * ROWS))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PAGE[0]}mm" height="{PAGE[1] * pages}mm" '
        f'viewBox="0 0 {PAGE[0]} {PAGE[1] * pages}" font-family="Helvetica, Arial, sans-serif">'
    ]
    for page, x, y, label in places(labels):
        y += page * PAGE[1]
        side, runs = modules(label.code())
        m = CODE / side
        path = "".join(
            f"M{x + a * m:.3f} {y + 2.8 + b * m:.3f}h{n * m:.3f}v{m:.3f}h-{n * m:.3f}z" for a, b, n in runs
        )
        out.append(f'<g><path d="{path}"/>')
        at = y + 4.5
        for words, size in zip(label.lines(), SIZES):
            at += size
            shown = fitted(words, size).replace("&", "&amp;").replace("<", "&lt;")
            weight = ' font-weight="bold"' if size > 5 else ""
            out.append(f'<text x="{x + CODE + 1:.2f}" y="{at:.2f}" font-size="{size}"{weight}>{shown}</text>')
            at += 1.4
        out.append("</g>")
    return "\n".join([*out, "</svg>", ""])


def pdf(labels: list[Label]) -> bytes:
    """The same as a PDF of A4 pages."""
    unit = 72 / 25.4
    streams: dict[int, list[str]] = {}
    for page, x, y, label in places(labels):
        ops = streams.setdefault(page, [f"{unit:.5f} 0 0 {unit:.5f} 0 0 cm"])
        side, runs = modules(label.code())
        m = CODE / side
        top = PAGE[1] - y - 2.8
        ops += [f"{x + a * m:.3f} {top - (b + 1) * m:.3f} {n * m:.3f} {m:.3f} re" for a, b, n in runs]
        ops.append("f")
        at = PAGE[1] - y - 4.5
        for words, size in zip(label.lines(), SIZES):
            at -= size
            text = fitted(words, size).encode("cp1252", "replace").decode("latin-1")
            text = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            font = "/B" if size > 5 else "/R"
            ops.append(f"BT {font} {size} Tf {x + CODE + 1:.2f} {at:.2f} Td ({text}) Tj ET")
            at -= 1.4
    objects: list[bytes] = []
    kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(len(streams)))
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode())
    for face in ("Helvetica", "Helvetica-Bold"):
        objects.append(
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{face} /Encoding /WinAnsiEncoding >>".encode()
        )
    for i, ops in sorted(streams.items()):
        box = f"[0 0 {PAGE[0] * unit:.2f} {PAGE[1] * unit:.2f}]"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents {6 + 2 * i} 0 R "
            "/Resources << /Font << /R 3 0 R /B 4 0 R >> >> >>".encode()
        )
        data = "\n".join(ops).encode("latin-1")
        objects.append(f"<< /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream")
    out, offsets = io.BytesIO(), []
    out.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    for i, body in enumerate(objects):
        offsets.append(out.tell())
        out.write(f"{i + 1} 0 obj\n".encode() + body + b"\nendobj\n")
    at = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{o:010d} 00000 n \n" for o in offsets).encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n".encode())
    return out.getvalue()


def check(path: Path) -> None:
    """Raises Problem where a sheet cannot be named so."""
    if path.suffix not in (".svg", ".pdf"):
        raise Problem(f"{path}: labels are .svg or .pdf: choose one of these endings")


def write(labels: list[Label], path: Path) -> None:
    """Write a sheet; the ending decides: .svg or .pdf. Raises Problem."""
    check(path)
    try:
        made = pdf(labels) if path.suffix == ".pdf" else svg(labels).encode()
    except ValueError as e:  # segno: more than a QR code can say
        raise Problem(f"{path}: a label cannot be made ({e}): give the network a shorter name") from None
    try:
        path.write_bytes(made)
    except OSError as e:
        raise Problem(f"{path}: cannot be written ({e.strerror}): give another file") from None
