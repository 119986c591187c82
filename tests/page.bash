# SPDX-License-Identifier: ISC
# For bats: what stands in the pages of doc/.

# write_blocks PAGE HEADING: what is indented behind this heading of PAGE, which
# is doc/PAGE.md or README.md, in $blocks, in a file for each block: 01, 02 and
# so on. A blank line ends a block.
write_blocks()
{
	local page=$TOP/doc/$1.md

	[ "$1" != README ] || page=$TOP/README.md
	blocks=$BATS_TEST_TMPDIR/blocks
	rm -rf "$blocks"
	mkdir "$blocks"
	awk -v heading="$2" -v dir="$blocks" '
		/^#/ { sub("^#+ ", ""); inside = $0 == heading }
		!/^    / { within = 0; next }
		!inside { next }
		{
			if (!within)
				file = sprintf("%s/%02d", dir, ++n)
			within = 1
			print substr($0, 5) >file
		}' "$page"
	[ -n "$(ls "$blocks")" ]
}
