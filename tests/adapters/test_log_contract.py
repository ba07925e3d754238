"""What the agents rely on in a broker, whichever it is.

Runs against the embedded log and against Apache Kafka: the broker that CLAUSEWIRE_TEST_KAFKA=host:port names, or one
that is started where Java is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from faust.exceptions import ProducerSendError
from faust.types import TP

from tests.adapters.log_broker import KINDS, SHORT_SEGMENTS, Bench, bench_of


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A broker of the kind at hand, with what a test needs to use it."""
    async with bench_of(request, tmp_path) as made:
        yield made


async def test_keys_keep_order(bench: Bench) -> None:
    """Records of one key come in the order they were sent."""
    topic = await bench.topic("order", 4)
    sends = [await bench.start_send(topic, b"%d" % n, key=b"key-%d" % (n % 7)) for n in range(200)]
    await asyncio.gather(*sends)
    taken = await (await bench.reader(topic)).take(200)
    for key in {message.key for message in taken}:
        values = [int(message.value) for message in taken if message.key == key]
        assert values == sorted(values)
    assert len(taken) == 200


@pytest.mark.parametrize(
    ("key", "murmur2"),
    [  # from Apache Kafka's own UtilsTest
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
async def test_partitioner_is_kafkas(bench: Bench, key: bytes, murmur2: int) -> None:
    """A key goes to the partition that Kafka's default partitioner gives it."""
    topic = await bench.topic("partitioner", 16)
    sent = await bench.send(topic, b"v", key=key)
    assert sent.partition == (murmur2 & 0x7FFFFFFF) % 16


async def test_null_keys_spread(bench: Bench) -> None:
    """Records without a key go to more than one partition."""
    topic = await bench.topic("spread", 4)
    sends = [await bench.start_send(topic, b"v", key=None) for _ in range(100)]
    assert len({sent.partition for sent in await asyncio.gather(*sends)}) > 1


async def test_reading_resumes(bench: Bench) -> None:
    """A group goes on where it committed."""
    topic = await bench.topic("resume")
    for n in range(10):
        await bench.send(topic, b"%d" % n)
    first = await bench.reader(topic)
    await first.take(10)
    await first.commit(topic, 7)
    await first.stop()
    again = await (await bench.reader(topic)).take(3)
    assert [message.value for message in again] == [b"7", b"8", b"9"]


async def test_new_group_reads_all(bench: Bench) -> None:
    """A group that never committed starts at the earliest record."""
    topic = await bench.topic("earliest")
    await bench.send(topic, b"old")
    assert [message.value for message in await (await bench.reader(topic)).take(1)] == [b"old"]


async def test_groups_are_independent(bench: Bench) -> None:
    """What one group commits does not move another."""
    topic = await bench.topic("groups")
    await bench.send(topic, b"v")
    one = await bench.reader(topic, group="one")
    await one.take(1)
    await one.commit(topic, 1)
    await one.stop()
    assert len(await (await bench.reader(topic, group="two")).take(1)) == 1


async def test_seek_goes_back(bench: Bench) -> None:
    """After a seek the record at that offset comes next."""
    topic = await bench.topic("seek")
    for n in range(5):
        await bench.send(topic, b"%d" % n)
    reader = await bench.reader(topic)
    await reader.take(5)
    await reader.consumer.seek(TP(topic, 0), 2)
    assert [message.offset for message in await reader.take(3)] == [2, 3, 4]


async def test_position_follows(bench: Bench) -> None:
    """The position is the offset of the next record, after reading and after a seek that is waited for."""
    topic = await bench.topic("position")
    for n in range(3):
        await bench.send(topic, b"%d" % n)
    reader = await bench.reader(topic)
    await reader.take(3)
    read = await reader.consumer.position(TP(topic, 0))
    await reader.consumer.seek_wait({TP(topic, 0): 1})
    assert (read, await reader.consumer.position(TP(topic, 0))) == (3, 1)


async def test_marks_span_partition(bench: Bench) -> None:
    """The high-water mark is the offset after the last record, the earliest that of the first."""
    topic = await bench.topic("marks", 2)
    for n in range(3):
        await bench.send(topic, b"%d" % n, partition=1)
    reader = await bench.reader(topic)
    tps = [TP(topic, 0), TP(topic, 1)]
    assert dict(await reader.consumer.highwaters(*tps)) == {tps[0]: 0, tps[1]: 3}
    assert dict(await reader.consumer.earliest_offsets(*tps)) == {tps[0]: 0, tps[1]: 0}


async def test_paused_partition_waits(bench: Bench) -> None:
    """A paused partition brings nothing until it is resumed, and then everything."""
    topic = await bench.topic("pause", 2)
    await bench.send(topic, b"0", partition=0)
    await bench.send(topic, b"1", partition=1)
    reader = await bench.reader(topic)
    reader.consumer.pause_partitions({TP(topic, 1)})
    while_paused = await reader.take(2, within_s=1.5)
    reader.consumer.resume_partitions({TP(topic, 1)})
    assert [m.value for m in while_paused] == [b"0"]
    assert [m.value for m in await reader.take(1)] == [b"1"]


async def test_compaction_keeps_newest(bench: Bench) -> None:
    """Compaction leaves the newest record of each key, with its offset, in order."""
    topic = await bench.topic("compact", config=SHORT_SEGMENTS)
    for n in range(9):
        await bench.send(topic, b"%d" % n, key=b"key-%d" % (n % 3))
    await bench.send(topic, b"end", key=b"end")
    await bench.broker.compact(topic)
    taken = await (await bench.reader(topic)).take(4)
    assert [(m.offset, m.value) for m in taken] == [(6, b"6"), (7, b"7"), (8, b"8"), (9, b"end")]


async def test_tombstone_outlives_value(bench: Bench) -> None:
    """A null value supersedes what its key held, and is itself kept for those who have not read it."""
    topic = await bench.topic("tombstone", config=SHORT_SEGMENTS)
    await bench.send(topic, b"v", key=b"gone")
    await bench.send(topic, None, key=b"gone")
    await bench.send(topic, b"v", key=b"end")
    await bench.broker.compact(topic)
    taken = await (await bench.reader(topic)).take(2)
    assert [(m.key, m.value) for m in taken] == [(b"gone", None), (b"end", b"v")]


async def test_headers_round_trip(bench: Bench) -> None:
    """Headers keep their bytes, their order and their repeats."""
    topic = await bench.topic("headers")
    headers = [("ce_id", b"1"), ("bytes", b"\xff\x00"), ("ce_id", b"2"), ("empty", b"")]
    await bench.send(topic, b"v", headers=headers)
    (message,) = await (await bench.reader(topic)).take(1)
    assert list(message.headers) == headers


@pytest.mark.parametrize("milliseconds", [1, 1_729_123_200_000, 1_729_123_200_123, 1_729_123_200_999])
async def test_timestamps_round_trip(bench: Bench, milliseconds: int) -> None:
    """A record keeps its time to the millisecond."""
    topic = await bench.topic("times", config={"retention.ms": "-1"})
    await bench.send(topic, b"v", timestamp=milliseconds / 1000)
    (message,) = await (await bench.reader(topic)).take(1)
    assert round(message.timestamp * 1000) == milliseconds


@pytest.mark.parametrize("value", [None, b"", b"\x00\xff", b"x" * 900_000])
async def test_values_round_trip(bench: Bench, value: bytes | None) -> None:
    """A value comes back as it was, a null one and an empty one told apart."""
    topic = await bench.topic("values")
    await bench.send(topic, value)
    (message,) = await (await bench.reader(topic)).take(1)
    assert message.value == value


async def test_empty_poll_waits(bench: Bench) -> None:
    """A poll of nothing waits its time out, without turning the processor."""
    reader = await bench.reader(await bench.topic("empty"))
    started, worked = time.monotonic(), time.process_time()
    assert await reader.poll(1.0) == []
    assert time.monotonic() - started > 0.9
    assert time.process_time() - worked < 0.3


async def test_poll_wakes_at_once(bench: Bench) -> None:
    """A poll that waits ends soon after a record arrives."""
    topic = await bench.topic("wake")
    reader = await bench.reader(topic)
    waiting = asyncio.create_task(reader.take(1))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    await bench.send(topic, b"v")
    await waiting
    assert time.monotonic() - started < 1.0


async def test_batches_are_bounded(bench: Bench) -> None:
    """A reader that is far behind gets a part at a time."""
    topic = await bench.topic("behind")
    await asyncio.gather(*[await bench.start_send(topic, b"x" * 500_000) for _ in range(30)])
    reader = await bench.reader(topic)
    first = await reader.poll(5.0)
    assert 0 < len(first) < 30
    assert len(first) + len(await reader.take(30 - len(first))) == 30


async def test_large_record_refused(bench: Bench) -> None:
    """A record of 10 MB is refused with an error that says so, and harms nothing else."""
    topic = await bench.topic("large")
    with pytest.raises(ProducerSendError, match=r"(?i)large"):
        await bench.send(topic, b"x" * 10_000_000)
    assert (await bench.send(topic, b"small")).offset == 0


async def test_topic_made_twice(bench: Bench) -> None:
    """Declaring a topic again changes nothing."""
    topic = await bench.topic("twice", 3)
    await bench.send(topic, b"v")
    await bench.topic("twice", 3)
    assert len(await (await bench.reader(topic)).take(1)) == 1


async def test_others_appends_arrive(bench: Bench) -> None:
    """What another process appends reaches a reader that runs."""
    topic = await bench.topic("others", 2)
    reader = await bench.reader(topic)
    command = bench.broker.elsewhere(topic, b"key", [b"1", b"2", b"3"])
    process = await asyncio.create_subprocess_exec(*command)
    taken = await reader.take(3)
    assert await process.wait() == 0
    assert [message.value for message in taken] == [b"1", b"2", b"3"]


async def test_offsets_have_no_gaps(bench: Bench) -> None:
    """The embedded log gives out every offset once, in order; Kafka promises the order only."""
    topic = await bench.topic("gapless")
    sends = [await bench.start_send(topic, b"v") for _ in range(100)]
    offsets = [sent.offset for sent in await asyncio.gather(*sends)]
    assert offsets == sorted(set(offsets))
    assert not bench.broker.is_gapless or offsets == list(range(100))
