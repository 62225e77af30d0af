"""[pure, but for read] What there is and what is wanted → change set."""
