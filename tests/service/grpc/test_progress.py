"""What is known of messages that are not complete, from what their connections have received."""

from pentimento.service.grpc.progress import Progress

MIB = 1 << 20


class Line:
    """Connections that have received so many bytes, by peer, and a clock."""

    def __init__(self) -> None:
        self.received: dict[str, int] = {}
        self.asked: set[str] = set()
        self.progress = Progress(self._measure)

    def _measure(self, peers):
        self.asked = peers
        return {peer: count for peer, count in self.received.items() if peer in peers}

    def look(self, now, received, since=None):
        """Looks when a connection, `a`, has received so much; a message has been coming since then."""
        self.received["a"] = received
        self.progress.look(now, {} if since is None else {"a": since})
        return self.progress.pending("a")


def test_what_is_not_whole_is_pending():
    line = Line()
    assert line.look(10.0, 5 * MIB, since=9.8) == 5 * MIB
    assert line.look(10.1, 6 * MIB, since=9.8) == 6 * MIB
    line.progress.complete("a", 4 * MIB)
    assert line.look(10.2, 6 * MIB, since=9.9) == 2 * MIB


def test_of_what_a_connection_brought_before_only_what_is_not_known_counts():
    line = Line()
    line.progress.complete("a", 100 * MIB)
    assert line.look(2.0, 105 * MIB, since=1.5) == 5 * MIB, "it may be heads of calls as well"
    assert line.look(2.5, 105 * MIB) == 0, "nothing is coming"
    for second in range(3, 60):  # each message takes a second and a half, and heads keep adding up
        line.progress.complete("a", MIB)
        pending = line.look(float(second), 105 * MIB + (second - 2) * (MIB + 100_000), since=second - 1.5)
    assert pending < 3 * MIB, "what came before the oldest that is coming"


def test_who_brings_enough_moves_and_who_has_just_begun():
    line = Line()
    line.look(5.0, 0, since=4.8)
    assert line.progress.moves("a", 5.0, 1000) and line.progress.moves("a", 5.9, 1000)
    for tenth in range(1, 40):
        line.look(5.0 + tenth / 10, 150 * tenth, since=4.8)
    assert line.progress.moves("a", 8.9, 1000) and not line.progress.moves("a", 8.9, 2000)
    for tenth in range(40, 70):
        line.look(5.0 + tenth / 10, 150 * 39, since=4.8)
    assert not line.progress.moves("a", 11.9, 1)


def test_where_the_system_says_nothing_nobody_moves():
    progress = Progress(lambda _: {})
    progress.complete("a", 100)
    progress.look(1.0, {"a": 0.5})
    assert not progress.moves("a", 1.0, 1) and progress.pending("a") == 0


def test_connections_that_are_over_are_forgotten():
    line = Line()
    for number in range(20_000):
        line.progress.complete(f"gone {number}", 1)
    assert len(line.asked) <= 8192
    line.look(1.0, 10, since=0.5)
    assert line.asked == {"a"}, "others are not looked at"
