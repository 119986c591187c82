#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What one reads: README.md is short, no link of any page is broken, in the tree
# and as `make install` puts the pages in place, and the manual has what a page of
# it has to have.

load page

# prose FILE: without its indented blocks.
prose()
{
	grep -v '^    ' "$1"
}

# links FILE: what its links lead to, a line each.
links()
{
	prose "$1" | tr '\n' ' ' | grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//'
}

# anchors FILE: of its headings, as GitHub makes them.
anchors()
{
	prose "$1" | sed -n 's/^#\{1,6\} //p' | tr '[:upper:]' '[:lower:]' |
		sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# link_works FILE LINK: a relative one leads to a file, and to a heading in it.
link_works()
{
	local path=$1

	[[ $2 != https://* ]] || return 0
	[[ $2 == '#'* ]] || path=$(dirname "$1")/${2%%#*}
	[ -f "$path" ] || return
	[[ $2 != *'#'* ]] || anchors "$path" | grep -qx -- "${2#*#}"
}

# links_work FILE...
links_work()
{
	local file link status=0

	for file; do
		while read -r link; do
			link_works "$file" "$link" || {
				echo "$file: $link leads nowhere"
				status=1
			}
		done < <(links "$file")
	done
	return $status
}

@test "README.md has at most 150 lines and 900 words" {
	readme=$TOP/README.md
	wc "$readme"
	[ "$(wc -l <"$readme")" -le 150 ]
	[ "$(wc -w <"$readme")" -le 900 ]
	# What it is, why not something else, and the two commands.
	for words in SOCKS5 microsocks dante '`ssh -D`' '^    make run ' \
		'^    make check '; do
		head -n 10 "$readme" | grep -q "$words"
	done
}

@test "each page of doc/ is linked from README.md" {
	for page in "$TOP"/doc/*.md; do
		links "$TOP/README.md" | grep -qx "doc/${page##*/}"
	done
}

@test "a broken link is found" {
	cp "$TOP/README.md" "$BATS_TEST_TMPDIR"
	mkdir "$BATS_TEST_TMPDIR/doc"
	echo '[a](../README.md) [b](../README.md#what-it-speaks)' \
		>"$BATS_TEST_TMPDIR/doc/a.md"
	links_work "$BATS_TEST_TMPDIR/doc/a.md"
	for link in no.md ../README.md#no '#no'; do
		echo "[a]($link)" >"$BATS_TEST_TMPDIR/doc/b.md"
		run links_work "$BATS_TEST_TMPDIR/doc/b.md"
		[ "$status" -eq 1 ]
		[[ $output == *"$link leads nowhere" ]]
	done
}

@test "links work in the tree" {
	links_work "$TOP"/*.md "$TOP"/doc/*.md
}

@test "links work in what make install puts in place" {
	dest=$BATS_TEST_TMPDIR/dest
	make -C "$TOP" -s BUILD="$BUILD" DESTDIR="$dest" PREFIX=/usr install
	mapfile -t pages < <(find "$dest" -name '*.md')
	[ "${#pages[@]}" -ge 11 ]
	links_work "${pages[@]}"
}

# headings PAGE: those that have a block behind them.
headings()
{
	awk '/^#/ { sub("^#+ ", ""); heading = $0; next }
		/^    / && heading != "" { print heading; heading = "" }' "$1"
}

@test "what a page says one should do is done by a test" {
	for page in "$TOP/README.md" "$TOP"/doc/*.md; do
		name=$(basename "$page" .md)
		while read -r heading; do
			# The two commands have suites of their own.
			[ "$name $heading" != "README socks5-handler" ] ||
				continue
			grep -hE '(write_blocks|recipe) ' "$TOP"/tests/*.bats |
				tr -d '"' | grep -q " $name $heading\( <\|$\)" ||
				{
					echo "$page: $heading: no test does it"
					false
				}
		done < <(headings "$page")
	done
}

@test "the map of internals.md has each module in its directory, and no other" {
	write_blocks internals "The map"
	awk '$1 ~ /^src\// { directory = $1; next } { print directory $1 }' \
		"$blocks/01" | sort >"$BATS_TEST_TMPDIR/map"
	(cd "$TOP" && find src -name '*.h' | sed 's/\.h$//' | sort) |
		diff -u "$BATS_TEST_TMPDIR/map" -
}

@test "each option is in a page of doc/" {
	"$HANDLER" --help | grep -oE '^  --[a-z-]+' | while read -r option; do
		grep -rqw -e "$option" "$TOP/doc" || [ "$option" = --help ] || {
			echo "$option: in no page"
			false
		}
	done
}

@test "the manual page has its sections" {
	for section in DESCRIPTION OPTIONS ENVIRONMENT FILES "EXIT STATUS" \
		SIGNALS EXAMPLES DIAGNOSTICS "SEE ALSO" CAVEATS SECURITY; do
		grep -qx ".Sh $section" "$TOP/man/socks5-handler.8"
	done
}

@test "each source file names its licence" {
	cd "$TOP"
	files=$(find socks5-handler.c Makefile .ci/run src static tests tools man \
		systemd bench \( -path tests/fuzz/corpus -o -name '*.md' -o \
		-name '*.svg' \) -prune -o -type f -print)
	[ "$(wc -l <<<"$files")" -ge 200 ]
	run xargs grep -L 'SPDX-License-Identifier: ISC' <<<"$files"
	[ -z "$output" ]
}
