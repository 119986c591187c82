# SPDX-License-Identifier: ISC
# report.awk: what the figures of bench/inside come to.
#
#	awk -v notes=FILE -v machine=FILE -f report.awk FIGURES
#		results.md
#	awk -v chart="PART METRIC" -f report.awk FIGURES
#		for a chart: NAME, its place among ours (1) or the others (0),
#		and the median, between tabs
#
# A ratio is the median of the rounds' ratios: what slows the machine down for
# a while slows both.
BEGIN {
	FS = "\t"
	split("direct exec exec-static exec-readwrite wait wait-static " \
	    "tcpserver xinetd microsocks dante ssh systemd-wait " \
	    "systemd-accept systemd-accept-full", names, " ")
	split("exec exec-rules-100 exec-rules-1000 exec-rules-10000 wait " \
	    "wait-rules-100 wait-rules-1000 wait-rules-10000", with_rules, " ")
	label["direct"] = "no proxy"
	label["exec"] = "ours, a process started for each client"
	label["exec-static"] = "… static build"
	label["exec-readwrite"] = "… without splice"
	label["wait"] = "ours, listening service"
	label["wait-static"] = "… static build, listening"
	label["tcpserver"] = "ours under tcpserver"
	label["xinetd"] = "ours under xinetd"
	label["microsocks"] = "microsocks"
	label["dante"] = "dante"
	label["ssh"] = "ssh -D"
	label["systemd-wait"] = "the listening service"
	label["systemd-accept"] = "Accept=yes, as it is shipped"
	label["systemd-accept-full"] = \
	    "Accept=yes, with the listening service's sandbox"
}

{
	value[$1, $3, $4, $2] = $5
	known[$1, $3] = 1
	if ($2 > rounds[$1, $4])
		rounds[$1, $4] = $2
	if ($2 > most)
		most = $2
}

# The median of list[1..n]: the lower one, where there are two.
function middle(list, n,    i, j, t)
{
	for (i = 2; i <= n; i++) {
		t = list[i]
		for (j = i; j > 1 && list[j - 1] + 0 > t + 0; j--)
			list[j] = list[j - 1]
		list[j] = t
	}
	return n ? list[int((n + 1) / 2)] : ""
}

# "" where there is no figure, here and below.
function median(part, name, metric,    r, n, list)
{
	for (r = 1; r <= rounds[part, metric]; r++)
		if ((part, name, metric, r) in value)
			list[++n] = value[part, name, metric, r]
	return middle(list, n)
}

function ratio(part, name, base, metric,    r, n, list)
{
	for (r = 1; r <= rounds[part, metric]; r++)
		if ((part, name, metric, r) in value &&
		    value[part, base, metric, r] > 0)
			list[++n] = value[part, name, metric, r] / \
			    value[part, base, metric, r]
	return middle(list, n)
}

# The largest (sign 1) or smallest (-1) of the ratios by several metrics; ""
# where one of them is missing.
function extreme(sign, part, name, base, metrics,    i, n, m, x, worst)
{
	n = split(metrics, m, " ")
	for (i = 1; i <= n; i++) {
		x = ratio(part, name, base, m[i])
		if (x == "")
			return ""
		if (i == 1 || sign * x > sign * worst)
			worst = x
	}
	return worst
}

function sum(part, name, metrics,    i, n, m, r, s, any)
{
	n = split(metrics, m, " ")
	for (i = 1; i <= n; i++)
		for (r = 1; r <= rounds[part, m[i]]; r++)
			if ((part, name, m[i], r) in value) {
				any = 1
				s += value[part, name, m[i], r]
			}
	return any ? s + 0 : ""
}

function digits(x)
{
	if (x == "")
		return "–"
	return sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : \
	    x >= 0.1 || x == 0 ? "%.2f" : "%.3f", x)
}

