"""X.509 certificates and revocation lists as RFC 5280 wants them, so that strict checkers agree.

The only file that knows the `cryptography` library; what it makes is PEM.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLOCK_SLACK = timedelta(days=1)
"""Certificates are valid from a day before they are made: a room's clock may be behind."""

PrivateKey = ec.EllipticCurvePrivateKey


class Issued(NamedTuple):
    """A certificate and its private key, PEM; `serial` in hexadecimal."""

    certificate: bytes
    key: bytes
    serial: str


class Issuer(NamedTuple):
    """What signs: a CA's certificate and key."""

    certificate: x509.Certificate
    key: PrivateKey

    @classmethod
    def from_pem(cls, certificate: bytes, key: bytes) -> Issuer:
        """Of our own CA, whose key is on P-256 and has no password. Raises ValueError for what is no PEM."""
        private = serialization.load_pem_private_key(key, password=None)
        assert isinstance(private, ec.EllipticCurvePrivateKey), "our CAs have P-256 keys"
        return cls(x509.load_pem_x509_certificate(certificate), private)


def make_authority(name: str, now: datetime, lifetime: timedelta) -> Issued:
    """A self-signed CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = _builder(subject, subject, key, now, lifetime)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return _issued(builder.sign(key, hashes.SHA256()), key)


def make_client(issuer: Issuer, name: str, now: datetime, lifetime: timedelta) -> Issued:
    """For a room or an operator: the common name is who it is to the broker."""
    return _make_leaf(issuer, name, now, lifetime, ExtendedKeyUsageOID.CLIENT_AUTH, [])


def make_server(issuer: Issuer, hosts: list[str], now: datetime, lifetime: timedelta) -> Issued:
    """For the broker, which rooms know by these names and addresses."""
    names = [_general_name(host) for host in hosts]
    return _make_leaf(issuer, hosts[0], now, lifetime, ExtendedKeyUsageOID.SERVER_AUTH, names)


def make_revocation_list(
    issuer: Issuer, revoked: Iterable[tuple[str, datetime]], now: datetime, lifetime: timedelta
) -> bytes:
    """A CRL of (serial, since). It lives as long as said: an outdated one locks everybody out."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - CLOCK_SLACK)
        .next_update(now + lifetime)
        .add_extension(_authority_key(issuer.key), critical=False)
    )
    for serial, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
        builder = builder.add_revoked_certificate(entry.revocation_date(since).build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _make_leaf(
    issuer: Issuer,
    name: str,
    now: datetime,
    lifetime: timedelta,
    purpose: x509.ObjectIdentifier,
    alternative_names: list[x509.GeneralName],
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(name), issuer.certificate.subject, key, now, lifetime)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(digital_signature=True), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(_authority_key(issuer.key), critical=False)
    if alternative_names:
        names = x509.SubjectAlternativeName(alternative_names)
        builder = builder.add_extension(names, critical=False)
    return _issued(builder.sign(issuer.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _issued(certificate: x509.Certificate, key: PrivateKey) -> Issued:
    return Issued(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        format(certificate.serial_number, "x"),
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _authority_key(key: PrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
