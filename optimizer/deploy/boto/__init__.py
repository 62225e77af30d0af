"""The port to AWS over boto3: sessions, pace, and one verb for each need."""
