"""Files on this machine, in S3, Google Cloud Storage and Azure Blob Storage, all through fsspec."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final
from urllib.parse import unquote

from functions.monitor.data.storage_errors import opened, reached
from functions.monitor.errors import UnusableDataError
from functions.monitor.untyped import FileSystem

_WILDCARDS: Final = frozenset("*?[")
# As Hadoop's drivers for S3 leave them beside the data.
_FOLDER_MARKERS: Final = ("_$folder$",)
# As Hive and Spark write a partition without a value.
_NULL_PARTITION: Final = "__HIVE_DEFAULT_PARTITION__"
# The properties that distinguish contents, most reliable first: a checksum, a version, the time of the last change.
_IDENTITIES: Final = ("md5Hash", "ETag", "etag", "LastModified", "last_modified")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that exists.

    Attributes:
        path: where, as its file system calls it.
        size: in bytes.
        identity: changes when the content does.
        below: the folders and the name under the configured folder, or under the part of a pattern without wildcards.
        partitions: the columns that the names of these folders carry, as in `region=eu/`.

    """

    path: str
    size: int
    identity: str
    below: tuple[str, ...] = ()
    partitions: Mapping[str, str | None] = field(default_factory=dict)


class Storage:
    """Finds, reads and writes files by address: a path, `s3://`, `gs://` or `abfs://`.

    Endpoints and credentials come from the drivers' own environment variables, or from the machine.
    """

    def __init__(self, folder: Path, options: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Take relative paths from *folder* on; *options* are for the drivers, by scheme."""
        self._folder = folder
        self._options = options or {}

    def whole(self, address: str) -> str:
        """Return *address*, a relative path as an absolute one."""
        return address if "://" in address else str(self._folder / address)

    def find(self, address: str) -> tuple[FoundFile, ...]:
        """Return the file at *address*, the files below that folder, or those that match the pattern, sorted by path.

        Below the folder, or below the part of the pattern without wildcards, files and folders that are hidden or begin
        with an underscore are left out: markers of Spark, checkpoints of notebooks. So are markers of folders, and
        files without content, which some writers leave for empty partitions.

        Raises:
            UnusableDataError: there is none, or it may not be read.
            UnavailableError: the storage is away.

        """
        filesystem, path = self._place(address)
        with reached(address, "look for it"):
            # A warm function must not see what an earlier call listed.
            filesystem.invalidate_cache()
            found = [(info, below) for info, below in _below(filesystem, path) if _is_file(info)]
            files = [_found(info, below) for info, below in found if info.get("size")]
        if found and not files:
            raise UnusableDataError(f"{address}: holds no data: {len(found)} empty file{'s' * (len(found) > 1)}")
        if not files:
            raise UnusableDataError(f"{address}: no such file exists")
        return tuple(sorted(files, key=lambda file: file.path))

    def enclosing(self, address: str, name: str) -> tuple[str, str] | None:
        """Return the nearest folder at or above *address* that has a folder *name*, and the rest of *address*.

        Folders that may not be listed count as folders without it.
        """
        filesystem, path = self._place(address)
        parts, fixed = path.rstrip("/").split("/"), _fixed_parts(path.rstrip("/"))
        for count in range(fixed, 0, -1):
            folder = "/".join(parts[:count])
            if folder and _has_folder(filesystem, address, f"{folder}/{name}"):
                return folder, "/".join(parts[count:])
        return None

    def has_file(self, address: str, folder: str, pattern: str) -> bool:
        """Whether *folder*, as the file system of *address* calls it, directly holds a file that matches *pattern*."""
        filesystem, _ = self._place(address)
        with reached(address, "look for it"):
            return bool(filesystem.glob(f"{folder}/{pattern}"))

    def copy(self, address: str, folder: str, target: Path) -> None:
        """Copy the files directly in *folder*, as its file system calls it, into *target* on this machine.

        Raises:
            UnusableDataError: one may not be read.
            UnavailableError: the storage is away.

        """
        filesystem, _ = self._place(address)
        with reached(address, "read it"):
            paths = [info["name"] for info in filesystem.ls(folder, detail=True) if _is_file(info) and info.get("size")]
            for path, content in filesystem.cat(paths).items() if paths else ():
                (target / PurePosixPath(path).name).write_bytes(content)

    def stream(self, address: str, file: FoundFile) -> IO[bytes]:
        """Open *file*, which was found at *address*, for reading at any place; only what is read is fetched.

        Errors are those of the driver: `storage_errors.reached` translates them.
        """
        filesystem, _ = self._place(address)
        stream: IO[bytes] = filesystem.open(file.path, "rb", cache_type="none")
        return stream

    @contextmanager
    def open(self, address: str, file: FoundFile) -> Iterator[IO[bytes]]:
        """Open *file* as `stream` does, and close it.

        Raises:
            UnusableDataError: it is gone, or may not be read.
            UnavailableError: the storage is away.

        """
        with reached(address, "read it"), self.stream(address, file) as stream:
            yield stream

    def folders(self, address: str) -> list[str]:
        """Return the names of the folders in the folder at *address*, sorted; none where it does not exist.

        Raises:
            UnusableDataError: it may not be read.
            UnavailableError: the storage is away.

        """
        filesystem, path = self._place(address)
        with reached(address, "list it"):
            filesystem.invalidate_cache()
            try:
                infos = filesystem.ls(path, detail=True)
            except FileNotFoundError:
                return []
        return sorted(Path(info["name"]).name for info in infos if info["type"] == "directory")

    def read(self, addresses: Sequence[str]) -> Mapping[str, bytes]:
        """Return the contents of the files at *addresses* by address, all in one place; those that are not there lack.

        Raises:
            UnusableDataError: one may not be read.
            UnavailableError: the storage is away.

        """
        if not addresses:
            return {}
        filesystem, _ = self._place(addresses[0])
        paths = {self._place(address)[1]: address for address in addresses}
        with reached(addresses[0], "read it"):
            contents = filesystem.cat(list(paths), on_error="return")
            for content in contents.values():
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
        return {paths[path]: content for path, content in contents.items() if isinstance(content, bytes)}

    def write(self, address: str, content: bytes, content_type: str) -> None:
        """Replace the file at *address* in one step: a concurrent reader gets the old one or the new one.

        Raises:
            UnusableDataError: it may not be written.
            UnavailableError: the storage is away.

        """
        filesystem, path = self._place(address)
        with reached(address, "write it"):
            if "://" not in address:
                _write_local(Path(path), content)
            else:
                filesystem.pipe_file(path, content, **_headers(address, content_type))

    def delete_folder(self, address: str) -> None:
        """Delete the folder at *address* with all that is in it.

        Raises:
            UnusableDataError: it may not be deleted.
            UnavailableError: the storage is away.

        """
        filesystem, path = self._place(address)
        with reached(address, "delete it"):
            filesystem.rm(path, recursive=True)

    def _place(self, address: str) -> tuple[FileSystem, str]:
        # Not at the top: only a run needs it.
        import fsspec

        if "://" not in address:
            return fsspec.filesystem("file"), self.whole(address)
        with reached(address, "open it"), opened(address):
            options = self._options.get(address.partition("://")[0], {})
            filesystem, path = fsspec.url_to_fs(address, **options)
        return filesystem, path


def _below(filesystem: FileSystem, path: str) -> list[tuple[Mapping[str, Any], tuple[str, ...]]]:
    fixed = _fixed_parts(path)
    parts = path.split("/")
    if fixed < len(parts):
        folder = "/".join(parts[:fixed])
        infos = filesystem.glob(path, detail=True).values()
    else:
        folder, about = path, filesystem.info(path)
        if about["type"] != "directory":
            return [(about, (PurePosixPath(path).name,))]
        infos = filesystem.find(path, detail=True).values()
    # By the number of parts: drivers spell the same folder in more than one way.
    depth = len(PurePosixPath(filesystem._strip_protocol(folder)).parts)  # noqa: SLF001 - the drivers' own spelling
    found = [(info, PurePosixPath(info["name"]).parts[depth:]) for info in infos]
    return [(info, below) for info, below in found if _is_data(below)]


def _fixed_parts(path: str) -> int:
    parts = path.split("/")
    return next((place for place, part in enumerate(parts) if set(part) & _WILDCARDS), len(parts))


def _is_file(info: Mapping[str, Any]) -> bool:
    # The consoles of all stores create such objects for folders.
    return bool(info["type"] == "file") and not str(info["name"]).endswith(("/", *_FOLDER_MARKERS))


def _has_folder(filesystem: FileSystem, address: str, path: str) -> bool:
    try:
        with reached(address, "look for it"):
            return bool(filesystem.isdir(path))
    except UnusableDataError:
        return False


def _found(info: Mapping[str, Any], below: tuple[str, ...]) -> FoundFile:
    known = next((str(info[key]) for key in _IDENTITIES if info.get(key)), None) or _digest(Path(info["name"]))
    return FoundFile(
        path=info["name"],
        size=int(info["size"]),
        identity=known.strip('"'),
        below=below,
        partitions=_partitions(below[:-1]),
    )


def _partitions(folders: Sequence[str]) -> dict[str, str | None]:
    pairs = [folder.partition("=") for folder in folders if "=" in folder.lstrip("=")]
    return {unquote(name): None if value == _NULL_PARTITION else unquote(value) for name, _, value in pairs}


def _digest(path: Path) -> str:
    # This machine has no checksum at hand, and a copy of the same data has another time.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_data(parts: Sequence[str]) -> bool:
    # As Spark reads it: `_date=2026-11-23` is a partition.
    return not any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in parts)


def _write_local(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, because a rename is atomic only within one file system.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _headers(address: str, content_type: str) -> dict[str, Any]:
    # Each driver hands these to its service in its own words; without them a browser downloads what it should show.
    fresh = "no-cache"
    match address.partition("://")[0]:
        case "s3":
            return {"ContentType": content_type, "CacheControl": fresh}
        case "gs":
            return {"content_type": content_type, "fixed_key_metadata": {"cache_control": fresh}}
        case _:
            return {"content_settings": {"content_type": content_type, "cache_control": fresh}}
