"""The functions of texts: `col("a").str`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from penstock.data.expressions.node import Namespace, call

if TYPE_CHECKING:
    from penstock.data.expressions.node import Expr

_PADDING = {"left": "utf8_lpad", "right": "utf8_rpad", "both": "utf8_center"}


class StringNamespace(Namespace):
    """Functions of texts. Positions and lengths count characters; patterns are RE2's."""

    __slots__ = ()

    def len(self) -> Expr:
        """Return the number of characters."""
        return call("utf8_length", self._expr)

    def byte_len(self) -> Expr:
        """Return the number of bytes."""
        return call("binary_length", self._expr)

    def upper(self) -> Expr:
        """Return the text in upper case."""
        return call("utf8_upper", self._expr)

    def lower(self) -> Expr:
        """Return the text in lower case."""
        return call("utf8_lower", self._expr)

    def capitalize(self) -> Expr:
        """Return the text with its first character in upper case, the others in lower case."""
        return call("utf8_capitalize", self._expr)

    def title(self) -> Expr:
        """Return the text with the first character of each word in upper case."""
        return call("utf8_title", self._expr)

    def swapcase(self) -> Expr:
        """Return the text with upper and lower case exchanged."""
        return call("utf8_swapcase", self._expr)

    def is_alpha(self) -> Expr:
        """Return whether there are only letters."""
        return call("utf8_is_alpha", self._expr)

    def is_alnum(self) -> Expr:
        """Return whether there are only letters and digits."""
        return call("utf8_is_alnum", self._expr)

    def is_digit(self) -> Expr:
        """Return whether there are only digits."""
        return call("utf8_is_digit", self._expr)

    def is_decimal(self) -> Expr:
        """Return whether there are only decimal digits."""
        return call("utf8_is_decimal", self._expr)

    def is_numeric(self) -> Expr:
        """Return whether there are only characters that stand for numbers."""
        return call("utf8_is_numeric", self._expr)

    def is_space(self) -> Expr:
        """Return whether there is only white space."""
        return call("utf8_is_space", self._expr)

    def is_lower(self) -> Expr:
        """Return whether all letters are in lower case."""
        return call("utf8_is_lower", self._expr)

    def is_upper(self) -> Expr:
        """Return whether all letters are in upper case."""
        return call("utf8_is_upper", self._expr)

    def is_title(self) -> Expr:
        """Return whether each word begins in upper case and goes on in lower case."""
        return call("utf8_is_title", self._expr)

    def is_printable(self) -> Expr:
        """Return whether all characters can be printed."""
        return call("utf8_is_printable", self._expr)

    def is_ascii(self) -> Expr:
        """Return whether all characters are ASCII's."""
        return call("string_is_ascii", self._expr)

    def starts_with(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return whether the text starts with `pattern`."""
        return call("starts_with", self._expr, pattern=pattern, ignore_case=ignore_case)

    def ends_with(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return whether the text ends with `pattern`."""
        return call("ends_with", self._expr, pattern=pattern, ignore_case=ignore_case)

    def contains(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return whether `pattern` occurs in the text."""
        return call("match_substring", self._expr, pattern=pattern, ignore_case=ignore_case)

    def match(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return whether the text is like SQL's LIKE pattern: % any text, _ any character."""
        return call("match_like", self._expr, pattern=pattern, ignore_case=ignore_case)

    def match_regex(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return whether the regular expression matches anywhere in the text."""
        return call("match_substring_regex", self._expr, pattern=pattern, ignore_case=ignore_case)

    def find(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return the byte where `pattern` first occurs; -1 for nowhere."""
        return call("find_substring", self._expr, pattern=pattern, ignore_case=ignore_case)

    def find_regex(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return the byte where the regular expression first matches; -1 for nowhere."""
        return call("find_substring_regex", self._expr, pattern=pattern, ignore_case=ignore_case)

    def count(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return how often `pattern` occurs, without overlaps."""
        return call("count_substring", self._expr, pattern=pattern, ignore_case=ignore_case)

    def count_regex(self, pattern: str, *, ignore_case: bool = False) -> Expr:
        """Return how often the regular expression matches, without overlaps."""
        return call("count_substring_regex", self._expr, pattern=pattern, ignore_case=ignore_case)

    def extract(self, pattern: str) -> Expr:
        """Return a struct of what the regular expression's named groups match; null for none."""
        return call("extract_regex", self._expr, pattern=pattern)

    def replace(
        self, pattern: str, replacement: str, *, max_replacements: int | None = None
    ) -> Expr:
        """Return the text with `pattern` replaced, the first so many times or always."""
        return call(
            "replace_substring",
            self._expr,
            pattern=pattern,
            replacement=replacement,
            max_replacements=max_replacements,
        )

    def replace_regex(
        self, pattern: str, replacement: str, *, max_replacements: int | None = None
    ) -> Expr:
        r"""Return the text with what the regular expression matches replaced; \1 is a group."""
        return call(
            "replace_substring_regex",
            self._expr,
            pattern=pattern,
            replacement=replacement,
            max_replacements=max_replacements,
        )

    def replace_slice(self, start: int, stop: int, replacement: str) -> Expr:
        """Return the text with the characters from `start` to before `stop` replaced."""
        return call(
            "utf8_replace_slice", self._expr, start=start, stop=stop, replacement=replacement
        )

    def slice(self, start: int, stop: int | None = None, step: int = 1) -> Expr:
        """Return the characters from `start` to before `stop`, as Python's slices do."""
        return call("utf8_slice_codeunits", self._expr, start=start, stop=stop, step=step)

    def split(self, pattern: str, *, max_splits: int | None = None, reverse: bool = False) -> Expr:
        """Return the list of what stands between the `pattern`s; `reverse` splits from the end."""
        return call(
            "split_pattern", self._expr, pattern=pattern, max_splits=max_splits, reverse=reverse
        )

    def split_regex(self, pattern: str, *, max_splits: int | None = None) -> Expr:
        """Return the list of what stands between the matches of the regular expression."""
        return call("split_pattern_regex", self._expr, pattern=pattern, max_splits=max_splits)

    def split_whitespace(self, *, max_splits: int | None = None, reverse: bool = False) -> Expr:
        """Return the list of words between white space."""
        return call("utf8_split_whitespace", self._expr, max_splits=max_splits, reverse=reverse)

    def join(self, separator: str = "") -> Expr:
        """Return one text out of a list of texts; null where one of them is missing."""
        return call("binary_join", self._expr, separator)

    def concat(self, *others: object, separator: str = "") -> Expr:
        """Return the text with the others behind it; null where one of them is missing."""
        return call("binary_join_element_wise", self._expr, *others, separator)

    def reverse(self) -> Expr:
        """Return the characters in reverse."""
        return call("utf8_reverse", self._expr)

    def repeat(self, n: object) -> Expr:
        """Return the text `n` times; a number or an expression."""
        return call("binary_repeat", self._expr, n)

    def strip(self, characters: str | None = None) -> Expr:
        """Return the text without white space, or these characters, at both ends."""
        if characters is None:
            return call("utf8_trim_whitespace", self._expr)
        return call("utf8_trim", self._expr, characters=characters)

    def lstrip(self, characters: str | None = None) -> Expr:
        """Return the text without white space, or these characters, at its start."""
        if characters is None:
            return call("utf8_ltrim_whitespace", self._expr)
        return call("utf8_ltrim", self._expr, characters=characters)

    def rstrip(self, characters: str | None = None) -> Expr:
        """Return the text without white space, or these characters, at its end."""
        if characters is None:
            return call("utf8_rtrim_whitespace", self._expr)
        return call("utf8_rtrim", self._expr, characters=characters)

    def pad(
        self, width: int, fillchar: str = " ", side: Literal["left", "right", "both"] = "right"
    ) -> Expr:
        """Return the text filled up to `width` characters, on the side that is named."""
        if side not in _PADDING:
            raise ValueError(f"side must be 'left', 'right' or 'both'; got: {side!r}")
        return call(_PADDING[side], self._expr, width=width, padding=fillchar)

    def center(self, width: int, padding: str = " ") -> Expr:
        """Return the text filled up to `width` characters on both sides."""
        return call("utf8_center", self._expr, width=width, padding=padding)

    def zfill(self, width: int) -> Expr:
        """Return the text filled up to `width` with zeros behind its sign."""
        return call("utf8_zero_fill", self._expr, width=width)

    def normalize(self, form: Literal["NFC", "NFKC", "NFD", "NFKD"] = "NFC") -> Expr:
        """Return the text in one of Unicode's normal forms."""
        return call("utf8_normalize", self._expr, form=form)

    def strptime(self, format: str, *, unit: str = "us", error_is_null: bool = False) -> Expr:
        """Return the moment that the text says by a format such as "%Y-%m-%d"."""
        return call("strptime", self._expr, format=format, unit=unit, error_is_null=error_is_null)
