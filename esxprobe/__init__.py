"""esxprobe: an esxtop capture in, one self-contained findings report out."""

__version__ = "0.1.0"
