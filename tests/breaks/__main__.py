"""Breaks a host, and tells whether it is mended: see `tests/break --help`."""

import argparse
import os
import pathlib
import random
import sys
import tempfile
import time

import tools
from host import Host, wait_for
from ways import WAYS

# What an agent promises to tell of by itself takes at most a minute, and so does a zone that has to be read again.
NOTICED_WITHIN = 90

PLACES = """
Something is wrong with this host: clients of its services complain, or soon will.

  export PATH={bin}:$PATH    its ecssd, docker, dig, curl, systemctl, journalctl, date
                                    console: its account's; deploy NAME: replaces a container
  {page}                the agent's page
  {directory}/host.env       its settings
  {directory}/containers/    what its containers were started by: calc (two copies), time and web

Find out what, by these and by docs/ alone; mend it; then: tests/break --check
"""


def arguments():
    parser = argparse.ArgumentParser("tests/break")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int)
    what.add_argument("--check", action="store_true")
    what.add_argument("--reveal", action="store_true")
    what.add_argument("--end", action="store_true")
    what.add_argument("--rehearse", nargs="*", metavar="WAY", choices=[way.name for way in WAYS])
    what.add_argument("--tool", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    asked = arguments()
    host = Host(pathlib.Path(os.environ.get("TMPDIR", tempfile.gettempdir())) / "ecssd-break")
    if asked.seed is not None:
        host.make()
        way = random.Random(asked.seed).choice(WAYS)
        host.write("sealed/way", way.name)
        way.breaks(host)
        # An operator is called when it is noticed.
        wait_for("it is noticed", lambda: notices(host), NOTICED_WITHIN)
        print(PLACES.format(bin=host.bin, page=host.page, directory=host.directory))
        return 0
    if asked.rehearse is not None:
        return rehearse(host, [way for way in WAYS if way.name in asked.rehearse or not asked.rehearse])
    if not host.directory.exists():
        raise SystemExit("error: there is no such host: tests/break --seed N makes one")
    if asked.tool:
        tools.run(host, asked.tool[0], asked.tool[1:])
    elif asked.check:
        return check(host)
    elif asked.reveal:
        print(next(way.done for way in WAYS if way.name == host.read("sealed/way")))
    else:
        host.end()
    return 0


def check(host):
    complaints = host.complaints()
    print("\n".join(complaints) or "all is well")
    return bool(complaints)


def rehearse(host, ways):
    """Each way on a host of its own, as what one leaves would be another's."""
    failed = []
    for way in ways:
        host.make()
        try:
            if way.shows in said(host, way):
                raise SystemExit(f"error: {way.name}: {way.shows!r} is said of a host that is well")
            way.breaks(host)
            wait_for(f"{way.name}: it is noticed", lambda: notices(host), NOTICED_WITHIN)
            wait_for(f"{way.name}: {way.shows!r} is said", lambda: way.shows in said(host, way), NOTICED_WITHIN)
            way.mends(host)
            wait_for(f"{way.name}: mended", lambda: not host.complaints(), NOTICED_WITHIN)
            print(f"{way.name}: noticed, shown and mended", flush=True)
        except SystemExit as error:
            failed.append(way.name)
            print(f"{error}\n{said(host, way)}", flush=True)
        finally:
            host.end()
    print(f"figure: {len(ways) - len(failed)} of {len(ways)} ways are noticed, shown and mended")
    return bool(failed)


def notices(host):
    """Not for a moment only, as while one of two copies is replaced."""
    for _ in range(3):
        if not host.complaints():
            return False
        time.sleep(1)
    return True


def said(host, way):
    return "\n".join([*(host.ecssd(flag)[1] for flag in way.asks), host.read("ecssd.log")])


if __name__ == "__main__":
    sys.exit(main())
