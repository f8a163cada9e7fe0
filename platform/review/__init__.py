"""Questions of lessons that come back after days: the review queue."""
