"""Models that draw by following a field from noise to pictures, or by undoing noise step by step."""
