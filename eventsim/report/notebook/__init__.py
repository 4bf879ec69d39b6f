"""How recordings, spikes, networks and runs show themselves in a notebook: a page's fragment each, small and quick.

Text takes the page's colour, so that it can be read on light and dark; pictures are transparent. Nothing is loaded from
elsewhere, and styles are written into the elements, since notebooks remove scripts and style sheets.
"""
