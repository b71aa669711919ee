# shellcheck shell=bash
#
# What the scripts of this project share: saying where they are, installing what they miss, and keeping track of
# processes that outlive the shell which started them. Sourced, never run; it starts and changes nothing by itself.

# The tools of a system's administrator are not in everybody's path.
PATH=$PATH:/usr/sbin:/sbin

# A script that another one calls goes on counting its seconds.
export ECSSD_STARTED=${ECSSD_STARTED:-$(date +%s)}
SECONDS=$(($(date +%s) - ECSSD_STARTED))

# === Speaking ===

# Everything a person reads goes to stderr, so that a script's stdout stays what it answers.
say() { printf '[%4ds] %s\n' "$SECONDS" "$*" >&2; }

fail() {
    printf '\nerror: %s\n' "$1" >&2
    shift
    local line
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

# The end of a log, indented, for a failure that the log explains.
show_tail() {
    local log=$1 lines=${2:-25}
    [[ -s $log ]] || return 0
    printf '\nthe last lines of %s:\n' "$log" >&2
    tail -n "$lines" "$log" | sed 's/^/  | /' >&2
}

# Runs a long command with its output in a log, and shows that it is alive: on a terminal the log's last line,
# elsewhere a line every half minute. It runs in a session of its own, because bash has what it starts in the
# background ignore Ctrl-C; who is interrupted meanwhile calls stop_logged.
run_logged() {
    local what=$1 log=$2 status=0 shown=$SECONDS
    shift 2
    setsid "$@" >>"$log" 2>&1 </dev/null 9>&- &
    logged_job=$!
    while kill -0 "$logged_job" 2>/dev/null; do
        sleep 0.2
        if [[ -t 2 ]]; then
            printf '\r\033[K[%4ds] %s … %.70s' "$SECONDS" "$what" "$(last_words "$log")" >&2
        elif ((SECONDS - shown >= 30)); then
            shown=$SECONDS
            say "$what … $(last_words "$log")"
        fi
    done
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
    wait "$logged_job" || status=$?
    logged_job=
    return "$status"
}

last_words() { tail -n 1 "$1" | tr -d '\r' | cut -c -70; }

stop_logged() {
    [[ -n ${logged_job-} ]] || return 0
    kill -TERM -- "-$logged_job" 2>/dev/null || true
    wait "$logged_job" 2>/dev/null || true
    logged_job=
}

# === What must be there ===

# need COMMAND:PACKAGE... installs the packages of those commands that are missing, in one go.
need() {
    local item missing=()
    for item in "$@"; do
        command -v "${item%%:*}" >/dev/null || missing+=("${item#*:}")
    done
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

install_packages() {
    command -v apt-get >/dev/null ||
        fail "these are missing, and there is no apt-get here to install them: $*" \
            "Install them by this system's own means, then run this again."
    ((EUID == 0)) || fail "these are missing: $*" "Install them, or run this as root: sudo $0"
    say "installing $*"
    local log
    log=$(mktemp)
    # Two of them at once would find each other's lock, and fail.
    if ! { flock 8 && apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" 8>&-; } \
        >"$log" 2>&1 </dev/null 8</var/lib/dpkg 9>&-; then
        show_tail "$log"
        rm -f "$log"
        fail "apt-get could not install $*"
    fi
    rm -f "$log"
    hash -r
}

# What every build here starts from. Static binaries, and a linker at all, want the C library's development files,
# which come with gcc only by recommendation.
need_toolchain() {
    command -v cargo >/dev/null || fail "there is no Rust toolchain here" "Install one from https://rustup.rs, then run this again."
    need cc:gcc
    [[ $(cc -print-file-name=libc.a) == /* ]] || install_packages libc6-dev
}

# === Building what is shipped ===

host_triple() { rustc -vV | sed -n 's/^host: //p'; }

# The folder of this checkout, whoever asks from where.
checkout() { (cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd); }

target_directory() {
    (cd "$(checkout)" && cargo metadata --no-deps --locked --format-version 1) |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# Where static_build puts programs. A test that has built them already, though not as they are shipped, says where:
# ECSSD_TEST_PROGRAMS.
static_directory() {
    if [[ -n ${ECSSD_TEST_PROGRAMS-} ]]; then
        printf '%s\n' "$ECSSD_TEST_PROGRAMS"
    else
        printf '%s/%s/release\n' "$(target_directory)" "$(host_triple)"
    fi
}

# static_build PACKAGE...: static binaries, so that the machine that builds them may have a newer C library than
# the one that runs them. One place, so that all who ship the program ship the same.
static_build() {
    local package
    [[ -z ${ECSSD_TEST_PROGRAMS-} ]] || return 0
    # One after another: built together, they would share the features that either wants, and be other programs.
    for package; do static_cargo build -p "$package"; done
}

# static_cargo COMMAND FLAG...: this of cargo's commands, on the build that is shipped. An explicit --target keeps
# build scripts and procedural macros dynamic, and these flags out of every other build. Paths of this machine are left
# out: two checkouts make the same bytes. Relocations are packed, which the C library that is linked has to know how to
# read: glibc 2.36.
static_cargo() {
    local flags command=$1 home=${CARGO_HOME:-$HOME/.cargo}
    shift
    need_toolchain
    flags="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs --remap-path-prefix=$(checkout)=/build --remap-path-prefix=$home=/cargo"
    (cd "$(checkout)" && RUSTFLAGS=$flags cargo "$command" --release --locked --target "$(host_triple)" "$@")
}

# === Python ===

# python_environment DIR PACKAGE==VERSION [FLAG...]: a Python environment in DIR that has this package, made anew
# unless it does. Flags are pip's.
python_environment() {
    local dir=$1 package=$2
    shift 2
    ! "$dir/bin/python" -c 'import sys, importlib.metadata as m; sys.exit(m.version(sys.argv[1]) != sys.argv[2])' \
        "${package%%==*}" "${package#*==}" 2>/dev/null || return 0
    say "installing $package"
    rm -rf "$dir"
    mkdir -p "$(dirname "$dir")"
    if ! python3 -m venv "$dir" >&2; then
        # A python3 without venv, or none; the system's own can be completed.
        rm -rf "$dir"
        install_packages python3 python3-venv
        /usr/bin/python3 -m venv "$dir" >&2
    fi
    "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "$@" "$package" >&2 ||
        fail "pip could not install $package"
}

# wait_until SECONDS COMMAND... asks ten times a second; false when the time is over.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# === Processes that outlive us ===
#
# A bare pid is not enough to end a process by: after a reboot, or a long day, it is somebody else's. A record is
# the pid and the kernel's start time of it, and a process that does not match both is not ours.

process_start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The second field is a name in parentheses, and may hold anything; what follows the last one is regular.
    read -ra stat <<<"${stat##*) }"
    [[ ${stat[0]} != Z ]] && printf '%s\n' "${stat[19]}"
}

record_process() { printf '%s %s\n' "$2" "$(process_start_time "$2")" >"$1"; }

# Prints the recorded pid if that very process still runs.
process_of() {
    local pid started
    [[ -f $1 ]] && read -r pid started <"$1" && [[ -n $started ]] || return 1
    [[ $(process_start_time "$pid") == "$started" ]] && printf '%s\n' "$pid"
}

process_is_gone() { ! process_of "$1" >/dev/null; }

# spawn RECORD LOG COMMAND...: starts it in a session of its own, so that Ctrl-C here is not a signal there, and
# without our lock (file descriptor 9).
spawn() {
    local record=$1 log=$2
    shift 2
    setsid "$@" >>"$log" 2>&1 </dev/null 9>&- &
    record_process "$record" "$!"
}

# stop_process RECORD SECONDS: TERM, wait, KILL. True if it left by itself.
stop_process() {
    local record=$1 pid
    pid=$(process_of "$record") || { rm -f "$record"; return 0; }
    kill -TERM "$pid" 2>/dev/null || true
    if wait_until "$2" process_is_gone "$record"; then
        rm -f "$record"
        return 0
    fi
    kill -KILL "$pid" 2>/dev/null || true
    wait_until 5 process_is_gone "$record" || true
    rm -f "$record"
    return 1
}

# === Ports ===

# Who listens on PROTOCOL ADDRESS PORT, itself or by a wildcard; false if nobody does.
listener_on() {
    local flag=-Hlntp found
    [[ $1 == udp ]] && flag=-Hlnup
    found=$(ss "$flag" | awk -v address="$2" -v port="$3" '
        { at = number = $4; sub(/:[^:]*$/, "", at); sub(/%.*/, "", at); sub(/.*:/, "", number) }
        number == port && (at == address || at == "0.0.0.0" || at == "*" || at == "[::]") { print $6 == "" ? "a process of another user" : $6; exit }')
    [[ -n $found ]] && printf '%s\n' "$found" | sed 's/^users:((//; s/))$//; s/"//g'
}

# The first port from $1 on that nobody listens on.
free_port() {
    local port=$1
    while ss -Hlnt "sport = :$port" | grep -q .; do
        ((++port <= 65535)) || return 1
    done
    printf '%s\n' "$port"
}
