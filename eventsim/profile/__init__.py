"""How sparse a network is: what every layer's neurons do, what that costs, and what it would cost elsewhere."""

from eventsim.profile.backward import BackwardProfile
from eventsim.profile.profile import Profile

__all__ = ["BackwardProfile", "Profile"]
