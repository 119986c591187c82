#!/usr/bin/env bash
# layers.sh [DIRECTORY]: enforces the order of the rooms in DIRECTORY/src. A
# file may include its own header and those of rooms on lower floors, nothing
# else of ours; and a room's .c file its own header first. So does what stands in
# for it in the static build, DIRECTORY/static.
set -u

cd "${1:-$(dirname "$0")/..}" || exit 1

# From the ground up; rooms on one floor don't know each other.
floors=(
	"wire addr systemd libcrypt memory usage"
	"journal"
	"wire4 terms log io proxy hash host url textfile batch contacts"
	"rules identity options"
	"ruleword setting"
	"rulefile"
	"permit peer resolve sandbox clients spare report ending"
	"auth dial names port"
	"route"
	"config bind udp relay upstream egress"
	"reach admit associate lookup explain"
	"session"
	"handshake command"
	"accept"
)

declare -A floor
for i in "${!floors[@]}"; do
	for room in ${floors[i]}; do
		floor[$room]=$i
	done
done

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*(["<])([^">]*)'

status=0
complain()
{
	echo "$*"
	status=1
}

shopt -s nullglob
for file in src/* static/*; do
	room=${file#*/}
	room=${room%.[ch]}
	case $file in
	src/*.[ch] | static/*.c) ;;
	static/*) complain "$file: only .c files of rooms live here" ;;
	*) complain "$file: only rooms live here, a .c and a .h each" ;;
	esac
	if [ -z "${floor[$room]:-}" ]; then
		complain "$file: no such room; tests/layers.sh lists them"
		continue
	fi
	first=
	while IFS=: read -r line text; do
		[[ $text =~ $include ]]
		header=${BASH_REMATCH[2]}
		other=${header%.h}
		# In angle brackets stands the system's, unless it is ours.
		[ "${BASH_REMATCH[1]}" = '"' ] || [ -n "${floor[$other]:-}" ] ||
			continue
		[ -n "$first" ] || first=$other
		place="$file:$line: includes \"$header\""
		if [ "${BASH_REMATCH[1]}" = '<' ]; then
			complain "$place in <>; a room's header stands in quotes"
		elif [ "$other" = "$room" ]; then
			continue
		elif [ -z "${floor[$other]:-}" ]; then
			complain "$place, which is no room's header"
		elif [ "${floor[$other]}" -gt "${floor[$room]}" ]; then
			complain "$place, which stands above it; only lower floors may be included"
		elif [ "${floor[$other]}" -eq "${floor[$room]}" ]; then
			complain "$place, which stands beside it; only lower floors may be included"
		fi
	done < <(grep -nE "$include" "$file")
	if [[ $file == *.c && $first != "$room" ]]; then
		complain "$file: its first header has to be \"$room.h\""
	fi
done
[ "$status" -ne 0 ] || echo "Every room keeps to its floor."
exit "$status"
