"""The purposes of the ledger's benchmarks."""

from __future__ import annotations

OFFER = "benchmark.offer"
PURPOSES = """
[[purpose]]
id = "benchmark.offer"
version = 1
title = { fi = "Mittaus", sv = "Mätning", en = "Measurement" }
description = { fi = "Mittaus", sv = "Mätning", en = "Measurement" }
service = "benchmark"
legal_basis = "eu-gdpr:A6-1-e"
processing = ["human-review", "scoring"]
categories = ["dpv-pd:Education"]
retention_days = 30
consent_days = 365
controller = "City of Example"
recipients = []
effects_of_no = { fi = "Ei mitään", sv = "Ingenting", en = "Nothing" }

[purpose.notice]
id = "benchmark.offer"
version = 1
text = { fi = "Saammeko mitata?", sv = "Får vi mäta?", en = "May we measure?" }
"""
