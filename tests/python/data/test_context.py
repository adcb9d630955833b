from __future__ import annotations

from penstock.data import DataContext, ExecutionOptions, ExecutionResources


def test_there_is_one_current_context():
    assert DataContext.get_current() is DataContext.get_current()


def test_order_is_kept_unless_the_context_says_otherwise():
    assert DataContext().execution_options.preserve_order is True
    assert ExecutionOptions(preserve_order=False).preserve_order is False


def test_a_context_can_be_current_for_a_while():
    before = DataContext.get_current()
    other = DataContext()
    with DataContext.current(other):
        assert DataContext.get_current() is other
    assert DataContext.get_current() is before


def test_rays_other_fields_may_be_set_and_are_copied():
    context = DataContext()
    context.use_push_based_shuffle = True
    assert context.copy().use_push_based_shuffle is True


def test_a_copy_shares_no_options():
    context = DataContext()
    copied = context.copy()
    copied.execution_options.preserve_order = False
    copied.execution_options.resource_limits.cpu = 1
    copied.set_config("key", "value")
    assert context.execution_options.preserve_order is True
    assert context.execution_options.resource_limits.cpu is None
    assert context.get_config("key", "absent") == "absent"


def test_free_settings_can_be_removed():
    context = DataContext()
    context.set_config("key", 1)
    context.remove_config("key")
    context.remove_config("key")
    assert context.get_config("key") is None


def test_resources_are_equal_by_value_and_can_be_changed_in_a_copy():
    assert ExecutionResources(cpu=2) == ExecutionResources(cpu=2)
    assert ExecutionResources(cpu=2).copy(gpu=1) == ExecutionResources(cpu=2, gpu=1)
    assert "cpu=2" in repr(ExecutionResources(cpu=2))