# columns: "METRIC|HEADING;...". Multiples of base's figures, or, where base is
# "", figures.
function table(part, base, columns,    i, j, n, c, f, line)
{
	n = split(columns, c, ";")
	line = "|"
	for (j = 1; j <= n; j++) {
		split(c[j], f, "|")
		metric[j] = f[1]
		line = line " | " f[2]
	}
	print line " |"
	line = "|---"
	for (j = 1; j <= n; j++)
		line = line "|--:"
	print line "|"
	if ((part, base) in known) {
		line = "| **" label[base] "** |"
		for (j = 1; j <= n; j++)
			line = line " **" digits(median(part, base, \
			    metric[j])) "** |"
		print line
	}
	for (i = 1; i in names; i++) {
		if (!((part, names[i]) in known) || names[i] == base)
			continue
		line = "| " label[names[i]] " |"
		for (j = 1; j <= n; j++)
			line = line " " digits(base == "" ? \
			    median(part, names[i], metric[j]) : \
			    ratio(part, names[i], base, metric[j])) " |"
		print line
	}
	print ""
}

# sign 1: at most the bound is met; -1: at least; 0: less than it is missed.
function target(what, figure, sign, bound,    verdict)
{
	if (figure == "")
		verdict = "not measured"
	else
		verdict = sign * figure <= sign * bound ? "met" : "**missed**"
	print "| " what " | " (sign > 0 ? "≤ " : "≥ ") bound " | " \
	    digits(figure) " | " verdict " |"
}

function bulk_metrics(metric)
{
	return "down-1." metric " up-1." metric " down-16." metric \
	    " up-16." metric
}

function stalls(part, name)
{
	return sum(part, name, "64KiB.stalls split.stalls")
}

function targets(    cpu, gb, p50)
{
	cpu = bulk_metrics("cpu_s_per_gb")
	gb = "down-1.gb_per_second up-1.gb_per_second"
	p50 = "1B.exchange_p50_us 1KiB.exchange_p50_us"
	print "| | target | measured | |\n|---|--:|--:|---|"
	target("CPU per GB, of dante's", \
	    extreme(1, "bulk", "exec", "dante", cpu), 1, 0.20)
	target("CPU per GB, of microsocks's", \
	    extreme(1, "bulk", "exec", "microsocks", cpu), 1, 0.10)
	target("CPU per GB, of our own without splice", \
	    extreme(1, "bulk", "exec", "exec-readwrite", cpu), 1, 0.50)
	target("GB/s of one stream, of a direct connection's", \
	    extreme(-1, "bulk", "exec", "direct", gb), -1, 0.65)
	target("1 B and 1 KiB there and back, of microsocks's", \
	    extreme(1, "exchange", "exec", "microsocks", p50), 1, 1.05)
	target("exchanges of 64 KiB or of two pieces that took 30 ms or more", \
	    stalls("exchange", "exec"), 1, 0)
	target("MTU 1500: CPU per GB, of our own without splice", \
	    extreme(1, "bulk1500", "exec", "exec-readwrite", cpu), 1, 1)
	target("MTU 1500: GB/s, of our own without splice", \
	    extreme(-1, "bulk1500", "exec", "exec-readwrite", \
	    bulk_metrics("gb_per_second")), -1, 1)
	target("MTU 1500: 1 B and 1 KiB, of our own without splice", \
	    extreme(1, "exchange1500", "exec", "exec-readwrite", p50), 1, 1.05)
	target("UDP: CPU per datagram of 64 and of 1,400 B, of dante's", \
	    extreme(1, "udp", "exec", "dante", "64B.cpu_us_per_datagram " \
	    "1400B.cpu_us_per_datagram"), 1, 0.50)
	target("UDP: datagrams that did not come back", \
	    sum("udp", "exec", "64B.lost 1400B.lost single.lost"), 1, 0)
	target("start, of an empty program", \
	    ratio("start", "ours", "empty", "start_us"), 1, 1.15)
	target("start of the static build, of an empty static program", \
	    ratio("start", "static", "empty-static", "start_us"), 1, 1.4)
	target("static build: KiB private to an idle tunnel", \
	    median("idle", "exec-static", "1000.private_kib_per_tunnel"), 1, 48)
	target("listening: time to the reply, of microsocks's", \
	    ratio("setup", "wait", "microsocks", "one.setup_p50_us"), 1, 1.0)
	target("listening: connections per second of 32 clients, of microsocks's", \
	    ratio("setup", "wait", "microsocks", "many.per_second"), -1, 0.7)
	target("... of dante's", \
	    ratio("setup", "wait", "dante", "many.per_second"), -1, 1)
	target("listening: tunnels held at once, and all of them used", \
	    median("idle", "wait", "5000.connections"), -1, 5000)
	target("under systemd, sandboxed: connections per second of the " \
	    "listening service, of Accept=yes", ratio("systemd", \
	    "systemd-wait", "systemd-accept-full", "many.per_second"), -1, 20)
	print ""
}

