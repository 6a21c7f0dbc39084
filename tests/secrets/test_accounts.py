from __future__ import annotations

from dataclasses import replace

import pytest

from tui.config.accounts import Account, AccountError, AccountStore, UnknownAccount, make_account
from tui.config.paths import Paths
from tui.config.settings import SettingsError

URL = "https://api.example.com"


def liner(name: str = "liner", **more: str) -> Account:
    return make_account(name, "liner", URL, more)


@pytest.fixture
def store(paths: Paths) -> AccountStore:
    return AccountStore(paths)


def test_a_name_keeps_its_case_and_is_found_in_any(store: AccountStore) -> None:
    store.add(liner("Desk-EU"))
    assert store.get("desk-eu").name == "Desk-EU"
    with pytest.raises(AccountError):
        store.add(liner("desk-eu"))
    removed = store.remove("DESK-EU")
    assert removed is not None and removed.name == "Desk-EU"
    assert not store.list()


@pytest.mark.parametrize("bad", ["", "-a", "_a", "a b", "a.b", "a/b", "é", "a" * 41, "a\n"])
def test_a_name_that_a_variable_cannot_carry_is_refused(bad: str) -> None:
    with pytest.raises(AccountError, match="cannot name an account"):
        liner(bad)


@pytest.mark.parametrize(
    "bad", ["http://api.example.com", "https://u:p@h.com", "https://h/?a=1", ""]
)
def test_a_base_url_that_is_not_safe_is_refused(bad: str) -> None:
    with pytest.raises(AccountError, match=r"^account x: a base URL"):
        make_account("x", "liner", bad)


def test_ids_are_checked_and_kept_as_typed() -> None:
    assert liner(order_ids=" 1000-1060,1071 ").settings == {"order_ids": "1000-1060,1071"}
    with pytest.raises(AccountError, match=r"lead_ids: '12x' is neither"):
        liner(lead_ids="12x")


@pytest.mark.parametrize("key", ["token", "api_key", "client_secret", "Password", "access-token"])
def test_a_token_in_the_settings_is_refused_unshown(key: str) -> None:
    with pytest.raises(AccountError, match="looks like a token") as caught:
        liner(**{key: "tok-SENTINEL"})
    assert "tok-SENTINEL" not in repr(caught.value)


def test_an_added_account_is_read_back_bound_to_its_origin(
    store: AccountStore, paths: Paths
) -> None:
    added = store.add(replace(liner(order_ids="1-3"), token_command="pass show x"))
    assert added.bound_to == "https://api.example.com:443"
    assert store.list() == (added,)
    assert store.get("LINER") == added
    assert AccountStore(paths).read() == ((added,), ())
    with pytest.raises(AccountError, match="already an account liner"):
        store.add(liner())
    assert paths.config_file.stat().st_mode & 0o777 == 0o600


def test_an_unknown_name_is_told_the_known_ones(store: AccountStore) -> None:
    with pytest.raises(UnknownAccount) as caught:
        store.get("x")
    assert caught.value.hint == "Add one with: ringback accounts add"
    store.add(liner())
    store.add(make_account("cx", "cinnox", URL))
    with pytest.raises(UnknownAccount) as caught:
        store.get("\x1b[31m")
    assert "\x1b" not in caught.value.message
    assert caught.value.hint == "There is: liner, cx."


def test_two_names_may_not_share_a_variable(store: AccountStore, paths: Paths) -> None:
    store.add(liner("a-b"))
    with pytest.raises(AccountError, match="would share RINGBACK_TOKEN_A_B"):
        store.add(liner("a_b"))
    assert [account.name for account in store.list()] == ["a-b"]


def test_changing_the_origin_unbinds_the_token(store: AccountStore) -> None:
    store.add(liner())
    moved = store.replace(replace(store.get("liner"), base_url="https://b.example.com"))
    assert not moved.bound
    assert not store.get("liner").bound
    assert not store.put(make_account("liner", "liner", "https://c.example.com")).bound
    assert store.put(store.get("liner").given()).bound
    same_origin = store.replace(replace(store.get("liner"), base_url="https://c.example.com/v2"))
    assert same_origin.bound


def test_another_spelling_of_the_same_place_keeps_it_bound(
    store: AccountStore, paths: Paths
) -> None:
    store.add(make_account("liner", "liner", "https://bücher.example"))
    for spelling in ("https://BÜCHER.example:443/v2", "https://xn--bcher-kva.example./"):
        assert replace(store.get("liner"), base_url=spelling).bound
    written_before = replace(store.get("liner"), bound_to="https://bücher.example.:443")
    assert written_before.bound
    assert not replace(written_before, bound_to="").bound


