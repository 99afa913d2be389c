"""`python -m retrain_trigger`: the same as `retrain`."""

import sys

from retrain_trigger.launcher import main

sys.exit(main())
