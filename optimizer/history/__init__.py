"""[reads] Release dates and sizes as scenarios."""
