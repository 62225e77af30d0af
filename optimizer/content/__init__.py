"""[cache] Payloads: bytecode and deflate streams by content hash; exact bytes."""

from optimizer.content.bytecode import Compiler, find_compiler
from optimizer.content.deflate import COMPRESSOR, Stream
from optimizer.content.facts import find_clients
from optimizer.content.hashes import file_hashes
from optimizer.content.payload import CODE, END_BYTES, LAYER, Payloads, Place
from optimizer.content.prefixes import endpoint_prefixes
from optimizer.content.source import shipped
from optimizer.content.store import Store

__all__ = [
    "CODE",
    "COMPRESSOR",
    "END_BYTES",
    "LAYER",
    "Compiler",
    "Payloads",
    "Place",
    "Store",
    "Stream",
    "endpoint_prefixes",
    "file_hashes",
    "find_clients",
    "find_compiler",
    "shipped",
]
