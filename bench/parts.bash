# SPDX-License-Identifier: ISC
# For bench/inside: what is measured, part by part.

setup_round()
{
	measure "$@" one -t 400 setup 1 300
	measure "$@" calm -t 600 setup 1 40 10
	measure "$@" many -t 600 setup 32 1000
}

part_setup()
{
	start_candidates direct exec exec-static wait wait-static tcpserver \
		xinetd microsocks dante ssh
	in_turn setup "$rounds" setup_round
	stop_candidates
}

bulk_round()
{
	measure "$@" down-1 bulk down 1 300
	measure "$@" up-1 bulk up 1 300
	measure "$@" down-16 bulk down 16 300
	measure "$@" up-16 bulk up 16 300
}

# part_bulk NAME
part_bulk()
{
	start_candidates direct exec exec-readwrite wait wait-static \
		microsocks dante ssh
	in_turn "$1" "$rounds" bulk_round
	stop_candidates
}

# Round trips, of which the scheduler's choice of a core is no part.
exchange_round()
{
	measure "$@" 1B exchange 1 150
	measure "$@" 1KiB exchange 1024 150
	measure "$@" 64KiB exchange 65536 150
	measure "$@" split split 1024 150
}

# part_exchange NAME
part_exchange()
{
	pinned=$core
	start_candidates direct exec exec-readwrite wait wait-static \
		microsocks dante ssh
	in_turn "$1" "$rounds" exchange_round
	stop_candidates
	pinned=
}

# at_mtu_1500 COMMAND...: with packets of 1500 bytes. Loopback's offload would
# still carry 64 KiB as one. It is loopback all the same, and not a pair of
# devices, so that both legs of a tunnel have such packets, and a direct
# connection is comparable.
at_mtu_1500()
{
	if ! ethtool -K lo tso off gso off 2>"$work/ethtool.err"; then
		note "MTU 1500: ethtool can't switch off loopback's offload: $(head -n 1 "$work/ethtool.err")"
		return 0
	fi
	ip link set lo mtu 1500
	"$@"
	ip link set lo mtu "$mtu"
	ethtool -K lo tso on gso on
}

udp_round()
{
	measure "$@" 64B udp 64 32 300
	measure "$@" 1400B udp 1400 32 300
}

udp_single_round()
{
	measure "$@" single udp 64 1 300
}

# Beside the one other that has UDP ASSOCIATE: microsocks and ssh have not.
part_udp()
{
	local -a names=(direct exec exec-static dante)

	start_candidates "${names[@]}"
	in_turn udp "$rounds" udp_round
	stop_candidates
	# As with exchanges, the scheduler's choice of a core is no part of it.
	pinned=$core
	start_candidates "${names[@]}"
	in_turn udp "$rounds" udp_single_round
	stop_candidates
	pinned=
}

# What earlier tunnels left in a program's memory is no memory of these.
start_afresh()
{
	[ "$1" != direct ] || return 0
	stop_candidate "$1"
	start_candidate "$1"
}

idle_round()
{
	start_afresh "$3" || return 0
	measure "$@" 1000 -l 100 idle 1000
}

idle_large_round()
{
	start_afresh "$3" || return 0
	measure "$@" 5000 -l 100 idle 5000
}

part_idle()
{
	start_candidates direct exec exec-static wait wait-static \
		microsocks dante ssh
	in_turn idle "$rounds" idle_round
	in_turn idle 1 idle_large_round
	stop_candidates
}

rules_round()
{
	measure "$@" one -t 400 setup 1 300
}

# Files of so many lines, all of which are read and asked: the last decides.
part_rules()
{
	start_candidates exec exec-rules-{100,1000,10000} \
		wait wait-rules-{100,1000,10000}
	in_turn rules "$rounds" rules_round
	stop_candidates
}

# The same connections on 0 and 1, with the end of file for a first read.
part_start()
{
	local dir=$TOP/build/$BUILD round name times
	local -a names=(empty ours) programs=("$dir/bench/empty" --
		"$dir/socks5-handler" "${handler_options[@]}")

	if [ -x "$dir/bench/empty-static" ]; then
		names+=(empty-static)
		programs+=(-- "$dir/bench/empty-static")
	else
		note "start: without musl-gcc there is no empty static program."
	fi
	if [ -x "$static" ]; then
		names+=(static)
		programs+=(-- "$static" "${handler_options[@]}")
	else
		note "start: build/static/socks5-handler isn't there; \`make static\` makes it."
	fi
	for ((round = 1; round <= rounds; round++)); do
		echo "start, round $round of $rounds"
		times=$("$dir/bench/start" 300 "${programs[@]}") || return 0
		for name in "${names[@]}"; do
			read -r value
			figure start "$round" "$name" start_us "$value"
		done <<<"$times"
	done
}