def test_a_base_url_changed_by_hand_unbinds_too(store: AccountStore, paths: Paths) -> None:
    store.add(liner())
    text = paths.config_file.read_text()
    paths.config_file.write_text(text.replace('"https://api.', '"https://evil.', 1))
    assert store.get("liner").base_url == "https://evil.example.com"
    assert not store.get("liner").bound


def test_a_change_keeps_what_the_user_wrote(store: AccountStore, paths: Paths) -> None:
    paths.config_file.write_text(
        "# mine\n[accounts.liner] # the big one\n"
        'provider = "liner"\nbase_url = "https://api.example.com"   # since March\n'
        "order_ids = [1, 2, 5]   # three shops\n"
        'lead_ids = "9"\n[accounts.liner.extra]\nx = 1\n\n[other]\ny = 2 # kept\n'
    )
    account = store.get("liner")
    assert account.settings == {"order_ids": "1,2,5", "lead_ids": "9"}
    assert account.bound
    store.replace(replace(account, settings={"order_ids": "1,2,5"}, token_command="op read x"))
    text = paths.config_file.read_text()
    for kept in ("# mine", "# the big one", "# since March", "[1, 2, 5]   # three shops", "x = 1"):
        assert kept in text
    assert "y = 2 # kept" in text
    assert "lead_ids" not in text
    assert store.get("liner").token_command == "op read x"


def test_remove_takes_out_one_and_even_a_broken_one(store: AccountStore, paths: Paths) -> None:
    store.add(liner())
    store.add(liner("second"))
    removed = store.remove("Liner")
    assert removed is not None
    assert removed.name == "liner"
    assert [account.name for account in store.list()] == ["second"]
    with pytest.raises(UnknownAccount):
        store.remove("liner")
    with paths.config_file.open("a") as file:
        file.write('[accounts.Broken]\nprovider = "liner"\n')
    assert len(store.read()[1]) == 1
    assert store.remove("Broken") is None
    assert store.read()[1] == ()


def test_accounts_with_other_tables_between_them_can_be_changed(
    store: AccountStore, paths: Paths
) -> None:
    paths.config_file.write_text(
        '[accounts.a]\nprovider = "liner"\nbase_url = "https://a.example.com"\n\n'
        '[views.v]\nquery = "missed"\n\n'
        '[accounts.b]\nprovider = "liner"\nbase_url = "https://b.example.com"\n'
    )
    store.add(liner("c"))
    store.replace(replace(store.get("b"), settings={"order_ids": "7"}))
    store.remove("a")
    assert {account.name for account in store.list()} == {"b", "c"}
    assert store.get("b").settings == {"order_ids": "7"}
    assert 'query = "missed"' in paths.config_file.read_text()


def test_unusable_accounts_are_named_and_the_others_serve(
    store: AccountStore, paths: Paths
) -> None:
    paths.config_file.write_text(
        '[accounts.ok]\nprovider = "liner"\nbase_url = "https://a.example.com"\n'
        '[accounts.half]\nprovider = "liner"\n'
        '[accounts.plain]\nprovider = "liner"\nbase_url = "http://a.example.com"\n'
        '[accounts.leak]\nprovider = "liner"\nbase_url = "https://a.example.com"\n'
        'token = "tok-SENTINEL"\n'
    )
    accounts, problems = store.read()
    assert [account.name for account in accounts] == ["ok"]
    assert len(problems) == 3
    assert all(str(paths.config_file) in problem for problem in problems)
    assert "tok-SENTINEL" not in "".join(problems)


def test_a_broken_file_is_not_written_over(store: AccountStore, paths: Paths) -> None:
    paths.config_file.write_text("[accounts\nmine = 1\n")
    with pytest.raises(SettingsError, match="line 1"):
        store.add(liner())
    assert paths.config_file.read_text() == "[accounts\nmine = 1\n"
    with pytest.raises(SettingsError, match="line 1"):
        store.get("mine")
    assert store.list() == ()


@pytest.mark.parametrize("text", ['accounts = "x"\n', "accounts = 5\n", "[[accounts]]\nx = 1\n"])
def test_what_is_no_section_of_accounts_names_none(
    store: AccountStore, paths: Paths, text: str
) -> None:
    paths.config_file.write_text(text)
    with pytest.raises(UnknownAccount) as caught:
        store.remove("x")
    assert caught.value.hint == "There is: none."
