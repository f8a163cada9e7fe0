"""Lab runs: their life, their journal, the engine hosts that carry them, the way to them."""
