"""What the function makes of hostile pictures: answer, seconds and memory, each in a process of its own.

Run: .venv/bin/python benchmarks/hostile.py [--kind comprehensive] [--only WORDS]
Seconds are of the processor, of the first request in its process: imports of Pillow and boto3 are among them. AWS is a
server on this machine. Exit status 1: something took over 5 s or 512 MB, or the process ended.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.function.hostile_pictures import CASES
from tests.function.hostile_run import KINDS, MOST_BYTES, MOST_SECONDS, Function, aws


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="comprehensive", help="what is asked")
    parser.add_argument("--only", default="", help="cases whose names have these words in them")
    options = parser.parse_args()
    exceeded = 0
    print(f"{'case':<44}{'bytes':>11}  {'answer':<28}{'seconds':>8}{'peak MB':>9}")
    with aws() as cloud, tempfile.TemporaryDirectory() as folder:
        for name, case in CASES.items():
            if options.only not in name or (case.s3 and options.kind == "upload"):
                continue
            data = case.make()
            with Function(cloud, Path(folder)) as function:
                try:
                    outcome = function.ask(options.kind, data, s3=case.s3, readable=bool(case.colors))
                except RuntimeError as error:
                    exceeded += 1
                    print(f"{name:<44}{len(data):>11}  {error}", flush=True)
                    continue
            exceeded += outcome.seconds > MOST_SECONDS or outcome.peak > MOST_BYTES
            answer = f"{outcome.status} {outcome.code}"
            print(
                f"{name:<44}{len(data):>11}  {answer:<28}{outcome.seconds:>8.2f}{outcome.peak / 1e6:>9.0f}", flush=True
            )
    print(f"{exceeded} over {MOST_SECONDS:.0f} s or {MOST_BYTES / 1e6:.0f} MB", file=sys.stderr)
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
