"""Colours of a heat map: light to dark blue, which every colour vision orders alike."""

LIGHT, MIDDLE, DARK = (247, 251, 255), (107, 174, 214), (8, 48, 107)


def heat(value: float) -> tuple[str, str]:
    """Background and ink, "#rrggbb", of a percentage; the ink is the one of better contrast."""
    share = min(max(value / 100, 0.0), 1.0)
    start, end, along = (LIGHT, MIDDLE, 2 * share) if share < 0.5 else (MIDDLE, DARK, 2 * share - 1)
    mixed = [round(a + (b - a) * along) for a, b in zip(start, end, strict=True)]
    luminance = sum(w * _linear(c) for w, c in zip((0.2126, 0.7152, 0.0722), mixed, strict=True))
    # Contrast with black is (L + .05) / .05, with white 1.05 / (L + .05) (WCAG 2).
    ink = "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"
    return "#{:02x}{:02x}{:02x}".format(*mixed), ink


def _linear(channel: int) -> float:
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
