"""Line ends of texts: the only thing that is normalised in what people read."""


def unify_line_ends(text: str) -> str:
    """Writes CR LF and CR as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
