# shellcheck shell=bash
#
# What tests/run and tests/full share: running steps by their names, each in a process of its own, and what steps need.
# Sourced, after STEPS, ABOUT, NEED_ENGINE, NEED_EMULATOR, NEED_LAMBDA, BUILD_STATIC and BESIDE are there, and a
# function step_NAME for each; it ends with `main`.
#
# A step's log may say figures, in lines that begin with "figure: "; they go into the table at the end.

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target} CARGO_TERM_COLOR=never
export PATH=$root/.cache/tools/bin:$PATH
readonly LOGS=$CARGO_TARGET_DIR/tests
self=$root/tests/$(basename "$0")
readonly self

# === What they need ===

# cargo_tool NAME VERSION [FLAG...]: the one in the path, or this one, built quickly rather than well.
cargo_tool() {
    local name=$1 version=$2
    shift 2
    ! command -v "$name" >/dev/null || return 0
    printf 'building %s %s\n' "$name" "$version"
    CARGO_TARGET_DIR=$root/.cache/build CARGO_PROFILE_DEV_DEBUG=false CARGO_INCREMENTAL=0 \
        cargo install --locked --debug --root "$root/.cache/tools" "$@" "$name@$version"
    rm -rf "$root/.cache/build"
}

# Whatever runs on this machine: an engine that others use has other containers, and an agent registers what it sees.
start_engine() {
    local socket=${ECSSD_TEST_DOCKER_SOCKET-}
    [[ -n $socket ]] || socket=$(deploy/engine start "$run/engine") || return 1
    export DOCKER_HOST=unix://$socket ECSSD_TEST_DOCKER_SOCKET=$socket
}

# In the engine's network, from which nothing can be installed.
start_emulator() {
    local url=${ECSSD_TEST_ROUTE53_ENDPOINT-}
    [[ -n $url ]] || { tests/emulator install && url=$(deploy/engine in tests/emulator up "$run/emulator"); } || return 1
    export ECSSD_TEST_ROUTE53_ENDPOINT=$url
}

# cargo_test FLAG...: `cargo test`, where the engine is; it is built here, where crates can be had.
cargo_test() {
    local flag build=()
    for flag; do [[ $flag != -- ]] || break; build+=("$flag"); done
    cargo test --workspace --locked --no-run "${build[@]}"
    deploy/engine in cargo test --workspace --locked --offline "$@"
}

need_consumers() {
    need busybox:busybox-static dig:bind9-dnsutils ip:iproute2 iptables:iptables nsenter:util-linux setpriv:util-linux
    need haproxy:haproxy prometheus:prometheus dnsmasq:dnsmasq-base unbound:unbound go:golang-go unshare:util-linux
    /usr/bin/python3 -c 'import dns' 2>&- || install_packages python3-dnspython
    unpack_resolved
}

