"""[pure] Problem to Partition with certificate."""
