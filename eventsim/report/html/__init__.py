"""A profile as one HTML file: pictures as SVG, a little script, nothing from anywhere else."""

from eventsim.report.html.page import Subject, write

__all__ = ["Subject", "write"]
