"""The means of tests with PostgreSQL do what they say: a crash keeps what was committed, and each cut loses one message."""

from __future__ import annotations

import psycopg
import pytest

from tests.postgres import Cutter, OwnServer, Way, copied_database, drop_database


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM seen").fetchone()
        assert row is not None
        return int(row[0])


def prepare(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE seen (number int)")


def test_a_crashed_server_has_what_was_committed_and_nothing_else() -> None:
    with OwnServer() as server:
        prepare(server.url)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("INSERT INTO seen VALUES (1)")
            connection.execute("BEGIN")
            connection.execute("INSERT INTO seen VALUES (2)")
            server.restart("immediate")
            with pytest.raises(psycopg.OperationalError):
                connection.execute("COMMIT")
        assert count(server.url) == 1
        assert "was not properly shut down" in server.log()


def test_a_copied_database_is_prepared_once_and_not_shared(postgres_server: str) -> None:
    prepared: list[str] = []

    def once(url: str) -> None:
        prepared.append(url)
        prepare(url)

    urls = [copied_database(postgres_server, "help", once) for _ in range(2)]
    with psycopg.connect(urls[0]) as connection:
        connection.execute("INSERT INTO seen VALUES (1)")
    assert [count(url) for url in urls] == [1, 0]
    assert len(prepared) == 1
    for url in urls:
        drop_database(url, postgres_server)
    with pytest.raises(psycopg.OperationalError):
        count(urls[0])


def test_the_message_that_is_cut_off_decides_whether_a_commit_is_in(postgres_database: str) -> None:
    prepare(postgres_database)
    with Cutter(postgres_database) as cutter:

        def insert() -> bool:
            try:
                with psycopg.connect(cutter.url(), autocommit=True) as connection:
                    connection.execute("INSERT INTO seen VALUES (1)")
                    return True
            except psycopg.OperationalError:
                return False

        cutter.cut_at(None)
        assert insert()
        messages = cutter.passed
        heard = kept = 0
        for number in range(1, messages + 1):
            before = count(postgres_database)
            cutter.cut_at(number)
            said = insert()
            heard += said
            kept += count(postgres_database) > before
            assert cutter.cuts == number
            assert not said or count(postgres_database) > before
        assert kept > heard, "an answer that is lost does not undo its commit"
        cutter.cut_at(1, Way.TO_CLIENT)
        assert not insert()


def test_everything_is_cut_with_one_message(postgres_database: str) -> None:
    with Cutter(postgres_database) as cutter:
        idle = psycopg.connect(cutter.url(), autocommit=True)
        busy = psycopg.connect(cutter.url(), autocommit=True)
        cutter.cut_at(1, everything=True)
        for connection in (busy, idle):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        with psycopg.connect(cutter.url()) as again:
            assert again.execute("SELECT 1").fetchone() == (1,)
