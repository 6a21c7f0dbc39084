"""The sidebar: what it lists, how it is walked, and what it asks for."""

from __future__ import annotations

from tests.widgets.hosts import ACCOUNTS, VIEWS, Host, Seen, sidebar_host
from widgets.sidebar import ALL, AccountItem, Sidebar, count_text


def text_of(host: Host) -> list[str]:
    sidebar = host.query_one(Sidebar)
    return [sidebar.render_line(y).text.rstrip() for y in range(sidebar.size.height)]


def test_counts() -> None:
    assert [count_text(count) for count in (None, 0, 999_999, 1_250_000)] == [
        "",
        "0",
        "999,999",
        "1.2M",
    ]


async def test_accounts_stand_below_their_vendors_with_their_state_in_words() -> None:
    host = sidebar_host()
    async with host.run_test(size=(60, 40)) as pilot:
        await pilot.pause()
        lines = text_of(host)
        assert lines[:2] == ["> All calls", "Views"]
        assert lines[2].split() == ["1", "Missed", "today", "12"]
        assert [line for line in lines if line and line[0].isupper()] == [
            "Views", "Liner", "CINNOX", "Nectar Desk",
        ]  # fmt: skip
        for item in ACCOUNTS:
            at = next(i for i, line in enumerate(lines) if line.startswith(f"  {item.name}"))
            assert lines[at + 1].strip().startswith(item.state)


async def test_walking_skips_what_cannot_be_chosen() -> None:
    host = sidebar_host()
    hook = Seen(Sidebar.Chosen)
    async with host.run_test(size=(60, 40), message_hook=hook) as pilot:
        sidebar = host.query_one(Sidebar)
        await pilot.press("k")
        assert sidebar.cursor == ALL
        cursors = []
        for _ in range(5):
            await pilot.press("j")
            cursors.append(sidebar.cursor)
        assert cursors == [
            *(("view", view.id) for view in VIEWS),
            ("account", "sales"),
            ("account", "sales-eu"),
        ]
        await pilot.press("enter", "up", "G", "enter", "g", "enter")
        chosen = [(m.kind, m.id) for m in hook.take()]  # type: ignore[attr-defined]
        assert chosen == [("account", "sales-eu"), ("account", "new"), ALL]


async def test_a_click_chooses_also_on_the_line_of_the_state() -> None:
    hook = Seen(Sidebar.Chosen)
    host = sidebar_host()
    async with host.run_test(size=(60, 40), message_hook=hook) as pilot:
        for y, chosen in (
            (2, ("view", "missed")),
            (6, ("account", "sales")),
            (7, ("account", "sales")),
            (0, ALL),
        ):
            await pilot.click(Sidebar, offset=(4, y))
            assert [(m.kind, m.id) for m in hook.take()] == [chosen]  # type: ignore[attr-defined]
        for nothing in (1, 5, 39):
            await pilot.click(Sidebar, offset=(4, nothing))
            assert hook.take() == []


async def test_the_chosen_item_is_marked_and_the_cursor_follows_it() -> None:
    host = sidebar_host()
    async with host.run_test(size=(60, 40)) as pilot:
        sidebar = host.query_one(Sidebar)
        sidebar.selected = ("view", "follow")
        await pilot.pause()
        assert sidebar.cursor == ("view", "follow")
        marked = [line for line in text_of(host) if line[:2].strip(" 123") == ">"]
        assert len(marked) == 1 and "Follow up" in marked[0]


async def test_a_vanished_account_gives_the_cursor_back() -> None:
    host = sidebar_host()
    async with host.run_test(size=(60, 40)) as pilot:
        sidebar = host.query_one(Sidebar)
        await pilot.press("G")
        sidebar.accounts = ACCOUNTS[:2]
        assert sidebar.cursor == ALL


async def test_a_new_state_repaints_two_lines() -> None:
    host = sidebar_host()
    async with host.run_test(size=(60, 40)) as pilot:
        await pilot.pause()
        sidebar = host.query_one(Sidebar)
        asked: list[int] = []
        sidebar.refresh = lambda *regions, **_: asked.extend(r.y for r in regions)  # type: ignore[assignment, method-assign]
        first = ACCOUNTS[0]._replace(state="syncing", calls=12_399)
        sidebar.accounts = (first, *ACCOUNTS[1:])
        assert asked == [6, 7]


async def test_it_scrolls_and_says_what_is_wrong_with_the_account_at_the_cursor() -> None:
    accounts = tuple(AccountItem(f"a{n}", "Liner", "failed", n, "", f"why {n}") for n in range(30))
    host = sidebar_host(accounts, ())
    async with host.run_test(size=(60, 12)) as pilot:
        await pilot.press("G")
        lines = text_of(host)
        assert lines[-1] == " why 29"
        assert any(line.startswith("  a29") for line in lines)
        await pilot.press("g")
        assert text_of(host)[0] == "> All calls"
        assert not any("why" in line for line in text_of(host))
