# SPDX-License-Identifier: ISC
# For bench/inside: the units under the real systemd, which
# tests/systemd-sandbox.sh boots in this network.

in_sandbox()
{
	nsenter -t "$(cat "$work/sandbox/pid1")" -m -p -u -i -n -C -- "$@"
}

sandbox_is_up_or_gone()
{
	[ -e "$work/sandbox/pid1" ] || is_gone "$sandbox"
}

# socket_unit NAME PORT LINE...
socket_unit()
{
	printf '%s\n' '[Socket]' "ListenStream=127.0.0.1:$2" "${@:3}" \
		>"$work/units/$1.socket"
}

# The unit of the listening service, its port apart; and what it is compared
# with, its sandbox paid by each connection.
make_units()
{
	local wait=systemd/socks5-handler-wait.service

	mkdir "$work/units"
	socket_unit accept "$1" Accept=yes MaxConnections=512 \
		TriggerLimitBurst=0
	sed 's|/usr/local/bin/|/usr/bin/|' systemd/socks5-handler@.service \
		>"$work/units/accept@.service"
	[ -e $wait ] || return 0
	socket_unit wait "$2"
	sed 's|/usr/local/bin/|/usr/bin/|
		/^\(Requires\|After\)=/d' $wait >"$work/units/wait.service"
	socket_unit accept-full "$3" Accept=yes MaxConnections=512 \
		TriggerLimitBurst=0
	sed 's|^\[Service\]|CollectMode=inactive-or-failed\n&\nStandardInput=socket\nStandardError=journal|
		/^\(Type\|ExecReload\|KillMode\|OOMPolicy\|Restart.*\|WatchdogSec\)=/d' \
		"$work/units/wait.service" >"$work/units/accept-full@.service"
}

boot_sandbox()
{
	local complaint

	if [ "$(id -u)" -ne 0 ] || [ -z "$cgroups" ]; then
		note "systemd: only root, with cgroup2, can boot it here."
		return 1
	fi
	mkdir "$work/sandbox"
	env -u MAKEFLAGS make -s -o "build/$BUILD/socks5-handler" \
		DESTDIR="$work/sandbox/files" PREFIX=/usr install \
		>"$work/install.log" 2>&1
	tests/systemd-sandbox.sh --hostnet "$work/sandbox" "$work/units" -- \
		sleep infinity </dev/null >"$work/sandbox.log" 2>&1 &
	sandbox=$!
	patience=60 wait_until sandbox_is_up_or_gone || :
	if [ -e "$work/sandbox/pid1" ]; then
		in_sandbox systemd-sysusers socks5-handler.conf 2>/dev/null
		return
	fi
	end_process "$sandbox"
	complaint=$(tail -n 1 "$work/sandbox.log")
	note "systemd: ${complaint#systemd-sandbox: }"
	return 1
}

no_instances()
{
	[ -z "$(in_sandbox systemctl list-units --plain --no-legend --all \
		'accept*@*.service')" ]
}

systemd_round()
{
	measure "$@" many -t 1500 setup 32 2000
	# What is left to do for connections that have ended is done first.
	patience=60 wait_until no_instances || :
}

part_systemd()
{
	local name
	local -a names=(systemd-accept)
	local -A ports=([accept]=$((next_port++)) [wait]=$((next_port++))
		[accept-full]=$((next_port++)))

	make_units "${ports[accept]}" "${ports[wait]}" "${ports[accept-full]}"
	if [ -e "$work/units/wait.service" ]; then
		names+=(systemd-wait systemd-accept-full)
	else
		note "systemd: there is no systemd/socks5-handler-wait.service."
	fi
	boot_sandbox || return 0
	candidates=()
	for name in "${names[@]}"; do
		if ! in_sandbox systemctl start "${name#systemd-}.socket" \
			2>"$work/start.log"; then
			note "$name: $(head -n 1 "$work/start.log")"
			continue
		fi
		port_of["$name"]=${ports[${name#systemd-}]}
		# Of all that runs there, the journal and systemd itself.
		measured_by["$name"]="-g $cgroups/socks5-sandbox.$sandbox"
		candidates+=("$name")
	done
	in_turn systemd "$rounds" systemd_round
	candidates=()
	end_process "$sandbox"
}
