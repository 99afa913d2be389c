"""A server without a trusted certificate never gets the token."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.errors import UnavailableError
from tests.github.given import NOW, REPOSITORY, client_of

HOST = "127.0.0.1"


def certificate(folder: Path) -> Path:
    """Write a self-signed certificate with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=3650))
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path


@contextmanager
def impostor(path: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Run a TLS server; yield its URL and what it received after the handshake."""
    heard: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server((HOST, 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    heard.append(secured.recv(65536))
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://{HOST}:{listening.getsockname()[1]}", heard
        thread.join(5)


def test_an_impostor_gets_nothing(tmp_path: Path) -> None:
    """Certificates are verified, on this machine as everywhere."""
    with (
        impostor(certificate(tmp_path)) as (url, heard),
        pytest.raises(UnavailableError, match="no answer, SSLCertVerificationError"),
    ):
        client_of(url).dispatch(REPOSITORY, "train", {})
    assert heard in ([], [b""])
