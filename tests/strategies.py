"""What the property tests draw from, beyond the public strategies of `verify.testing`."""

from __future__ import annotations

from hypothesis import settings

#: For properties that solve differential equations: a quarter of the profile's examples.
costly = settings(max_examples=max(6, settings().max_examples // 4))
