"""[AWS] Remote state, change set, execution: the only part that talks to AWS."""