function setup_table()
{
	print "## Set-up\n\nFrom connect() to the reply of CONNECT, one " \
	    "connection after the other without a pause, the same with a " \
	    "pause of 10 ms before each, and by 32 clients at once. CPU time " \
	    "is that of the proxy's processes.\n"
	table("setup", "microsocks", "one.setup_p50_us|µs, half of all;" \
	    "one.setup_p99_us|µs, 99 of 100;" \
	    "calm.setup_p50_us|µs after a pause, half;" \
	    "one.cpu_us_per_connection|µs CPU;" \
	    "one.per_second|per second;" \
	    "many.per_second|per second, 32 clients")
}

function bulk_table(part, heading)
{
	print "## " heading "\n\nGB/s, and CPU seconds of the proxy's " \
	    "processes for each GB; down is to the client.\n"
	table(part, "microsocks", "down-1.gb_per_second|GB/s down;" \
	    "up-1.gb_per_second|up;down-16.gb_per_second|down, 16 streams;" \
	    "up-16.gb_per_second|up, 16;down-1.cpu_s_per_gb|CPU down;" \
	    "up-1.cpu_s_per_gb|up;down-16.cpu_s_per_gb|down, 16;" \
	    "up-16.cpu_s_per_gb|up, 16")
}

function exchange_table(part, heading)
{
	print "## " heading "\n\nA message there and the same back, in µs, " \
	    "with everything on one core; two pieces are the halves of 1 KiB, " \
	    "written 0.3 ms apart, from the second on.\n"
	table(part, "microsocks", "1B.exchange_p50_us|1 B, half of all;" \
	    "1B.exchange_p99_us|99 of 100;1KiB.exchange_p50_us|1 KiB, half;" \
	    "1KiB.exchange_p99_us|99;64KiB.exchange_p50_us|64 KiB, half;" \
	    "64KiB.exchange_p99_us|99;split.exchange_p50_us|two pieces, half;" \
	    "split.exchange_p99_us|99")
}

function udp_table()
{
	print "## Datagrams\n\nThrough UDP ASSOCIATE to an echo and back: 32 " \
	    "of them under way at once, or one alone and everything on one " \
	    "core. How many the proxy relays in a second, there and back " \
	    "being two, and µs of CPU time of its processes for each. " \
	    "microsocks and ssh relay none.\n"
	table("udp", "dante", "64B.per_second|64 B, per second;" \
	    "1400B.per_second|1,400 B;single.per_second|64 B, one alone;" \
	    "64B.cpu_us_per_datagram|µs CPU, 64 B;" \
	    "1400B.cpu_us_per_datagram|1,400 B;" \
	    "single.cpu_us_per_datagram|64 B, one alone")
}

