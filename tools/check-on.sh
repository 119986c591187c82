#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# check-on.sh RELEASE [WHO...]: makes a fresh Debian of that release for each WHO,
# clones what is committed here into it, and types there what README says, and
# `make lint`. It stays in build/check-on/RELEASE until the next one is made, and
# what was said in WHO.log beside it.
#
# WHO: root; user, who has sudo; alone, who hasn't: is told what root has to
# type, which is then done. All of them, if none is named. With ONLY in the
# environment, of the tests these suites.
set -eu -o pipefail

repository=$(realpath "$(dirname "$0")/..")

fail()
{
	echo "check-on: $1" >&2
	exit 1
}

# --- inside: what is typed ---------------------------------------------------

# as WHO COMMAND [WORD...]: as after logging in, in the clone. The words, if there
# are any, are what does it.
as()
{
	local login=ann command=$2

	[ "$1" != root ] || login=root
	[ $# -eq 2 ] || printf -v command '%q ' "${@:3}"
	echo "$1\$ $2"
	su - "$login" -c "cd socks5-handler && $command"
}

# try WHO COMMAND: what follows is tried, whatever comes of it.
try()
{
	as "$@" || failed+=("$2;")
}

ready_or_gone()
{
	grep -q 'Ctrl-C ends it' "$log" || ! kill -0 "$running" 2>/dev/null
}

# try_run WHO: nothing can be reached in there, which is what the record says;
# and Ctrl-C ends it, which is a SIGINT for the group that it is.
try_run()
{
	local log=/tmp/run.log group=/tmp/run.group status=0 running

	as "$1" "make run" env --default-signal=INT setsid --wait \
		sh -c "echo \$\$ >$group; exec make run" >"$log" 2>&1 </dev/null &
	running=$!
	tail -n +1 -f --pid=$running "$log" &
	until ready_or_gone; do
		sleep 0.2
	done
	curl -sS -x socks5h://127.0.0.1:1080 http://localhost:1/ || status=$?
	kill -INT -- "-$(cat $group)"
	wait $running || :
	wait
	[ "$status" -eq 97 ] || fail "make run: curl ended with $status"
	grep -q ' reply=5 ' "$log" || fail "make run: there is no record"
	grep -q '^Stopping' "$log" || fail "make run isn't ended by Ctrl-C"
}

# make_user WHO: with the clone.
make_user()
{
	[ "$1" != root ] || return 0
	useradd --create-home --shell /bin/bash ann
	mv /root/socks5-handler /home/ann/
	chown -R ann: /home/ann
	[ "$1" = user ] || return 0
	{
		apt-get -qq update
		DEBIAN_FRONTEND=noninteractive apt-get -qq install sudo
	} </dev/null >/dev/null 2>&1
	echo 'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann
}

# try_alone: the sentence, and what it says.
try_alone()
{
	local log=/root/check.log line

	! as alone "make check" 2>&1 | tee "$log" ||
		fail "make check without root went on"
	line=$(sed -n 's/^Only root can .*, by typing //p' "$log")
	[ -n "$line" ] || fail "make check doesn't say what root has to type"
	echo "root# $line"
	sh -c "$line" <<<y >/dev/null || fail "what root had to type fails"
	as alone "make check ONLY='${ONLY:-cli make-run ssh}'"
}

inside()
{
	local who=$1
	local -a typed failed=()

	make_user "$who"
	if [ "$who" = alone ]; then
		try_alone
		return
	fi
	cd "$(dirname "$0")/.." 2>/dev/null || cd /home/ann/socks5-handler
	mapfile -t typed < <(sed -n 's/^    \(make [a-z]*\) .*#.*/\1/p' README.md)
	[ "${typed[*]}" = "make run make check" ] ||
		fail "README's two commands are: ${typed[*]}"
	try_run "$who"
	try "$who" "make check${ONLY:+ ONLY='$ONLY'}"
	try "$who" "make lint"
	# What it has offered, for the tests that were skipped.
	if [ "$who" = root ]; then
		try root "make large-packages"
		try root "make check ONLY='browser clients socks4 bind udp'"
	fi
	[ ${#failed[@]} -eq 0 ] || fail "failed: ${failed[*]}"
}

# --- outside -----------------------------------------------------------------

# check RELEASE WHO
check()
{
	local dir=$repository/build/check-on/$1

	"$repository/tools/fresh.sh" make "$1" "$dir" &&
		git clone -q "$repository" "$dir/root/root/socks5-handler" &&
		"$repository/tools/fresh.sh" in "$dir" env ONLY="${ONLY:-}" \
			/root/socks5-handler/tools/check-on.sh --inside "$2"
}

if [ "${1:-}" = --inside ]; then
	inside "$2"
	exit
fi
case ${1:-} in
'' | *[!a-z]*) fail "which release? write for example RELEASE=trixie" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "only root can make a system and enter it"
release=$1
shift
[ $# -gt 0 ] || set -- root user alone
for who; do
	case $who in
	root | user | alone) ;;
	*) fail "there is no $who, but root, user and alone" ;;
	esac
done
status=0
results=()
for who; do
	echo "== a fresh $release, $who =="
	result=passed
	mkdir -p "$repository/build/check-on/$release"
	check "$release" "$who" 2>&1 </dev/null |
		tee "$repository/build/check-on/$release/$who.log" ||
		result=failed status=1
	results+=("$release, $who: $result")
done
printf '%s\n' "${results[@]}"
exit $status
