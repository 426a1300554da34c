"""What a worker of a cluster imports before its work: what this run of the tests has drawn is not drawn again."""

import drawn

drawn.choose("")
