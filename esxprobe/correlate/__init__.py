"""Guest faults against vCPU time: the statistics, and the words that they allow."""
