"""Columnar copies of captures: Parquet by object, everything else beside it, and nothing lost.

In the order in which a copy comes about and is read again: `grid` (which cell stands where), `cells` (text to
numbers that give the same text back), `cutter` (rows taken apart into such), `slab` (some hundred samples as
Parquet), `order` (what stood where, and what stays text), `store` (the folder, its manifest and sums), `record` (a
capture into a copy), `replay` with `groups` (a copy in place of its capture), `back` (the capture's text again),
`opening` (a reader for either).
"""
