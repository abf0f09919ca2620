"""Schema changes, in order. Applied by `storage.migrate`; shipped inside the package."""
