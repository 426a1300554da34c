"""One file a rule, each with one RULE record and its own firing and quiet examples."""
