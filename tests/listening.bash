# SPDX-License-Identifier: ISC
# For bats: the listening service, on sockets that the program listen ($HOSTS)
# hands over, and clients that stay until they are told to go.

load handler

# What listen is told, the places where it listens, and what is between it and
# the service: strace for example.
listen_options=()
listen_on=(4)
within=()

# start_service [OPTION...]: the service is $service, and $place is where it
# listens; there are more in places[].
start_service()
{
	local file=$BATS_TEST_TMPDIR/places

	[ -n "${PROGRAM:-}" ] || copy_program
	SERVER_LOG=$BATS_TEST_TMPDIR/service.log
	rm -f "$file"
	"${as[@]}" "$HOSTS/listen" "${listen_options[@]}" "$file" \
		"${listen_on[@]}" -- "${within[@]}" "$PROGRAM" \
		"${log:---log=stderr}" --handshake-timeout=60 "$@" </dev/null \
		>"$SERVER_LOG" 2>&1 3>&- &
	service=$!
	superserver_pids+=("$service")
	wait_until [ -s "$file" ]
	mapfile -t places <"$file"
	place=${places[0]}
	# A signal that comes earlier would end it; it may have gone by itself.
	wait_until takes_signals
}

takes_signals()
{
	grep -qs '^sigmask:' "/proc/$service/fdinfo"/* || is_gone "$service"
}

# service_left: it is gone, by itself, with status 0.
service_left()
{
	wait_until is_gone "$service"
	wait "$service"
}

# enter NAME [CLIENTOPTION...] WHERE [STEP...]: a client whose greeting was
# answered; it stays until leave NAME, when it takes the steps.
enter()
{
	local name=$1
	local -a options=(-l 60)

	shift
	while [[ $1 == -* ]]; do
		options+=("$1" "$2")
		shift 2
	done
	[ ! -e "$BATS_TEST_TMPDIR/$name.in" ] ||
		rm -f "$BATS_TEST_TMPDIR/$name".{in,go}
	"${as[@]}" "$HOSTS/client" "${options[@]}" "$1" "${greet[@]}" \
		"touch:$BATS_TEST_TMPDIR/$name.in" \
		"await:$BATS_TEST_TMPDIR/$name.go" "${@:2}" 3>&- &
	visitors[$name]=$!
	wait_until [ -e "$BATS_TEST_TMPDIR/$name.in" ]
}

leave()
{
	: >"$BATS_TEST_TMPDIR/$1.go"
	wait "${visitors[$1]}"
	unset "visitors[$1]"
}

# turned_away [CLIENTOPTION...] WHERE: its connection is closed at once.
turned_away()
{
	"${as[@]}" "$HOSTS/client" "$@" closed
}

# Before a client: to be somebody else, or elsewhere.
as=()
declare -gA visitors=()

listening_teardown()
{
	local name

	for name in "${!visitors[@]}"; do
		kill "${visitors[$name]}" 2>/dev/null || :
		wait "${visitors[$name]}" 2>/dev/null || :
	done
	handler_teardown
	stop_superservers
	[ ! -e "$BATS_TEST_TMPDIR/service.log" ] ||
		cat "$BATS_TEST_TMPDIR/service.log"
}

# spares: the processes that wait for a client.
spares()
{
	programs_that spare
}

# there_are N COMMAND...: it prints so many lines.
there_are()
{
	[ "$("${@:2}" | wc -l)" -eq "$1" ]
}

# said N PATTERN: so many lines of the service match.
said()
{
	[ "$(grep -cE -- "$2" "$SERVER_LOG")" -eq "$1" ]
}

# zombies: children of the service that nobody has waited for.
zombies()
{
	pgrep -P "$service" -r Z || :
}

# ticks: what the service has used of a processor, and how often it slept.
ticks()
{
	awk '{ sub(/.*\)/, ""); print $12 + $13 }' "/proc/$service/stat"
}

sleeps()
{
	awk '$1 == "voluntary_ctxt_switches:" { print $2 }' \
		"/proc/$service/status"
}

# calm N: within a second it wakes N times at most, and does next to nothing.
calm()
{
	local ticks sleeps

	ticks=$(ticks) sleeps=$(sleeps)
	sleep 1
	ticks=$(($(ticks) - ticks)) sleeps=$(($(sleeps) - sleeps))
	echo "$ticks ticks, woken $sleeps times"
	[ "$ticks" -le 10 ] && [ "$sleeps" -le "$1" ]
}
