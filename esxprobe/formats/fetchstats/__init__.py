"""Raw counters of vSphere's service `Esxtop` (`CounterInfo`, `FetchStats`) as the text that `esxtop -b` prints.

In the order in which bytes pass: `fields` (which fields a type has), `dumps` (where one FetchStats begins and
ends), `snapshot` (its lines as checked numbers), `formulas` (which counter is worked out how, how sure that is),
`derive` (two snapshots to counters), `as_esxtop` (header and rows).
"""