function idle_table()
{
	print "## Idle tunnels\n\nKiB for each tunnel: private to the " \
	    "proxy's processes, and as MemAvailable tells it, which has the " \
	    "kernel's share and both ends of the load generator as well. And " \
	    "CPU time to set one up, of so many. These are figures, not " \
	    "multiples.\n"
	table("idle", "", \
	    "1000.private_kib_per_tunnel|private, of 1,000;" \
	    "1000.available_kib_per_tunnel|all;" \
	    "1000.cpu_us_per_connection|µs CPU;" \
	    "5000.private_kib_per_tunnel|private, of 5,000;" \
	    "5000.available_kib_per_tunnel|all;" \
	    "5000.cpu_us_per_connection|µs CPU")
}

function start_table()
{
	print "## Starting\n\nFrom exec to exit, with a connection whose " \
	    "first read is the end of file, in µs.\n"
	print "| | µs | of an empty program of the same libc |\n|---|--:|--:|"
	print "| an empty program | " digits(median("start", "empty", \
	    "start_us")) " | 1 |"
	print "| ours | " digits(median("start", "ours", "start_us")) " | " \
	    digits(ratio("start", "ours", "empty", "start_us")) " |"
	print "| an empty program, static (musl) | " digits(median("start", \
	    "empty-static", "start_us")) " | 1 |"
	print "| ours, static | " digits(median("start", "static", \
	    "start_us")) " | " digits(ratio("start", "static", \
	    "empty-static", "start_us")) " |\n"
}

function rules_table(    i, name, base, lines)
{
	print "## Rules\n\nFrom connect() to the reply of CONNECT, one " \
	    "connection after the other, with a file of so many lines, of " \
	    "which the last one decides. A process for each client reads it " \
	    "for each; the listening service has read it before.\n"
	print "| | lines | µs, half of all | of those without |\n" \
	    "|---|--:|--:|--:|"
	for (i = 1; i in with_rules; i++) {
		name = with_rules[i]
		base = name
		lines = sub(/-rules-.*/, "", base) ? name : "–"
		sub(/.*-/, "", lines)
		print "| " label[base] " | " lines " | " digits(median("rules", \
		    name, "one.setup_p50_us")) " | " digits(ratio("rules", \
		    name, base, "one.setup_p50_us")) " |"
	}
	print ""
}

function systemd_table()
{
	print "## Under systemd\n\nThe units, by 32 clients at once. CPU " \
	    "time is systemd's and the journal's as well.\n"
	table("systemd", "systemd-accept", "many.per_second|per second;" \
	    "many.cpu_us_per_connection|µs CPU")
}

function results(    line, any)
{
	print "# Results of `make bench`\n"
	while ((getline line <machine) > 0)
		print line
	print "\nMedians of " most + 0 \
	    " rounds, in each of which every program was measured once; 5,000 " \
	    "tunnels once. A ratio is the median of the rounds' ratios. Where " \
	    "several figures have a target in common, the worst counts.\n"
	print "## Targets\n"
	targets()
	print "In the tables below a line in bold has figures, and the others " \
	    "are multiples of these.\n"
	setup_table()
	bulk_table("bulk", "Bulk")
	exchange_table("exchange", "Small messages")
	udp_table()
	idle_table()
	start_table()
	rules_table()
	systemd_table()
	bulk_table("bulk1500", "Bulk in packets of 1500 bytes")
	exchange_table("exchange1500", \
	    "Small messages in packets of 1500 bytes")
	print "## What could not be measured\n"
	while ((getline line <notes) > 0) {
		any = 1
		print "- " line
	}
	if (!any)
		print "Nothing was left out."
}

END {
	if (!chart) {
		results()
		exit
	}
	split(chart, wanted, " ")
	for (i = 1; i in names; i++) {
		x = median(wanted[1], names[i], wanted[2])
		if (x != "")
			print label[names[i]] "\t" (names[i] ~ \
			    /^(direct|microsocks|dante|ssh)$/ ? 0 : 1) "\t" x
	}
}
