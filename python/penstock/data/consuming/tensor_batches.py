"""How a `DataIterator` hands batches to torch and TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

    from penstock._core import Block
    from penstock.data.consuming.torch_batches import Dtypes, FeatureColumns, FeatureDtypes


class TensorBatchVerbs:
    """iter_torch_batches, to_torch, iter_tf_batches, to_tf.

    They share with `iter_batches`: batch_size, drop_last, prefetch_batches,
    local_shuffle_buffer_size, local_shuffle_seed.
    """

    def iter_torch_batches(
        self,
        *,
        prefetch_batches: int = 1,
        batch_size: int | None = 256,
        dtypes: Dtypes = None,
        device: str = "auto",
        collate_fn: Callable[[dict[str, Any]], Any] | None = None,
        drop_last: bool = False,
        local_shuffle_buffer_size: int | None = None,
        local_shuffle_seed: int | None = None,
        pin_memory: bool = False,
    ) -> Iterable[Any]:
        """Return an iterable of dicts of torch tensors, which the caller may change in place.

        A column whose rows differ in shape becomes a list of tensors. torch has no tensors of text,
        binary, times and nulls: drop such columns, or give a `collate_fn`.

        Args:
            prefetch_batches: how many batches a thread makes ahead, `collate_fn` included.
            batch_size: see `iter_batches`.
            dtypes: of all tensors, or {column: dtype}.
            device: where the tensors are to lie; "auto": on the CPU.
            collate_fn: gets each batch as a dict of NumPy arrays (not to be written to) and returns
                what is to be yielded; without `dtypes`, `device` and `pin_memory`.
            drop_last: see `iter_batches`.
            local_shuffle_buffer_size: see `iter_batches`.
            local_shuffle_seed: see `iter_batches`.
            pin_memory: hand over page-locked memory, from which copies to a GPU are faster.

        Raises:
            ValueError: options that contradict each other.
            ImportError: torch is not installed.
            TypeError: while iterating: a column that torch has no type for.

        """
        from penstock.data.consuming import torch_batches

        torch_batches.check_options(dtypes, device, collate_fn, pin_memory=pin_memory)
        finish: Callable[[Block], Any]
        if collate_fn is None:
            finish = torch_batches.TensorMaker(dtypes, device, pin_memory=pin_memory)
        else:
            collate = collate_fn

            def finish(block: Block) -> Any:
                return collate(blocks.to_numpy(block))

        return self._batches(
            finish,
            prefetch_batches=prefetch_batches,
            batch_size=batch_size,
            drop_last=drop_last,
            local_shuffle_buffer_size=local_shuffle_buffer_size,
            local_shuffle_seed=local_shuffle_seed,
        )

    def to_torch(
        self,
        *,
        label_column: str | None = None,
        feature_columns: FeatureColumns = None,
        label_column_dtype: torch.dtype | None = None,
        feature_column_dtypes: FeatureDtypes = None,
        batch_size: int = 1,
        prefetch_batches: int = 1,
        drop_last: bool = False,
        local_shuffle_buffer_size: int | None = None,
        local_shuffle_seed: int | None = None,
        unsqueeze_label_tensor: bool = True,
        unsqueeze_feature_tensors: bool = True,
    ) -> Any:
        """Return a torch IterableDataset of (features, label) batches; label None without a column.

        Args:
            label_column: the label.
            feature_columns: None: all others, side by side in one tensor. A list: these; a list of
                lists, or a dict of lists: a tensor for each, in a list or dict.
            label_column_dtype: to convert the label to.
            feature_column_dtypes: to convert the features to: one, or as `feature_columns`.
            batch_size: see `iter_batches`.
            prefetch_batches: see `iter_torch_batches`.
            drop_last: see `iter_batches`.
            local_shuffle_buffer_size: see `iter_batches`.
            local_shuffle_seed: see `iter_batches`.
            unsqueeze_label_tensor: make the label a column, of shape (rows, 1).
            unsqueeze_feature_tensors: make each feature a column before they are joined.

        Raises:
            ImportError: torch is not installed.

        """
        from penstock.data.consuming import torch_batches

        torch_batches.import_torch("to_torch")
        batches = self.iter_torch_batches(
            prefetch_batches=prefetch_batches,
            batch_size=batch_size,
            drop_last=drop_last,
            local_shuffle_buffer_size=local_shuffle_buffer_size,
            local_shuffle_seed=local_shuffle_seed,
        )
        return torch_batches.iterable_dataset(
            self,
            lambda: batches,
            label_column=label_column,
            feature_columns=feature_columns,
            label_dtype=label_column_dtype,
            feature_dtypes=feature_column_dtypes,
            unsqueeze_label=unsqueeze_label_tensor,
            unsqueeze_features=unsqueeze_feature_tensors,
        )

    def iter_tf_batches(
        self,
        *,
        prefetch_batches: int = 1,
        batch_size: int | None = 256,
        dtypes: Any = None,
        drop_last: bool = False,
        local_shuffle_buffer_size: int | None = None,
        local_shuffle_seed: int | None = None,
    ) -> Iterable[dict[str, Any]]:
        """Return an iterable of dicts of TensorFlow tensors; ragged columns as RaggedTensors.

        Raises:
            ImportError: TensorFlow is not installed.

        """
        from penstock.data.consuming import tensorflow_batches

        tf = tensorflow_batches.import_tensorflow("iter_tf_batches")

        def finish(block: Block) -> dict[str, Any]:
            return {
                name: tensorflow_batches.to_tensor(
                    tf, values, dtypes.get(name) if isinstance(dtypes, dict) else dtypes
                )
                for name, values in blocks.to_numpy(block).items()
            }

        return self._batches(
            finish,
            prefetch_batches=prefetch_batches,
            batch_size=batch_size,
            drop_last=drop_last,
            local_shuffle_buffer_size=local_shuffle_buffer_size,
            local_shuffle_seed=local_shuffle_seed,
        )

    def to_tf(
        self,
        feature_columns: str | list[str],
        label_columns: str | list[str],
        *,
        additional_columns: str | list[str] | None = None,
        prefetch_batches: int = 1,
        batch_size: int = 1,
        drop_last: bool = False,
        local_shuffle_buffer_size: int | None = None,
        local_shuffle_seed: int | None = None,
        feature_type_spec: Any = None,
        label_type_spec: Any = None,
        additional_type_spec: Any = None,
    ) -> Any:
        """Return a tf.data.Dataset of (features, labels), or (features, labels, additional).

        One column gives a tensor, a list of columns a dict of tensors. Types that are not given as
        a spec are found by reading the first row: where a function returns arrays whose shapes
        vary, give a tf.RaggedTensorSpec.

        Raises:
            ImportError: TensorFlow is not installed.
            ValueError: there are no rows to find the types from.

        """
        from penstock.data.consuming import tensorflow_batches

        tf = tensorflow_batches.import_tensorflow("to_tf")
        groups = [feature_columns, label_columns]
        specs = [feature_type_spec, label_type_spec]
        if additional_columns is not None:
            groups.append(additional_columns)
            specs.append(additional_type_spec)
        if any(spec is None for spec in specs):
            sample = self._sample()
            specs = [
                tensorflow_batches.spec_of(tf, sample, group) if spec is None else spec
                for group, spec in zip(groups, specs, strict=True)
            ]
        batches = self._batches(
            blocks.to_numpy,
            prefetch_batches=prefetch_batches,
            batch_size=batch_size,
            drop_last=drop_last,
            local_shuffle_buffer_size=local_shuffle_buffer_size,
            local_shuffle_seed=local_shuffle_seed,
        )
        return tensorflow_batches.generated(tf, lambda: batches, groups, specs)

    def _sample(self) -> dict[str, Any]:
        """Return the first row as a batch; columns that may be ragged as arrays of arrays."""
        raise NotImplementedError

    def _batches(
        self,
        finish: Callable[[Block], Any],
        *,
        prefetch_batches: int,
        batch_size: int | None,
        drop_last: bool,
        local_shuffle_buffer_size: int | None,
        local_shuffle_seed: int | None,
    ) -> Iterable[Any]:
        """Run the data set and yield what `finish` makes of blocks of `batch_size` rows."""
        raise NotImplementedError
