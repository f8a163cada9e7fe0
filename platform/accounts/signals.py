"""Signals of the accounts app."""

from django.dispatch import Signal

#: Sent with `guest` and `account` (both `User`) inside the transaction that is about to delete the guest.
guest_merged = Signal()
