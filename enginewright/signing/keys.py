"""Keys in PEM files. Ed25519 alone: one algorithm, no parameters to get wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.errors import AttestationError, RequirementError

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

_MOST_BYTES = 1 << 16
_MAKE = "openssl genpkey -algorithm ed25519 -out private.pem; openssl pkey -in private.pem -pubout -out public.pem"


def signer_of(path: Path, root: Path, password: str | None = None) -> CryptoSigner:
    """Return what signs with a private key. A key in the repository at `root` is refused: it would be committed.

    Raises:
        AttestationError: if the file is no Ed25519 private key, needs another password, or lies in the repository.
    """
    _require_library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    if path.resolve().is_relative_to(root.resolve()):
        raise AttestationError(
            "the private key lies in the repository", expected="a file outside it", got=path.name,
            cure="move it out; if it was ever committed or pushed, make a new one",
        )  # fmt: skip
    secret = password.encode() if password else None
    key = _loaded(path, lambda data: load_pem_private_key(data, secret), "private")
    if not isinstance(key, Ed25519PrivateKey):
        raise _other_kind(path, type(key).__name__, "private")
    return CryptoSigner(key)


def public_key_of(path: Path) -> SSlibKey:
    """Return a public key.

    Raises:
        AttestationError: if the file is no Ed25519 public key.
    """
    _require_library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    key = _loaded(path, load_pem_public_key, "public")
    if not isinstance(key, Ed25519PublicKey):
        raise _other_kind(path, type(key).__name__, "public")
    return SSlibKey.from_crypto(key)


def _loaded(path: Path, load: Any, kind: str) -> Any:
    try:
        with path.open("rb") as file:
            return load(file.read(_MOST_BYTES))
    except OSError as error:
        raise AttestationError(
            f"the {kind} key cannot be read: {error.strerror}", expected="a PEM file", got=path.name, cure=_MAKE
        ) from error
    except (
        Exception
    ) as error:  # the library's own, of several kinds; its words may quote the file, so they are not told
        raise AttestationError(
            f"{path.name} is no {kind} key, or needs another password: {type(error).__name__}",
            expected=f"an Ed25519 {kind} key in PEM, its password in SIGNING_PASSWORD if it has one",
            cure=_MAKE,
        ) from None


def _other_kind(path: Path, found: str, kind: str) -> AttestationError:
    return AttestationError(f"{path.name} is a key of another kind", expected=f"Ed25519 {kind}", got=found, cure=_MAKE)


def _require_library() -> None:
    try:
        import cryptography  # noqa: F401
        import securesystemslib  # noqa: F401
    except ImportError as error:
        raise RequirementError(
            f"{error.name}, which signatures need, is not installed", expected=error.name, cure="make setup"
        ) from error
