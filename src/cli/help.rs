//! What `--help` shows below the flags.

/// What it does, signals, exit codes and examples.
pub(super) const AFTER_HELP: &str = "\
What it does:
  A container with SERVICE_<port>_NAME=_name._tcp in its environment or labels gets an SRV record in the
  zone once its check passes, and loses it before it stops. Optional keys beside it: ALL (a name that
  answers with all targets), A (one that answers with an address), WEIGHT (0-255), TTL (seconds), CHECK (tcp,
  none, docker), CHECK_HTTP or CHECK_HTTPS (/path) with CHECK_HOST and CHECK_STATUS (200-399,401),
  CHECK_INTERVAL, CHECK_TIMEOUT; SERVICE_IGNORE=1 leaves the container alone, SERVICE_<port>_IGNORE=1 the
  port. Labels of the same names count too.

  The zone is the private Route 53 hosted zone of that name which this host's VPC sees; a zone or
  credentials that come later are waited for. Credentials and region are found as by every AWS tool.

Signals:
  SIGTERM, SIGINT   withdraw every service of this host, then exit (a second one exits at once);
                    SIGTERM as --on-term says
  SIGHUP            exit at once and leave the records to the next agent of this host

Exit codes:
  0    drained, handed over, synchronised or removed; cordoned or uncordoned; with --status, the agent is
       ready; with --doctor, nothing is broken
  64   a setting is wrong; every wrong one is listed; with --cordon, it is not clear what is meant
  69   something that is needed is not to be had: an address to listen on, the state directory (or another
       agent uses it), the host's name or address; or DNS has failed; records stay; with --doctor,
       something is broken
  70   actors failed more than 5 times in 60 s; records stay, start it again
  75   time ran out or a record was refused: what is left is listed, and a next start goes on with it; or
       with --confirm, not every name server was seen to answer so in time; or it was stopped
       before it was known which host and which zone this is; or with --status, the agent is not ready;
       or with --cordon, it does not answer, or could not keep it over a restart
  143  a second SIGTERM (130: SIGINT); records are left as they were
  With --janitor: 0 planned or done, 69 nothing to read, 75 not everything was read, or something is left
  With --forget: 0 planned or gone, 69 nothing to read, 75 a host seems to live, or something is left

Examples:
  ecssd sd.internal                           the daemon, on an EC2 host with a role that may change the zone
  ecssd sd.internal --dry-run                 what it would write, line by line
  ecssd sd.internal --sync                    once, and what was done
  ecssd sd.internal --remove                  nothing of this host is left
  ecssd sd.internal --janitor                 records of dead hosts and tasks, as a plan (--apply: deletes)
  ecssd sd.internal --forget web3 web4        what these dead hosts left (--apply: deletes)
  ecssd --local                               a zone in this process, DNS at 127.0.0.1:5333
  ecssd --local --status-listen 9153          the same, with a page at http://127.0.0.1:9153/
  ecssd sd.internal --sd-listen 10.0.0.7:9154  the daemon, which tells Prometheus who serves what
  ecssd sd.internal --doctor                  what is wrong with this host, and what to do about it
  ecssd --cordon web-1 --for 30m              no answer leads to that container for half an hour
  ecssd --status --watch                      what the agent of this host does and waits for
  ecssd --local sd.internal --dns-listen 172.17.0.1:53
  dig @127.0.0.1 -p 5333 SRV _calc._tcp.servicediscovery.internal";
