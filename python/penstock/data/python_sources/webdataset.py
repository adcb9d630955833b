"""What workers do with the samples of `read_webdataset`: decode them, as Ray does."""

from __future__ import annotations

import fnmatch
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Sample = dict[str, Any]
Decoder = Callable[[Sample], Any]

KEY = "__key__"
ARCHIVE = "__url__"
NAMES = "__names__"
DATA = "__data__"

_IMAGES = frozenset({"jpg", "png", "ppm", "pgm", "pbm", "pnm"})
_NEVER_LOADED = frozenset({"pt", "pth", "pickle", "pkl"})


class DecodeSamples:
    """A function of rows: one sample in, the decoded sample out.

    `decoders` are functions of the user's, or formats: what is no function decodes each file by
    what ends its name, and "PIL" leaves images as Pillow has them for the functions that follow.
    """

    def __init__(self, decoders: Sequence[Any], *, expand_json: bool) -> None:
        self.__name__ = "ReadWebDataset"
        self._decoders = decoders
        self._expand_json = expand_json

    def __call__(self, row: Mapping[str, Any]) -> Any:
        """Return the sample, decoded."""
        return self.decoded({name: value for name, value in row.items() if value is not None})

    def decoded(self, sample: Sample) -> Any:
        """Return a sample that has only what its archive has of it."""
        place = f"{sample.get(ARCHIVE)}, sample {sample.get(KEY)}"
        result: Any = sample
        for decoder in self._decoders:
            if callable(decoder):
                try:
                    result = decoder(result)
                except Exception as error:
                    error.add_note(f"This was raised by a decoder at {place}.")
                    raise
            else:
                result = decode_by_suffix(result, place, as_pillow=decoder == "PIL")
        if not isinstance(result, Mapping):
            raise TypeError(
                f"{place}: a decoder must return the sample as a dict; got: {type(result).__name__}"
            )
        result = dict(result)
        if self._expand_json:
            _expand(result, place)
        return {name: _plain(value) for name, value in result.items()}


