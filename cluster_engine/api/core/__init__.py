"""The core group (its name in the API is the empty string)."""
