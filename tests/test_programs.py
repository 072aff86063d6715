"""What is said at the end of a run about programs that were missing."""

from tests.programs import missing, said_to_be_missing


def test_a_line_names_the_programs_and_what_installs_them():
    reasons = [missing("promtool"), *[missing("prometheus")] * 2, missing("chromium"), "no network"]
    assert said_to_be_missing(f"Skipped: {reason}" for reason in reasons) == (
        "Not run for want of programs: 3 want prometheus and promtool, which `apt-get install prometheus` "
        "installs; 1 want chromium, which `make browser` installs."
    )


def test_other_reasons_are_not_about_programs():
    assert said_to_be_missing(["this machine has no IPv6", "no network"]) is None
