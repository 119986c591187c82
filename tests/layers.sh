#!/usr/bin/env bash
# layers.sh [DIRECTORY]: enforces the order of the rooms in DIRECTORY/src. A
# file may include its own header and those of rooms on lower floors, nothing
# else of ours; and a room's .c file its own header first.
set -u

cd "${1:-$(dirname "$0")/..}" || exit 1

# From the ground up; rooms on one floor don't know each other.
floors=(
	"wire addr systemd"
	"rules log io"
	"config peer resolve sandbox"
	"auth dial"
	"bind udp relay"
	"accept"
)

declare -A floor
for i in "${!floors[@]}"; do
	for room in ${floors[i]}; do
		floor[$room]=$i
	done
done

status=0
complain()
{
	echo "$*"
	status=1
}

for file in src/*; do
	room=${file#src/}
	room=${room%.[ch]}
	case $file in
	*.c | *.h) ;;
	*) complain "$file: only rooms live here, a .c and a .h each" ;;
	esac
	if [ -z "${floor[$room]:-}" ]; then
		complain "$file: no such room; tests/layers.sh lists them"
		continue
	fi
	first=
	while IFS=: read -r line text; do
		header=${text#*\"}
		header=${header%\"*}
		other=${header%.h}
		[ -n "$first" ] || first=$other
		if [ "$other" = "$room" ]; then
			continue
		elif [ -z "${floor[$other]:-}" ]; then
			complain "$file:$line: includes \"$header\", which is no room's header"
		elif [ "${floor[$other]}" -ge "${floor[$room]}" ]; then
			complain "$file:$line: includes \"$header\", which is not below $room"
		fi
	done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$file")
	if [[ $file == *.c && $first != "$room" ]]; then
		complain "$file: its first header has to be \"$room.h\""
	fi
done
[ "$status" -ne 0 ] || echo "Every room keeps to its floor."
exit "$status"
