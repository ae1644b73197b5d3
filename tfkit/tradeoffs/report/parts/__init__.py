"""What opens behind a point: its ledger, parity, measurement, profile and provenance, from its JSON documents."""
