"""How a convolution is laid out for kernels that know rows of 64 weights."""

import functools

import numpy as np

from eventsim.kernels.layout import TILE, n_tiles
from eventsim.model.shape import Shape, Window

# Cost of stepping a tile, in rows added for each of its input pixels; only the choice of a patch depends on it.
_STEP_COST = 4
_SIXTEEN = 16


class Patches:
    """A convolution as a dense layer on patches.

    A *patch* is a rectangle of ``rows_out`` x ``columns_out`` neighbouring output positions whose channels fill the 64
    lanes of a tile, or one position whose channels fill several. What it sees of the input is ``rows_in`` x
    ``columns_in`` pixels of every channel. All patches share one matrix, with a row for each ``(channel, y, x)`` of
    those; the input spikes of a patch are a list of such rows. Tiles are numbered ``channel_tile * n_patches + patch``.

    Attributes
    ----------
    neuron : int32[tiles, 64], the address of every lane, -1 where there is none: at the lower and right end, and where
        the channels do not fill a tile
    weight_index : int32[channel_tiles, n_rows, 64], the weight (in the order of `Conv.weight`) that a lane has for a
        row, -1 for none
    """

    def __init__(self, given: Shape, shape: Shape, window: Window, groups: int):
        self._given, self._shape, self._window, self._groups = given, shape, window, groups
        self.rows_out, self.columns_out = self._choose()
        self.down, self.across = -(-shape.height // self.rows_out), -(-shape.width // self.columns_out)
        self.rows_in, self.columns_in = self._seen(self.rows_out), self._seen(self.columns_out)
        self.step_down, self.step_across = self.rows_out * window.stride, self.columns_out * window.stride
        self.n_patches = self.down * self.across
        self.n_rows = given.channels * self.rows_in * self.columns_in
        self.channel_tiles = n_tiles(shape.channels)

    @functools.cached_property
    def reach(self):
        """The patches that look at each pixel of the input, and its row there in the first channel: (ptr, patch, row).

        Not those that only have it between the taps of a window or beside it.
        Pixel i owns the entries ptr[i]..ptr[i + 1] - 1; ptr is int64[height * width + 1], the others are int32.
        """
        down, y, is_down = self._seeing(self._given.height, self.rows_in, self.step_down, self.down)
        across, x, is_across = self._seeing(self._given.width, self.columns_in, self.step_across, self.across)
        sees = is_down[:, None, :, None] & is_across[None, :, None, :]
        patch = down[:, None, :, None] * self.across + across[None, :, None, :]
        row = y[:, None, :, None] * self.columns_in + x[None, :, None, :]
        sees &= self.has_tap[np.where(sees, row, 0)]
        ptr = np.concatenate(([0], np.cumsum(sees.sum(axis=(2, 3)))))
        return ptr, patch[sees].astype(np.int32), row[sees].astype(np.int32)

    @functools.cached_property
    def has_tap(self):
        """Whether any window of a patch looks at each of its pixels, bool[rows_in * columns_in]."""
        return (self.weight_index >= 0).any(axis=(0, 2)).reshape(self._given.channels, -1).any(axis=0)

    @property
    def geometry(self) -> dict:
        """The numbers with which `row_of` works."""
        return {"width": self._given.width, "padding": self._window.padding} | {
            name: getattr(self, name) for name in ("across", "step_down", "step_across", "rows_in", "columns_in")}

    @property
    def sums_by_sixteen(self) -> bool:
        """Whether `parts` can say what a layer is: channels by sixteens, in one tile and one group."""
        return self._shape.channels % _SIXTEEN == 0 and self.channel_tiles == 1 and self._groups == 1

    @functools.cached_property
    def parts(self):
        """For `sum_patches`: who sees each pixel, and which sixteen of its lanes gain which of a channel's weights.

        (ptr, patch, to, from): ptr is int64[height * width + 1]; the others are int32.
        """
        ptr, patch, row = self.reach
        first_weight = self.weight_index[0, row, ::_SIXTEEN]
        entry, sixteen = np.nonzero(first_weight >= 0)
        to = (sixteen * _SIXTEEN).astype(np.int32)
        return np.searchsorted(entry, ptr), patch[entry], to, first_weight[entry, sixteen]

    def _seeing(self, pixels, size, step, n):
        """Of every pixel in a line, the patches that see it, which of their pixels it is, and whether that is so."""
        place = np.arange(pixels)[:, None] + self._window.padding
        patch = place // step - np.arange(-(-size // step))[::-1]
        own = place - patch * step
        return patch, own, (patch >= 0) & (patch < n) & (own < size)

    def _seen(self, positions):
        """Pixels that so many neighbouring positions see."""
        return (positions - 1) * self._window.stride + self._window.span

    def _choose(self):
        """The rectangle with the least work a position."""
        shape = self._shape
        most = max(1, TILE // shape.channels)
        choices = [
            (rows, columns) for rows in range(1, min(most, shape.height) + 1)
            for columns in range(1, min(most // rows, shape.width) + 1)
        ]
        return min(choices, key=lambda c: (
            (self._seen(c[0]) * self._seen(c[1]) + _STEP_COST) * -(-shape.height // c[0]) * -(-shape.width // c[1]),
            c[0] * c[1],
        ))

    def _lanes(self):
        """(row, column, channel in the tile) of every lane, int64[3, 64]; lanes past the last position are of none."""
        width = min(TILE, self._shape.channels)
        position, channel = np.divmod(np.arange(TILE), width)
        row, column = np.divmod(position, self.columns_out)
        return np.stack((row, column, channel))

    @functools.cached_property
    def neuron(self):
        """The address of every lane; see the class."""
        shape = self._shape
        row, column, channel = self._lanes()
        tile, patch = np.divmod(np.arange(self.channel_tiles * self.n_patches)[:, None], self.n_patches)
        y = patch // self.across * self.rows_out + row
        x = patch % self.across * self.columns_out + column
        channel = tile * TILE + channel
        inside = (row < self.rows_out) & (y < shape.height) & (x < shape.width) & (channel < shape.channels)
        address = channel * shape.positions + y * shape.width + x
        return np.where(inside, address, -1).astype(np.int32)

    @functools.cached_property
    def weight_index(self):
        """The weight of every row and lane; see the class."""
        window, shape = self._window, self._shape
        lane_row, lane_column, lane_channel = self._lanes()
        channel_in, y, x = np.unravel_index(
            np.arange(self.n_rows), (self._given.channels, self.rows_in, self.columns_in)
        )
        dy, fits_y = self._tap(y, lane_row)
        dx, fits_x = self._tap(x, lane_column)
        channel = np.arange(self.channel_tiles)[:, None, None] * TILE + lane_channel
        inside = fits_y & fits_x & (lane_row < self.rows_out) & (channel < shape.channels)
        a_group_in, a_group_out = self._given.channels // self._groups, shape.channels // self._groups
        own, member = np.divmod(channel_in, a_group_in)
        inside = inside & (channel // a_group_out == own[:, None])
        index = ((member[:, None] * window.size + dy) * window.size + dx) * shape.channels + channel
        return np.where(inside, index, -1).astype(np.int32)

    def _tap(self, pixel, position):
        """Which tap of the window of ``position`` looks at ``pixel``, and whether any does, [pixels, lanes] each."""
        tap, off = np.divmod(pixel[:, None] - position * self._window.stride, self._window.dilation)
        return tap, (off == 0) & (tap >= 0) & (tap < self._window.size)

    @functools.cached_property
    def borders(self):
        """Which rows are pixels of the input and not of its padding, for every kind of patch, and the kind of each.

        bool[kinds, n_rows] and int64[n_patches]; without padding there is one kind.
        """
        patch = np.arange(self.n_patches)
        y = self._on_plane(patch // self.across * self.step_down, self.rows_in, self._given.height)
        x = self._on_plane(patch % self.across * self.step_across, self.columns_in, self._given.width)
        plane = (y[:, :, None] & x[:, None, :]).reshape(self.n_patches, -1)
        kinds, kind = np.unique(plane, axis=0, return_inverse=True)
        return np.tile(kinds, (1, self._given.channels)), kind.reshape(-1)

    def _on_plane(self, first, size, limit):
        pixel = first[:, None] - self._window.padding + np.arange(size)
        return (pixel >= 0) & (pixel < limit)

    def row_of(self, patch, address):
        """The row that a presynaptic address is in a patch, -1 where the patch does not see it; arrays that broadcast.

        An address below 0 is seen by nobody.
        """
        channel, pixel = np.divmod(address, self._given.positions)
        y, x = np.divmod(pixel, self._given.width)
        y = y + self._window.padding - patch // self.across * self.step_down
        x = x + self._window.padding - patch % self.across * self.step_across
        seen = (address >= 0) & (y >= 0) & (y < self.rows_in) & (x >= 0) & (x < self.columns_in)
        return np.where(seen, (channel * self.rows_in + y) * self.columns_in + x, -1)

    def expand(self, packed):
        """float32[channel_tiles, n_rows, 64], the matrix of the weights ``packed``, in `Conv.packed`'s layout."""
        return np.where(self.weight_index >= 0, packed.reshape(-1)[self.weight_index], np.float32(0.0))

    def spread(self, packed):
        """float32[channel_tiles, n_rows, 64] in which every weight stands in one of its places: what `fold` undoes."""
        out = np.zeros(self.weight_index.shape, np.float32)
        out.reshape(-1)[self._places] = packed.reshape(-1)
        return out

    @functools.cached_property
    def _places(self):
        """Where every weight stands first."""
        index, first = np.unique(self.weight_index, return_index=True)
        return first[index >= 0]

    def fold(self, gradient, like):
        """The adjoint of `expand`: float32 of the shape of ``like``, every weight's sum over rows and lanes."""
        valid = self.weight_index >= 0
        sums = np.bincount(self.weight_index[valid], gradient[valid], minlength=like.size)
        return sums.reshape(like.shape).astype(np.float32)
