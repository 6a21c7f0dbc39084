"""What the shared tests compare is shown where it differs."""

import pytest

pytest.register_assert_rewrite(
    "tests.contract.archive_people",
    "tests.contract.archive_reading",
    "tests.contract.archive_writing",
    "tests.contract.search_model",
)
