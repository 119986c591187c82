#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# layers.sh [DIRECTORY]: enforces the order of the modules in DIRECTORY/src. A
# file may include its own header, those of modules on lower levels of its own
# directory, and those of directories further up in the list below; nothing else
# of ours. A module's .c file includes its own header first. The same holds for
# what stands in for a module in the static build, DIRECTORY/static. Every module
# that is listed has to be there.
set -u

cd "${1:-$(dirname "$0")/..}" || exit 1

# From the ground up: a directory, and its levels with a | between each two;
# modules on one level don't know each other.
layers=(
	"base: number memory fault signals | io process | addr systemd notify tcp | journal | line textfile | log"
	"protocol: wire | outcome wire4 proxy url"
	"policy: libcrypt terms host faces turn | hash rules identity | ruleword | rulefile | permit auth"
	"config: options | setting | usage rows | config"
	"net: lookup sockopt | resolve | dial | bind flow program upstream | relay"
	"net/udp: batch contacts | names port | route | udp"
	"session: peer | egress | session | decision handshake | cmd_connect cmd_bind cmd_associate cmd_resolve | command | explain check"
	"service: clients spare report listeners | accept"
)
# Neither may include the other, whatever their order.
strangers=("config net" "config net/udp")

declare -A height level strange
for i in "${!layers[@]}"; do
	directory=${layers[i]%%:*}
	height[$directory]=$i
	step=0
	for word in ${layers[i]#*:}; do
		if [ "$word" = '|' ]; then
			step=$((step + 1))
		else
			level[$directory/$word]=$step
		fi
	done
done
for pair in "${strangers[@]}"; do
	strange[$pair]=yes
	strange["${pair#* } ${pair% *}"]=yes
done

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*(["<])([^">]*)'

status=0
complain()
{
	echo "$*"
	status=1
}

# why_not FROM TO: why module FROM may not include TO's header, or nothing.
why_not()
{
	local from=${1%/*} to=${2%/*}

	if [ -z "${level[$2]:-}" ]; then
		echo "is no module's header"
	elif [ "$from" != "$to" ]; then
		[ -z "${strange["$from $to"]:-}" ] ||
			echo "$from/ and $to/ don't know each other"
		[ "${height[$to]}" -lt "${height[$from]}" ] ||
			echo "$to/ stands above $from/"
	elif [ "${level[$2]}" -gt "${level[$1]}" ]; then
		echo "it stands above; only lower levels may be included"
	elif [ "${level[$2]}" -eq "${level[$1]}" ]; then
		echo "it stands beside; only lower levels may be included"
	fi
}

# check FILE MODULE: the lines of a file that include something of ours.
check()
{
	local file=$1 module=$2 first='' line text header other why

	while IFS=: read -r line text; do
		[[ $text =~ $include ]]
		header=${BASH_REMATCH[2]}
		other=${header%.h}
		# In angle brackets stands the system's, unless it is ours.
		[ "${BASH_REMATCH[1]}" = '"' ] || [ -n "${level[$other]:-}" ] ||
			continue
		[ -n "$first" ] || first=$other
		if [ "${BASH_REMATCH[1]}" = '<' ]; then
			complain "$file:$line: includes \"$header\" in <>; a module's header stands in quotes"
		elif [ "$other" != "$module" ]; then
			while read -r why; do
				complain "$file:$line: includes \"$header\": $why"
			done < <(why_not "$module" "$other")
		fi
	done < <(grep -nE "$include" "$file")
	[[ $file != *.c || $first = "$module" ]] ||
		complain "$file: its first header has to be \"$module.h\""
}

while read -r file; do
	module=${file#src/}
	module=${module%.[ch]}
	if [[ $file != *.[ch] ]]; then
		complain "$file: only modules stand here, a .c and a .h each"
	elif [ -z "${level[$module]:-}" ]; then
		complain "$file: no such module; tests/layers.sh lists them"
	else
		check "$file" "$module"
	fi
done < <(find src -type f | sort)

for module in "${!level[@]}"; do
	for file in "src/$module.c" "src/$module.h"; do
		[ -f "$file" ] || complain "$file: listed in tests/layers.sh, and isn't there"
	done
done

shopt -s nullglob
for file in static/*; do
	name=$(basename "$file" .c)
	module=
	for other in "${!level[@]}"; do
		[ "${other##*/}" != "$name" ] || module=$other
	done
	if [[ $file != *.c ]]; then
		complain "$file: only .c files that stand in for modules"
	elif [ -z "$module" ]; then
		complain "$file: no such module; tests/layers.sh lists them"
	else
		check "$file" "$module"
	fi
done
[ "$status" -ne 0 ] || echo "Every module keeps to its level."
exit "$status"
