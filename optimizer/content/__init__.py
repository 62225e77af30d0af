"""[cache] Payloads: bytecode and deflate streams by content hash; exact bytes."""

from optimizer.content.bytecode import Compiler, find_compiler
from optimizer.content.credentials import find as find_secrets
from optimizer.content.deflate import COMPRESSOR, Stream
from optimizer.content.exposures import Exposure, find_exposures
from optimizer.content.facts import Facts, find_facts, is_read
from optimizer.content.hashes import file_hashes
from optimizer.content.payload import CODE, END_BYTES, LAYER, Payloads, Place
from optimizer.content.prefixes import endpoint_prefixes
from optimizer.content.source import raw, shipped
from optimizer.content.store import Store

__all__ = [
    "CODE",
    "COMPRESSOR",
    "END_BYTES",
    "LAYER",
    "Compiler",
    "Exposure",
    "Facts",
    "Payloads",
    "Place",
    "Store",
    "Stream",
    "endpoint_prefixes",
    "file_hashes",
    "find_compiler",
    "find_exposures",
    "find_facts",
    "find_secrets",
    "is_read",
    "raw",
    "shipped",
]
