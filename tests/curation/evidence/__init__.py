"""The statistics of the gates."""
