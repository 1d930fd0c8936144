// SPDX-License-Identifier: GPL-2.0
/*
 * out_wrap: text that is wider than the terminal, on several lines
 */
#include <string.h>

#include "out/out_tree.h"

/* The length of @text that fits into @width, up to a blank if there is one. */
static int piece(const char *text, int width, bool breaks)
{
	int len = strlen(text), i;

	if (len <= width)
		return len;
	for (i = width; i > 0; i--)
		if (text[i] == ' ')
			return i;
	return breaks && width > 0 ? width : (int)strcspn(text, " ");
}

void out_wrap(FILE *file, const char *text, int width, int indent, const char *on, bool breaks)
{
	const char *off = *on ? OUT_COLOR_OFF : "";
	int n = piece(text, width, breaks);

	fprintf(file, "%s%.*s%s", on, n, text, off);
	for (;;) {
		text += n;
		text += strspn(text, " ");
		if (!*text)
			return;
		n = piece(text, width, breaks);
		fprintf(file, "\n%*s%s%.*s%s", indent, "", on, n, text, off);
	}
}
