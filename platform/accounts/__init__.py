"""Who is here: users, guests, API tokens."""
