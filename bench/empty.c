/* SPDX-License-Identifier: ISC */
/* empty: the least that a program can do. */
int
main(void)
{
	return 0;
}
