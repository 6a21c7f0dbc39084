"""What `tui.archive.interface.CallReader` promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from providers.model import Agent, Call, CallRow
from tests.archive.calls import call
from tests.contract.archive_base import ArchiveBase
from tests.contract.search_model import NOW, World, check, fill, found_by, random_call
from tui.archive.errors import ArchiveError, CallNotFound, QueryCancelled
from tui.archive.interface import CallArchive
from tui.archive.records import SORT_COLUMNS, SortOrder, is_unreadable
from tui.archive.sqlite.call_columns import LOW_COMMA
from tui.archive.triage_events import note, state, tag
from tui.query.parser import EVERYTHING, Query, parse

MISSING = 999_999_999
"""A key that no call has."""
VALUES = {
    "time": "started_at",
    "direction": "direction",
    "outcome": "outcome",
    "number": "number",
    "duration": "duration_s",
    "wait": "wait_s",
    "account": "account",
    "vendor": "provider",
    "id": "id",
}
"""Columns that sort by a value as it is, and the field of a row that shows it."""


def query(line: str) -> Query:
    return parse(line, NOW, NOW.tzinfo)  # type: ignore[arg-type]


def rows_of(archive: CallArchive, sort: SortOrder) -> list[CallRow]:
    return [*archive.rows(archive.keys(sort=sort)).window(0, 1000)]


class ReaderContract(ArchiveBase):
    @pytest.fixture(scope="class")
    def filled(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[tuple[CallArchive, World]]:
        """An archive of some hundred random calls, and what is in it; it is only read."""
        with self.open(tmp_path_factory.mktemp("model")) as archive:
            yield archive, fill(archive)

    # -- what is counted

    def test_facts_are_what_rows_and_calls_say(self, filled: tuple[CallArchive, World]) -> None:
        archive, world = filled
        keys = archive.keys()
        found = [*archive.facts(keys)]
        assert len(found) == len(world) == len(keys)
        rows = rows_of(archive, SortOrder())
        for field in ("account", "outcome", "direction", "wait_s", "talk_s"):
            told = Counter(getattr(one, field) for one in found)
            assert told == Counter(getattr(row, field) for row in rows), field
        assert Counter(one.agents for one in found) == Counter(
            tuple(dict.fromkeys(filter(None, (leg.name or leg.id for leg in call.agents))))
            for call, _ in world.values()
        )
        assert sum(one.is_lost and one.closed_at is None for one in found) == archive.count(
            query("open-miss")
        )
        assert sum(one.closed_at is not None for one in found) == archive.count(
            query("called-back")
        )
        decided = [one for one in found if one.decided_at is not None]
        assert decided and all(one.decided_by for one in decided)
        assert not [*archive.facts([])] and not [*archive.facts([MISSING])]

    # -- nothing

    def test_an_empty_archive_answers_everything(self, archive: CallArchive) -> None:
        assert not archive.keys() and not archive.keys(query("missed muller"), limit=9)
        assert archive.count() == archive.count(query("-missed")) == archive.calls_of("eu") == 0
        assert archive.counts_by_account() == {} and archive.call(MISSING) is None
        assert archive.call_by_id("eu", "1") is None and archive.key_of("eu", "1") is None
        assert archive.names_of([MISSING]) == [] and archive.related(MISSING, 9) == []
        assert archive.matching([MISSING], EVERYTHING) == set()
        assert not any(archive.facets().counts.values()) and archive.facets().complete
        assert archive.suggest("agent", "") == [] and not archive.has_field("callType")
        assert [*archive.export([MISSING])] == []

    def test_a_call_that_is_not_here_has_no_place(self, archive: CallArchive) -> None:
        self.keep(archive, call(1))
        [key] = archive.keys()
        for sort in (SortOrder(), SortOrder("duration", False)):
            for ask in (
                lambda s=sort: archive.keys(EVERYTHING, s, after=MISSING),
                lambda s=sort: archive.keys(EVERYTHING, s, before=MISSING, limit=5),
                lambda s=sort: archive.keys(EVERYTHING, s, after=MISSING, from_end=True, limit=5),
                lambda s=sort: archive.count_before(MISSING, EVERYTHING, s),
                lambda s=sort: archive.is_after(key, MISSING, s),
            ):
                with pytest.raises(CallNotFound) as found:
                    ask()
                assert found.value.key == MISSING and isinstance(found.value, ArchiveError)

    # -- queries

    @pytest.mark.parametrize(
        ("seed", "count"), [(1, 60), pytest.param(2, 600, marks=pytest.mark.slow)]
    )
    def test_every_query_finds_what_it_says(
        self, filled: tuple[CallArchive, World], seed: int, count: int
    ) -> None:
        check(*filled, count=count, seed=seed)

    @pytest.mark.parametrize("line", ["m", "mu", "muller", "-muller", '"muller"', "in", "#0123"])
    def test_counting_ends_above_what_is_asked_for(
        self, filled: tuple[CallArchive, World], line: str
    ) -> None:
        archive, _ = filled
        there = len(archive.keys(query(line)))
        assert there > 5
        for most in (0, 1, there - 3, there - 1, there, there + 1):
            assert archive.count(query(line), most) == min(there, most + 1)

    def test_those_of_some_calls_that_match(self, filled: tuple[CallArchive, World]) -> None:
        archive, _ = filled
        every = [*archive.keys()]
        for line in ("", "muller", "-missed", "dur>3 in", "#0123", "untriaged"):
            there = {*archive.keys(query(line))}
            for some in (every, every[::7], [MISSING, *every[:2]], []):
                assert archive.matching(some, query(line)) == there & {*some}, line

    # -- orders and pages

    @pytest.mark.parametrize("column", sorted(SORT_COLUMNS))
    def test_pages_follow_each_other_down_and_up(
        self, filled: tuple[CallArchive, World], column: str
    ) -> None:
        archive, _ = filled
        random = Random(column)
        for line, descending in (("", True), ("", False), ("answered", True), ("#0123 -in", False)):
            asked, sort = query(line), SortOrder(column, descending)
            whole = [*archive.keys(asked, sort)]
            assert len(whole) > 5 and {*whole} == {*archive.keys(asked)}
            assert [*archive.keys(asked, sort, from_end=True)] == whole[::-1]
            assert [*archive.keys(asked, sort, limit=7, from_end=True)] == whole[::-1][:7]
            assert [*archive.keys(asked, sort, limit=7)] == whole[:7]
            for at in (0, len(whole) - 1, *random.choices(range(len(whole)), k=4)):
                key, start = whole[at], max(0, at - 9)
                page = archive.keys(asked, sort, limit=9, after=key)
                assert [*page] == whole[at + 1 : at + 10]
                page = archive.keys(asked, sort, limit=9, after=key, inclusive=True)
                assert [*page] == whole[at : at + 9]
                page = archive.keys(asked, sort, limit=9, before=key, from_end=True)
                assert [*page] == whole[start:at][::-1]
                page = archive.keys(asked, sort, after=whole[start], before=key, inclusive=True)
                assert [*page] == whole[start : at + 1]
                assert archive.count_before(key, asked, sort) == at
                other = random.randrange(len(whole))
                assert archive.is_after(whole[other], key, sort) == (other > at)

    @pytest.mark.parametrize("column", VALUES)
    @pytest.mark.parametrize("descending", [True, False])
    def test_rows_are_in_the_order_of_their_values(
        self, filled: tuple[CallArchive, World], column: str, descending: bool
    ) -> None:
        """Those without the value stand at the end; those that tie the newest first."""
        archive, _ = filled
        rows = rows_of(archive, SortOrder(column, descending))
        values = [getattr(row, VALUES[column]) for row in rows]
        if column == "time":  # those without a time are the oldest
            values = [value or 0.0 for value in values]
        told = [value for value in values if value is not None]
        assert told == sorted(told, reverse=descending) and len({*told}) > 1
        assert values == told + [None] * (len(values) - len(told))
        if column != "time":
            for one, other in zip(rows, rows[1:], strict=False):
                if getattr(one, VALUES[column]) == getattr(other, VALUES[column]):
                    assert (one.started_at or 0.0) >= (other.started_at or 0.0)

    def test_a_call_that_does_not_match_has_its_place_all_the_same(
        self, filled: tuple[CallArchive, World]
    ) -> None:
        archive, _ = filled
        whole, missed = [*archive.keys()], {*archive.keys(query("missed"))}
        assert 5 < len(missed) < len(whole)
        for at in range(0, len(whole), 9):
            behind = [key for key in whole[at + 1 :] if key in missed]
            assert [*archive.keys(query("missed"), after=whole[at])] == behind

    # -- calls and rows

    def test_a_call_comes_out_as_it_went_in(self, filled: tuple[CallArchive, World]) -> None:
        archive, world = filled
        for name, (kept, _) in [*world.items()][::7]:
            key = archive.key_of(*name)
            assert key is not None and archive.call(key) == (name[0], kept)
            assert archive.call_by_id(*name) == kept and archive.names_of([key]) == [name]

    def test_rows_stand_in_the_order_of_their_keys(self, filled: tuple[CallArchive, World]) -> None:
        archive, world = filled
        keys = archive.keys()[::-3]
        rows = archive.rows(keys, begins=False)
        assert (len(rows), rows.begins, rows.ends) == (len(keys), False, True)
        assert [row.key for row in rows.window(0, 1000)] == [*keys]
        assert [row.key for row in rows.window(5, 9)] == [*rows.keys_between(5, 9)] == [*keys[5:9]]
        assert rows.index_of(keys[4]) == 4 and rows.index_of(MISSING) is None
        for row in rows.window(0, 1000):
            kept, ours = world[row.account, row.id]
            assert (row.outcome, row.duration_s, row.state) == (
                kept.outcome,
                kept.duration_s,
                ours.state,
            )
            assert row.started_at == (kept.started_at.timestamp() if kept.started_at else None)

    def test_a_call_that_was_removed_leaves_its_row_blank(self, archive: CallArchive) -> None:
        self.keep(archive, call(1), call(2))
        keys = archive.keys()
        rows = archive.rows(keys)
        archive.remove([keys[0]])
        blank, kept = rows.window(0, 2)
        assert (blank.key, blank.id, blank.contact) == (keys[0], "", None) and kept.id == "1"
        assert not is_unreadable(blank) and not is_unreadable(kept)

    def test_counts_by_account(self, filled: tuple[CallArchive, World]) -> None:
        archive, world = filled
        assert archive.counts_by_account() == Counter(account for account, _ in world)
        assert archive.calls_of("two") == 100 and archive.calls_of("gone") == 0
        assert archive.count() == len(world)

    def test_what_is_exported_holds_the_decisions(self, archive: CallArchive) -> None:
        self.keep(archive, call(1), call(2))
        archive.triage.append(
            [("desk", "1")], [state("done"), note("said"), tag("vip")], "ann", 9.0
        )
        keys = [*archive.keys(sort=SortOrder("time", False))]
        (account, first), (_, second) = archive.export([*keys, MISSING])
        assert (account, first["id"], second["id"]) == ("desk", "1", "2")
        assert first["triage"]["state"] == "done" and first["triage"]["tags"] == ["vip"]
        assert first["triage"]["note"] == "said" and first["triage"]["by"] == "ann"
        assert "triage" not in second

    def test_calls_that_belong_to_another(self, archive: CallArchive) -> None:
        number = call(1).contact
        self.keep(
            archive,
            *(call(1), call(2, contact=number), call(3, original_call_id="1")),
            *(call(4, history_id="h"), call(5, history_id="h"), call(6)),
        )

        def related(id_: str) -> list[tuple[str, str]]:
            key = archive.key_of("desk", id_)
            assert key is not None
            return [(row.id, how) for row, how in archive.related(key, 9)]

        assert related("1") == [("3", "transferred"), ("2", "same number")]
        assert related("3") == [("1", "original")] and related("6") == []
        assert related("4") == [("5", "same call")]

    # -- names

    def test_facets_count_what_a_query_shows(self, filled: tuple[CallArchive, World]) -> None:
        archive, world = filled
        for line in ("", "missed", "muller", "#0123", "-in dur>3"):
            want: dict[str, Counter[str]] = {
                kind: Counter() for kind in ("outcome", "dispo", "tag")
            }
            for kept, ours in (world[name] for name in found_by(archive, query(line))):
                want["outcome"][kept.outcome] += 1
                want["dispo"].update(filter(None, [kept.disposition.code]))
                tags = [one.replace(",", LOW_COMMA).strip() for one in (*kept.tags, *ours.tags)]
                want["tag"].update({*filter(None, tags)})
            facets = archive.facets(query(line), newest=None)
            got = {kind: {k.strip(): n for k, n in facets.counts[kind].items()} for kind in want}
            assert got == {kind: dict(counts) for kind, counts in want.items()}, line
            some = archive.facets(query(line), newest=5)
            assert some.complete == (not line)
            for kind, counts in some.counts.items():
                assert all(n <= facets.counts[kind][value] for value, n in counts.items())

    def test_spellings_that_differ_in_case_are_one_name(self, archive: CallArchive) -> None:
        """Shown as most calls have it; a call that has two of them counts once."""
        tags = (["VIP"], ["vip", "VIP"], ["VIP"], ["vip", "Straße"], ["VIP gold"], ["STRASSE"])
        agents = (("Ann", "ann"), ("ann",), ("ann",), ("Jose",), ("José",), ())
        groups = ("Sales", "sales", "sales", "Müller", "Muller", None)
        for n in range(6):
            named = tuple(Agent(id=one, name=one) for one in agents[n])
            one = replace(random_call(n, Random(n)), agents=named, tags=tuple(tags[n]))
            self.keep(archive, replace(one, ring_group=groups[n], queue="q"))
        for number, ours in ((0, "vip"), (4, "vip"), (5, "Vip")):
            archive.triage.append([("desk", str(number))], [tag(ours)], "ann")
        for asked in (EVERYTHING, query("-id:nothing")):
            counts = archive.facets(asked).counts
            assert counts["tag"] == {"vip": 6, "STRASSE": 2, "VIP gold": 1}
            assert counts["agent"] == {"ann": 3, "Jose": 1, "José": 1}
            assert counts["group"] == {"sales": 3, "Muller": 1, "Müller": 1, "q": 1}
            for name, count in counts["tag"].items():
                assert len(archive.keys(query(f'tag:"{name}"'))) >= count
        assert archive.suggest("tag", "v") == ["vip", "VIP gold"]
        assert archive.suggest("agent", "") == ["ann", "Jose", "José"]
        assert archive.triage.known_tags() == ["vip"]

    def test_names_are_suggested_as_a_query_would_find_them(
        self, filled: tuple[CallArchive, World]
    ) -> None:
        archive, _ = filled
        assert archive.suggest("agent", "mull") == ["Müller"]
        assert archive.suggest("account", "") == ["eu", "two"]
        assert archive.suggest("tag", "נ" + "x") == [] and archive.suggest("nothing", "") == []
        assert (
            "東京電話" in archive.suggest("queue", "電") and len(archive.suggest("tag", "", 3)) == 3
        )

    def test_names_that_no_call_has_are_told(self, filled: tuple[CallArchive, World]) -> None:
        archive, _ = filled
        [problem] = archive.unknown_names(query("agent:müller account:elsewhere"))
        assert problem.start == len("agent:müller ") and "elsewhere" in problem.message
        also = {"account": ["Elsewhere"]}
        assert archive.unknown_names(query("agent:müller account:elsewhere"), also) == ()

    def test_a_slip_is_told_as_what_it_may_have_been(
        self, filled: tuple[CallArchive, World]
    ) -> None:
        archive, _ = filled
        asked = query("istanbil")
        assert not archive.keys(asked)
        assert "istanbul" in archive.spelling_suggestions(asked)[0].message
        assert archive.spelling_suggestions(query("istanbul")) == ()

    def test_a_vendors_own_fields_are_known(self, filled: tuple[CallArchive, World]) -> None:
        archive, _ = filled
        assert archive.has_field("calltype") and not archive.has_field("callkind")

    # -- beside others

    def test_others_writing_is_noticed(self, folder: Path, archive: CallArchive) -> None:
        before = archive.change_token()
        assert archive.change_token() == before
        with self.open(folder) as other:
            self.keep(other, call(1))
        assert archive.change_token() != before
        assert archive.counts_by_account() == {"desk": 1}

    def test_a_query_that_nobody_waits_for_ends(self, filled: tuple[CallArchive, World]) -> None:
        archive, _ = filled
        asked = []

        def cancelled() -> bool:
            asked.append(True)
            return True

        archive.cancel_when(cancelled)
        try:
            with pytest.raises(QueryCancelled):
                self.ask_for_long(archive)
        finally:
            archive.cancel_when(lambda: False)
        assert asked and archive.count() == 300

    def test_a_closed_archive_answers_no_more(self, folder: Path) -> None:
        archive = self.open(folder)
        archive.close()
        archive.cancel()
        with pytest.raises(ArchiveError):
            archive.count(query("missed"))

    def test_what_nobody_can_store_as_text_is_kept_as_well_as_it_goes(
        self, archive: CallArchive
    ) -> None:
        odd: Call = call(
            1, queue="x\x00y", campaign="\U0001f600", started_at=None, raw={"a": [1, None]}
        )
        self.keep(archive, odd)
        assert archive.call_by_id("desk", "1") == odd
        [row] = archive.rows(archive.keys(query("queue:x"))).window(0, 1)
        assert (row.campaign, row.started_at) == ("\U0001f600", None)
