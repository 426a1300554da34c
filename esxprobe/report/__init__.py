"""Analysis to documents: view records, charts, one HTML file, one JSON document."""
