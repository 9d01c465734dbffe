"""Words of texts for people that follow a number. Pure."""


def counted(number: int, what: str, plural: str = "") -> str:
    """A number and what it counts: "1 host", "2,000 hosts"; the plural adds an s unless it is given."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"