class GroupSamples:
    """A function of rows: an archive's files in, its decoded samples out.

    Names are chosen and renamed before files become samples, so that the functions may put together
    what the archive calls by different names.
    """

    def __init__(
        self,
        decode: DecodeSamples,
        *,
        rename: Sequence[Callable[[str], str]],
        select: Any,
        suffixes: Any,
    ) -> None:
        self.__name__ = "ReadWebDataset"
        self._decode = decode
        self._rename = rename
        self._select = select
        self._suffixes = suffixes

    def __call__(self, row: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the samples of an archive."""
        rest = {name: value for name, value in row.items() if name not in {NAMES, DATA}}
        for sample in self._samples(row):
            yield self._decode.decoded({**sample, **rest})

    def _samples(self, row: Mapping[str, Any]) -> Iterator[Sample]:
        sample: Sample = {}
        finished: set[str] = set()
        for given, data in zip(row[NAMES], row[DATA], strict=True):
            name = self._renamed(given, row[ARCHIVE])
            key, suffix = split_name(name)
            if not chosen(name, self._select) or key is None:
                continue
            if key != sample.get(KEY):
                if sample:
                    finished.add(sample[KEY])
                    yield sample
                if key in finished:
                    raise ValueError(
                        f"{row[ARCHIVE]}: the files of a sample must follow each other; write the "
                        f"archive sorted by name; this sample's are apart: {key}"
                    )
                sample = {KEY: key}
            if suffix in sample or suffix == ARCHIVE:
                raise ValueError(f"{row[ARCHIVE]}: a sample has a file twice; got: {name}")
            if chosen(suffix, self._suffixes):
                sample[suffix] = data
        if sample:
            yield sample

    def _renamed(self, name: str, archive: str) -> str:
        renamed: Any = name
        for function in self._rename:
            renamed = function(renamed)
        if not isinstance(renamed, str):
            raise TypeError(
                f"{archive}: filerename must return a file's new name (str) for {name!r}; "
                f"got: {renamed!r}"
            )
        return renamed


class KeepSuffixes:
    """A function of rows: decodes only the files whose suffix the user's function chooses."""

    def __init__(self, decode: DecodeSamples, choose: Callable[[str], object]) -> None:
        self.__name__ = "ReadWebDataset"
        self._decode = decode
        self._choose = choose

    def __call__(self, row: Mapping[str, Any]) -> Any:
        """Return the sample, decoded."""
        sample = {
            name: value
            for name, value in row.items()
            if value is not None
            and (name.startswith("__") or not isinstance(value, bytes) or self._choose(name))
        }
        return self._decode.decoded(sample)


def split_name(name: str) -> tuple[str | None, str]:
    """Split at the first dot of a file's own name; a key of None: the file is of no sample."""
    folders, slash, file = name.rpartition("/")
    base, dot, suffix = file.partition(".")
    return (folders + slash + base, suffix) if base and dot else (None, "")


def chosen(name: str, patterns: Any) -> bool:
    """Say whether patterns or a function choose a name; None chooses all."""
    if patterns is None:
        return True
    if callable(patterns):
        return bool(patterns(name))
    for pattern in patterns:
        if "*" in pattern or "?" in pattern:
            if fnmatch.fnmatchcase("." + name, pattern):
                return True
        elif pattern in {name, "." + name}:
            return True
    return False


def decode_by_suffix(sample: Mapping[str, Any], place: str, *, as_pillow: bool) -> Sample:
    """Decode each file by what follows the last dot of its suffix; what is unknown stays bytes.

    Raises:
        ValueError: bytes that are not what the suffix says, or that only pickle could load.
        ImportError: the library that decodes them is not installed.

    """
    decoded = dict(sample)
    for name, value in sample.items():
        if name.startswith("__") or not isinstance(value, bytes):
            continue
        ending = name.rsplit(".", 1)[-1]
        try:
            decoded[name] = _decoded(ending, value, as_pillow=as_pillow)
        except ImportError:
            raise
        except Exception as error:
            raise ValueError(f"{place}, file {name}: it cannot be decoded: {error}") from error
    return decoded


def _decoded(ending: str, value: bytes, *, as_pillow: bool) -> Any:
    if ending in _IMAGES:
        return _image(value, as_pillow=as_pillow)
    if ending in _NEVER_LOADED:
        raise ValueError(
            f"loading .{ending} may run any code that is in it, so that it is never done; give a "
            "decoder of your own for files that you trust, or leave them out by suffixes"
        )
    decode = _DECODERS.get(ending)
    return value if decode is None else decode(value)


def _image(value: bytes, *, as_pillow: bool) -> Any:
    from penstock.data.optional import require

    require("PIL", extra="webdataset", needed_by="The decoder of images in read_webdataset")
    import numpy as np
    from PIL import Image

    image = Image.open(io.BytesIO(value))
    return image if as_pillow else np.asarray(image)


def _message(value: bytes) -> Any:
    from penstock.data.optional import require

    require("msgpack", extra="webdataset", needed_by="The decoder of .mp in read_webdataset")
    import msgpack  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return msgpack.unpackb(value, raw=False)


def _array(value: bytes) -> Any:
    import numpy as np

    return np.load(io.BytesIO(value), allow_pickle=False)


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "txt": bytes.decode,
    "text": bytes.decode,
    "cls": int,
    "cls2": int,
    "json": json.loads,
    "npy": _array,
    "mp": _message,
}


def _expand(sample: Sample, place: str) -> None:
    """Add the fields of the object in the sample's "json"; what is there already gains a value."""
    if "json" not in sample:
        raise ValueError(f"{place}: expand_json needs a file with the suffix json in each sample")
    value = sample["json"]
    if isinstance(value, bytes | str):
        value = json.loads(value)
    if not isinstance(value, Mapping):
        raise TypeError(  # as in Ray
            f"{place}: expand_json needs a JSON object; got: {type(value).__name__}"
        )
    for name, field in value.items():
        there = sample.setdefault(name, [])
        if not isinstance(there, list):
            raise TypeError(f"{place}: the JSON object has a field that the sample has: {name}")
        there.append(field)


def _plain(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if type(value).__module__.partition(".")[0] == "PIL":
        import numpy as np

        return np.asarray(value)
    return value