# Not installed: it would become this machine's own resolver.
unpack_resolved() {
    local dir=$root/.cache/systemd-resolved package
    [[ ! -d $dir ]] || return 0
    mkdir -p "$dir.new"
    (cd "$dir.new" && apt-get download systemd-resolved libsystemd-shared)
    for package in "$dir.new"/*.deb; do dpkg-deb --extract "$package" "$dir.new"; done
    mv "$dir.new" "$dir"
}

figure() { printf 'figure: %s\n' "$*"; }

# figures_of PATTERN: the lines of this step's log that match.
figures_of() { grep -E -- "$1" "$LOGS/$step.log" | sed 's/^test .* \.\.\. //; s/^/figure: /'; }

# sum_of WORD: what the Rust harness counted, over all its summaries in this step's log.
sum_of() { grep -E '^test result: ' "$LOGS/$step.log" | grep -oE "[0-9]+ $1" | awk '{ sum += $1 } END { print sum + 0 }'; }

# fuzz SECONDS MOST PROFILE: each target, for so long and so often at most, built so (release, or dev).
#
# The fuzzer's instrumentation is unstable, and the pinned toolchain is stable: hence RUSTC_BOOTSTRAP. It has a target
# directory of its own, because all flags differ. No sanitizer: there is no unsafe code of ours for it to watch.
fuzz() {
    local seconds=$1 most=$2 profile=$3 target targets corpus built=$CARGO_TARGET_DIR/fuzz
    local -A folder=([dev]=debug [release]=release)
    cargo_tool cargo-fuzz 0.13.2
    need c++:g++
    mapfile -t targets < <(cargo fuzz list)
    ((${#targets[@]})) || { printf 'there are no fuzz targets\n'; return 1; }
    RUSTC_BOOTSTRAP=1 cargo fuzz build "--$profile" --sanitizer none --target-dir "$built"
    for target in "${targets[@]}"; do
        # New finds go to the first directory; the second, the checkout's, is only read.
        corpus=$(mktemp -d)
        local from=("$corpus")
        [[ ! -d fuzz/corpus/$target ]] || from+=("fuzz/corpus/$target")
        printf '\n=== %s\n' "$target"
        "$built/$(rustc -vV | sed -n 's/^host: //p')/${folder[$profile]}/$target" "${from[@]}" \
            -max_total_time="$seconds" -runs="$most" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
            -artifact_prefix="$LOGS/fuzz-$target-" 2>&1 | tail -n 40
        rm -rf "$corpus"
        figure "$target: $(sed -n 's/^stat::number_of_executed_units: //p' "$LOGS/$step.log" | tail -n 1) runs in $seconds s at most"
    done
}

# Without what it builds programs with: it only has to answer.
install_lambda() {
    [[ -z ${ECSSD_TEST_CARGO_LAMBDA-} ]] || return 0
    python_environment .cache/lambda cargo-lambda==1.9.2 --no-deps || return 1
    export ECSSD_TEST_CARGO_LAMBDA=$root/.cache/lambda/bin/cargo-lambda
}

# === Running them ===

main() {
    local name names=("$@")
    case ${1-} in
        '') names=("${STEPS[@]}") ;;
        --list)
            for name in "${STEPS[@]}"; do printf '%-9s  %s\n' "$name" "${ABOUT[$name]}"; done
            return
            ;;
        --step) step=$2; "step_$2"; return ;;
        --help | -h) sed -n '3,/^[^#]/{/^#/!d; s/^# \{0,1\}//; p}' "$self"; return ;;
    esac
    for name in "${names[@]}"; do
        [[ -n ${ABOUT[$name]-} ]] || fail "there is no step $name" "See $self --list."
    done
    need_toolchain
    need_room
    mkdir -p "$LOGS"
    run=$(mktemp -d "${TMPDIR:-/tmp}/ecssd-tests.XXXXXX")
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    trap leave EXIT
    passed=0 failed=0 finished='' rows=()
    for name in "${names[@]}"; do
        [[ ${running[*]} == "${BESIDE[$name]-}" ]] || end_steps
        begin_step "$name"
    done
    end_steps
    finished=yes
    ((failed == 0))
}

# A disk that fills up midway fails whatever writes next, by other names. Where nothing is built yet, each crate is built
# once, and what would make the second time quicker is left out.
readonly ROOM_GB=6
need_room() {
    local free
    [[ ! -d $CARGO_TARGET_DIR ]] || return 0
    export CARGO_INCREMENTAL=0
    free=$(df --block-size=1G --output=avail "$root" | tail -1)
    ((free >= ROOM_GB)) || say "only ${free// /} GB are free at $root: all steps together write about $ROOM_GB"
}

# The steps that run, in the order of their beginning; of each, its process and when it began.
running=()
declare -A job=() began=()

# In a session of its own: bash has what it starts in the background ignore Ctrl-C.
begin_step() {
    local name=$1
    : >"$LOGS/$name.log"
    say "$name: ${ABOUT[$name]}"
    began[$name]=$SECONDS
    prepare "$name" || { end_step "$name" FAILED; return; }
    running+=("$name")
    setsid timeout --kill-after 90 "$STEP_SECONDS_MAX" "$self" --step "$name" >>"$LOGS/$name.log" 2>&1 </dev/null &
    job[$name]=$!
}

# Waits for all that run, and shows meanwhile that they are alive.
end_steps() {
    local name left shown=$SECONDS
    while ((${#running[@]})); do
        sleep 0.2
        left=()
        for name in "${running[@]}"; do
            if kill -0 "${job[$name]}" 2>/dev/null; then
                left+=("$name")
            elif wait "${job[$name]}"; then
                end_step "$name" passed
            else
                end_step "$name" FAILED
            fi
        done
        running=("${left[@]}")
        ((${#running[@]})) || break
        if [[ -t 2 ]]; then
            printf '\r\033[K[%4ds] %s … %.70s' "$SECONDS" "${running[*]}" "$(last_words "$LOGS/${running[0]}.log")" >&2
        elif ((SECONDS - shown >= 30)); then
            shown=$SECONDS
            for name in "${running[@]}"; do say "$name … $(last_words "$LOGS/$name.log")"; done
        fi
    done
}

# end_step STEP RESULT
end_step() {
    local name=$1 result=$2 log=$LOGS/$1.log
    local took=$((SECONDS - began[$name]))
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
    row "$name" "$result" "$took" "$log"
    if [[ $result == passed ]]; then
        passed=$((passed + 1))
        say "$name: passed in $took s"
    else
        failed=$((failed + 1))
        show_failures "$log"
        show_tail "$log" 60
        say "$name: FAILED after $took s; the whole log: $log"
    fi
}

stop_steps() {
    local name
    # Before setsid has made the session, there is the process alone.
    for name in "${running[@]}"; do kill -TERM -- "-${job[$name]-}" 2>/dev/null || kill -TERM "${job[$name]-}" 2>/dev/null; done
    for name in "${running[@]}"; do wait "${job[$name]-}" 2>/dev/null; done
}

# Which tests failed and how they panicked, from all over a log: its end may speak of others. As Rust's harness and the
# fuzzer write it; of a log without that, nothing.
show_failures() {
    local log=$1 found
    found=$(awk -v most=40 -v of_each=10 '
        function add(line) { lines[++count] = substr(line, 1, 300) }
        /^failures:$/ { listing = 1; next }
        listing && /^    [^ ]/ { if (!named[$0]++) names[++total] = substr($0, 5); next }
        /./ { listing = 0 }
        # A property that shrinks its case panics at one place again and again.
        / panicked at / { left = told[$0]++ ? 0 : of_each; if (left) add($0); next }
        /^$/ || /^note: / || /^stack backtrace:/ { left = 0 }
        left { add("  " $0); --left }
        END {
            for (n = 1; n <= total && shown < most; ++n) { print "  | " names[n]; ++shown }
            for (n = 1; n <= count && shown < most; ++n) { print "  | " lines[n]; ++shown }
            if (shown < total + count) printf "  | and %d lines more\n", total + count - shown
        }' "$log")
    [[ -z $found ]] || printf '\nwhat failed, by %s:\n%s\n' "$log" "$found" >&2
}

# row STEP RESULT SECONDS LOG: a line of the table, and one more for each further figure.
row() {
    local figures figure
    mapfile -t figures < <(sed -n 's/^figure: //p' "$4")
    rows+=("$(printf '%-9s  %-6s  %6d  %s' "$1" "$2" "$3" "${figures[0]-}")")
    for figure in "${figures[@]:1}"; do rows+=("$(printf '%-27s%s' '' "$figure")"); done
}

table() {
    ((${#rows[@]})) || return 0
    printf '%-9s  %-6s  %6s  %s\n' step result s figures
    printf '%s\n' "${rows[@]}"
}

# Here and not in the step, because they are for all of them. Not in a subshell, because of what it exports.
prepare() {
    # The demo's state goes with this run, so that a demo of somebody else is another one.
    export XDG_STATE_HOME=$run
    [[ $NEED_ENGINE != *" $1 "* ]] || start_engine || return 1
    [[ $NEED_EMULATOR != *" $1 "* ]] || start_emulator || return 1
    [[ $NEED_LAMBDA != *" $1 "* ]] || install_lambda || return 1
    if [[ $BUILD_STATIC == *" $1 "* ]]; then
        build_static
    else
        unset CARGO_BUILD_TARGET CARGO_PROFILE_DEV_DEBUG RUSTFLAGS
    fi
}

# As what is shipped: so a program that tests have built can be an image's, too, and all is built once. With a target that
# is named, procedural macros stay what they have to be. Nobody looks into these with a debugger: a panic says its line
# without what one needs.
build_static() {
    CARGO_BUILD_TARGET=$(host_triple)
    export CARGO_BUILD_TARGET CARGO_PROFILE_DEV_DEBUG=false RUSTFLAGS="-C target-feature=+crt-static"
}

leave() {
    local status=$?
    set +e
    trap '' INT TERM HUP
    stop_steps
    if [[ -d $run/ecssd-demo ]]; then XDG_STATE_HOME=$run deploy/demo --down || status=1; fi
    if [[ -d $run/engine ]]; then deploy/engine down "$run/engine" || status=1; fi
    if [[ -d $run/emulator ]]; then tests/emulator down "$run/emulator" || status=1; fi
    rm -rf "$run"
    [[ -n $finished ]] || say "interrupted"
    table
    printf '%d passed, %d failed\n' "$passed" "$failed"
    exit "$status"
}
