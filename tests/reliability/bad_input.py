"""Bad HTTP requests that have brought other model servers down, by the names that the tests give them."""

__all__ = ["BODIES", "BOMBS", "ENDED", "FRAMES", "SHAPES", "post"]

import json
import struct
import zlib


def post(path, body, **headers):
    """A POST request as bytes; in the names of `headers`, _ stands for -."""
    lines = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    } | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def chunk(kind, data):
    """A chunk of a PNG file as bytes, with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *extra, rows=1_000_000):
    """A small PNG file that says it holds a picture of `width` x `height`."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * rows, 1))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixels + chunk(b"IEND", b"")


BOMBS = {
    "a picture of 900 million pixels": png(30_000, 30_000),
    "a picture of 2^62 pixels": png(2**31 - 1, 2**31 - 1),
    "6x8 pixels that unpack to 64 MiB": png(8, 6, rows=64 << 20),
    "a text of 64 MiB": png(8, 6, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * (64 << 20), 1)), rows=54),
    "a colour profile of 64 MiB": png(
        8, 6, chunk(b"iCCP", b"k\0\0" + zlib.compress(b"a" * (64 << 20), 1)), rows=54
    ),
}

BODIES = {
    "JSON 250,000 deep": b"[" * 250_000,
    "JSON 250,000 deep, and closed": b'{"latents": {"latent": ' + b"[" * 250_000 + b"]" * 250_000 + b"}}",
    "objects 100,000 deep": b'{"latents":' * 90_000 + b"1" + b"}" * 90_000,
    "a number of 100,000 digits": b'{"seed": ' + b"9" * 100_000 + b"}",
    "an exponent of 100,000": b'{"latents": {"latent": [1e100000]}}',
    "NaN": b'{"latents": {"latent": [NaN]}}',
    "minus infinity": b'{"latents": {"latent": [-Infinity]}}',
    "a NUL in a string": b'{"model": "toy-steps\\u0000"}',
    "half a surrogate": b'{"model": "\\ud800"}',
    "100,000 keys": json.dumps({str(i): i for i in range(50_000)}).encode(),
    "200,000 wrong labels": json.dumps({"labels": ["x"] * 200_000}).encode(),
    "200,000 right labels": json.dumps({"labels": [1] * 300_000}).encode(),
    "60,000 seeds": json.dumps({"seeds": {str(i): "x" for i in range(60_000)}}).encode(),
    "60,000 names of latents": json.dumps({"latents": {str(i): 1 for i in range(60_000)}}).encode(),
    "the same key twice": b'{"steps": 2, "steps": 900}',
    "no UTF-8": b'{"model": "\xff\xfe"}',
    "a byte order mark in UTF-16": '{"steps": 2}'.encode("utf-16"),
    "100,000 latents": json.dumps({"latents": {"latent": [0.0] * 100_000}}).encode(),
    "a hollow array": b'{"latents": {"latent": [' + b"[]," * 200_000 + b"[]]}}",
    "n against the latents": json.dumps({"n": 2**31, "latents": {"latent": []}}).encode(),
    "minus one image": b'{"n": -1}',
    "an array of 2^53 steps": b'{"steps": 9007199254740993}',
}


ENDED = b"\r\n\r\n"
CHUNKED = (
    b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
FRAMES = {
    "a chunk of no length": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk of minus one": CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n",
    "a chunk of 2^68": CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\n{}{}{}\r\n0\r\n\r\n",
    "chunks beyond the limit": CHUNKED + (b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 20 + b"0\r\n\r\n",
    "ten thousand chunks of a byte": CHUNKED + b"1\r\n \r\n" * 10_000 + b"0\r\n\r\n",
    "a body behind a wish for another protocol": post(
        "/generate", b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n", Connection="Upgrade", Upgrade="h2c"
    ),
    "headers that go on": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a:\r\n" * 3000,
    "chunked twice over": CHUNKED.replace(b"chunked", b"chunked, chunked") + b"2\r\n{}\r\n0\r\n\r\n",
    "a coding nobody knows": CHUNKED.replace(b"chunked", b"banana") + b"2\r\n{}\r\n0\r\n\r\n",
    "chunked, and a length": CHUNKED.replace(b"Host: localhost", b"Host: localhost\r\nContent-Length: 2")
    + b"2\r\n{}\r\n0\r\n\r\n",
    "two lengths": post("/generate", b"{}").replace(
        b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 3"
    ),
    "no number for a length": post("/generate", b"{}").replace(b"Length: 2", b"Length: two"),
    "a length of minus two": post("/generate", b"{}").replace(b"Length: 2", b"Length: -2"),
    "a length of 2^64": post("/generate", b"{}").replace(b"Length: 2", b"Length: 18446744073709551616"),
    "a length of 2^63": post("/generate", b"{}").replace(b"Length: 2", b"Length: 9223372036854775807"),
    "a length beyond the limit, and nothing else": post("/generate", b"").replace(
        b"Length: 0", b"Length: 9999999"
    ),
    "a body shorter than its length": post("/generate", b"{}").replace(b"Length: 2", b"Length: 20"),
    "a body longer than its length": post("/generate", b'{"steps": 0}').replace(b"Length: 12", b"Length: 3"),
    "a path of 60 kB": b"GET /models/" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: localhost" + ENDED,
    "a path component of 300": b"GET /models/" + b"a" * 300 + b" HTTP/1.1\r\nHost: localhost" + ENDED,
    "a path out of the folder": b"GET /models/../../../../etc/passwd HTTP/1.1\r\nHost: localhost" + ENDED,
    "the same, escaped": b"GET /models/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost" + ENDED,
    "a NUL in a path": b"GET /models/%00 HTTP/1.1\r\nHost: localhost" + ENDED,
    "half an escape": b"GET /models/%f HTTP/1.1\r\nHost: localhost" + ENDED,
    "no UTF-8 in a path": b"GET /models/%ff%fe HTTP/1.1\r\nHost: localhost" + ENDED,
    "a query of 60 kB": b"POST /generate?model="
    + b"a" * 60_000
    + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0"
    + ENDED,
    "10,000 parameters": b"POST /generate?"
    + b"steps=2&" * 7_000
    + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0"
    + ENDED,
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\0b" + ENDED,
    "a bare line feed in a header": b"GET /models/x HTTP/1.1\r\nHost: localhost\r\nX: a\nEvil: b\r" + ENDED,
    "a header without a name": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n: a" + ENDED,
    "a method nobody knows": b"PAINT /generate HTTP/1.1\r\nHost: localhost" + ENDED,
    "HTTP 9.9": b"GET / HTTP/9.9\r\nHost: localhost" + ENDED,
    "no HTTP": b"\x00\x01\x02\x03" + ENDED,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 500,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0",
    "a proxy's CONNECT": b"CONNECT example.com:443 HTTP/1.1\r\nHost: localhost" + ENDED,
    "OPTIONS *": b"OPTIONS * HTTP/1.1\r\nHost: localhost" + ENDED,
}


SHAPES = {
    "2^60 rows": [2**60],
    "dims whose product overflows": [2**32, 2**32, 2**32],
    "dims whose bytes overflow": [2**62, 4],
    "minus one": [-1, 1, 6, 8],
    "minus two, twice": [-2, -2],
    "the least number": [-(2**63)],
    "2^63 - 1": [2**63 - 1],
    "nothing, often": [0] * 100,
    "100,000 axes": [1] * 100_000,
}
