"""[pure] The IAM policies that deployers and functions need, from one table of what each call takes."""
