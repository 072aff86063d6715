"""Stands in for grpcurl where that is not installed: the same calls, by the server's reflection.

Understands of its command line what clients/README.md uses, and refuses everything else:

    grpcurl [-plaintext] [-H 'NAME: VALUE'] [-d JSON | -d @] HOST:PORT PACKAGE.SERVICE/METHOD
"""

import argparse
import sys
import warnings

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def main() -> None:
    """Makes the call of the command line, and prints each answer as JSON."""
    parser = argparse.ArgumentParser(prog="grpcurl", allow_abbrev=False)
    parser.add_argument("-plaintext", action="store_true", required=True)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", default="{}")
    parser.add_argument("address")
    parser.add_argument("method")
    options = parser.parse_args()
    metadata = [tuple(part.strip() for part in header.split(":", 1)) for header in options.H]
    metadata = [(name.lower(), value) for name, value in metadata]
    service, method = options.method.split("/")
    with grpc.insecure_channel(options.address) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        described = pool.FindServiceByName(service).FindMethodByName(method)
        request = json_format.Parse(
            sys.stdin.read() if options.d == "@" else options.d,
            GetMessageClass(described.input_type)(),
            descriptor_pool=pool,
        )
        call = (channel.unary_stream if described.server_streaming else channel.unary_unary)(
            f"/{service}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(described.output_type).FromString,
        )
        try:
            answer = call(request, metadata=metadata, timeout=60)
            for message in answer if described.server_streaming else [answer]:
                print(json_format.MessageToJson(message, descriptor_pool=pool), flush=True)
        except grpc.RpcError as error:
            print(f"ERROR:\n  Code: {error.code().name}\n  Message: {error.details()}", file=sys.stderr)
            sys.exit(64 + error.code().value[0])  # as grpcurl does


if __name__ == "__main__":
    main()
