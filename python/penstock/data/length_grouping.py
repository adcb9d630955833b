"""`GroupByLength`: batches of rows of like length, so that little of a batch is padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.data import arguments

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH_COLUMN = "__penstock_length"


class Grouping(NamedTuple):
    """What the engine is told, by the names of its options."""

    column: str
    drops_column: bool
    window_rows: int
    padded_length_max: int


class GroupByLength:
    """Gives a function batches of rows of like length; the rows keep their order behind it.

    A model that pads a batch to its longest row computes mostly padding where short and long rows
    meet. With this, the rows of a window are sorted by length, cut into batches, and put back into
    their order once the function has answered. It must return one row for one row, in order.

    Args:
        by: what a row's length is. A column's name: the length of its text, binary or list, or the
            column's own number where it holds integers. Or a function that gets a batch (a dict of
            arrays) and returns a length for each row. Or a tokenizer, together with `column`: an
            object with `encode`, or whatever returns "input_ids" when called with a list of texts,
            such as `functools.partial(tokenizer, truncation=True)`.
        column: the column whose texts the tokenizer gets; for tokenizers alone.
        max_padded_length: a batch has at most so much of rows times its longest row; beside
            `batch_size` or instead of it.
        window_rows: how many rows are sorted at once; by default it follows from the batch size.

    Raises:
        TypeError: `by` is none of these.
        ValueError: `column` without a tokenizer, a tokenizer without it, or a number below 1.

    """

    def __init__(
        self,
        by: str | Callable[..., Any] | object,
        *,
        column: str | None = None,
        max_padded_length: int | None = None,
        window_rows: int | None = None,
    ) -> None:
        is_tokenizer = hasattr(by, "encode") and not isinstance(by, str)
        if not isinstance(by, str) and not callable(by) and not is_tokenizer:
            raise TypeError(
                "A length is a column's name, a function of batches or a tokenizer; "
                f"got: {type(by).__name__}"
            )
        if isinstance(by, str):
            arguments.check_column_name(by)
            if column is not None:
                raise ValueError(
                    f"column belongs to a tokenizer; {by!r} is a column; got: {column!r}"
                )
        elif is_tokenizer and column is None:
            raise ValueError(
                "A tokenizer needs the column whose texts it gets: "
                f"GroupByLength(tokenizer, column='text'); got: {type(by).__name__}"
            )
        if column is not None and not isinstance(column, str):
            raise TypeError(f"column must be a column's name; got: {column!r}")
        self.by = by
        self.column = column
        self.max_padded_length = _checked("max_padded_length", max_padded_length)
        self.window_rows = _checked("window_rows", window_rows)

    def __repr__(self) -> str:
        given = ((name, value) for name, value in vars(self).items() if value is not None)
        return f"GroupByLength({', '.join(f'{name}={value!r}' for name, value in given)})"

    def length_function(self) -> AddLengths | None:
        """Return what adds the column of lengths; None where a column is there already."""
        return None if isinstance(self.by, str) else AddLengths(self.by, self.column)

    def grouping(self) -> Grouping:
        """Return what the engine is told."""
        is_column = isinstance(self.by, str)
        return Grouping(
            column=str(self.by) if is_column else _LENGTH_COLUMN,
            drops_column=not is_column,
            window_rows=self.window_rows or 0,
            padded_length_max=self.max_padded_length or 0,
        )


class AddLengths:
    """Runs in workers: adds the hidden column of lengths to a batch, whose other columns it keeps.

    With `column`, `by` is a tokenizer, else a function of batches.
    """

    def __init__(self, by: Any, column: str | None) -> None:
        self.by = by
        self.column = column

    def __call__(self, batch: Any) -> Any:
        """Return the batch, packed as it came, as a table with one column more."""
        import numpy as np

        from penstock.worker import batches

        lengths = self._lengths(batches.to_numpy(batch))
        column = np.asarray(lengths)
        if column.shape != (batch.rows,) or not np.issubdtype(column.dtype, np.integer):
            raise ValueError(
                f"A length is a whole number, one for each of the {batch.rows} rows; "
                f"got: {column.dtype} of shape {column.shape}"
            )
        table = batches.to_pyarrow(batch)
        return table.append_column(_LENGTH_COLUMN, [column.astype(np.int64)])

    def _lengths(self, columns: dict[str, Any]) -> Any:
        if not columns or self.column is None:
            return self.by(columns)
        texts = ["" if text is None else text for text in columns[self.column]]
        if not callable(self.by):
            return [_token_count(self.by.encode(text)) for text in texts]
        encoded = self.by(texts)
        if "attention_mask" in encoded:
            return [sum(mask) for mask in encoded["attention_mask"]]
        return [len(ids) for ids in encoded["input_ids"]]


def _token_count(encoded: Any) -> int:
    """Count the tokens of one text, without padding, which Hugging Face's tokenizers may add."""
    mask = getattr(encoded, "attention_mask", None)
    return len(getattr(encoded, "ids", encoded)) if mask is None else sum(mask)


def made_grouping(group_by_length: object) -> GroupByLength | None:
    """Return what `group_by_length=` asks for.

    Raises:
        TypeError, ValueError: as of `GroupByLength`.

    """
    if group_by_length is None or isinstance(group_by_length, GroupByLength):
        return group_by_length
    return GroupByLength(group_by_length)


def _checked(name: str, number: int | None) -> int | None:
    return None if number is None else arguments.at_least_one(name, number)
