"""vm-support bundles as input: facts, monitor modes, logs and captures, out of an archive that is not trusted.

In the order in which bytes pass: `detect` (whether a file is one), `archive` and `zipped` (the files of an archive,
each a `member`, with limits), `contents` (what each is, by its name), `gathered` (what is taken out in one pass),
`command_outputs` and `vms` (what it means), `support_bundle` (all of it as one record).
"""
