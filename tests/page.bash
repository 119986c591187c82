# SPDX-License-Identifier: ISC
# For bats: what stands in the pages of doc/.

# write_blocks PAGE HEADING: what is indented behind this heading of
# doc/PAGE.md, in $blocks, in a file for each block: 01, 02 and so on.
write_blocks()
{
	blocks=$BATS_TEST_TMPDIR/blocks
	rm -rf "$blocks"
	mkdir "$blocks"
	awk -v heading="$2" -v dir="$blocks" '
		/^#/ { sub("^#+ ", ""); inside = $0 == heading; within = 0 }
		!inside { next }
		/^    / {
			if (!within)
				file = sprintf("%s/%02d", dir, ++n)
			within = 1
			print substr($0, 5) >file
			next
		}
		/./ { within = 0 }' "$TOP/doc/$1.md"
	[ -n "$(ls "$blocks")" ]
}
