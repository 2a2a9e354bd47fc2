"""The schema, as numbered migrations that both databases run word by word.

Values 0..255 stand for 0..1. `life`: from one start of a node to the next; `n`: consecutive number of a version (or of a
frame, for events) in that life, not wrapped; a packet is (node, life, n), once. `at_ms`: UTC in ms, by the clock of the
host that wrote it.
`visitor`: a random number for one touch of one strand, NULL = nobody; no number outlives the touch.
There is no column for a signal, a beat or an interval.
"""

from pulseweave.gather.store.db import Database
from pulseweave.problem import Problem

MIGRATIONS = (
    (
        """create table states (
            node integer not null, life integer not null, n bigint not null, at_ms bigint not null,
            arousal smallint not null, fast smallint not null, confidence smallint not null,
            g smallint not null, flags smallint not null, rssi smallint not null, visitor bigint,
            primary key (node, life, n))""",
        "create index states_at on states (at_ms)",
        """create table events (
            node integer not null, life integer not null, n bigint not null, at_ms bigint not null,
            kind smallint not null, data smallint not null, primary key (node, life, n))""",
        "create index events_at on events (at_ms)",
        """create table lives (
            node integer not null, event smallint not null, life integer not null, epoch bigint not null,
            first_n bigint not null, last_n bigint not null, last_ms bigint not null, pruned bigint not null,
            primary key (node, event, life))""",
        """create table visits (
            visitor bigint not null primary key, node integer not null, life integer not null,
            from_n bigint not null, to_n bigint, last_n bigint not null)""",
        "create index visits_node on visits (node, life, from_n)",
        """create table gateways (
            node integer not null, epoch bigint not null, next bigint not null, lost bigint not null,
            last_ms bigint not null, primary key (node, epoch))""",
        """create table seconds (
            at_s bigint not null primary key, packets integer not null, touched integer not null,
            arousal integer not null, confidence integer not null, g integer not null)""",
        """create table strands (
            node integer not null primary key, name text not null, x real not null, y real not null,
            z real not null, pixels integer not null)""",
        "create table notes (at_ms bigint not null, kind text not null, words text not null)",
        "create table settings (name text not null primary key, value text not null)",
    ),
    (
        """create table outbox (
            host text not null, number bigint not null, payload text not null, primary key (host, number))""",
    ),
    (
        """create table firmware (
            node integer not null, at_ms bigint not null, board text not null, release text not null,
            crashes integer not null, primary key (node, at_ms))""",
    ),
)


def migrate(db: Database) -> None:
    """Bring the schema up to date. Raises Problem for a database that is somebody else's, or newer than this program."""
    with db.transaction():
        db.run("create table if not exists pulseweave (version integer not null)")
        have = db.one("select max(version) from pulseweave") or 0
        if have > len(MIGRATIONS):
            raise Problem(
                f"{db.where}: written by a newer version (schema {have}, here {len(MIGRATIONS)}): update pulseweave"
            )
        for number, statements in enumerate(MIGRATIONS[have:], have + 1):
            for statement in statements:
                db.run(statement)
            db.run("insert into pulseweave (version) values (?)", (number,))
