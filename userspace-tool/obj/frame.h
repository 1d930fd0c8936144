/* SPDX-License-Identifier: GPL-2.0 */
/*
 * frame: the contents of 'top', laid out for a number of columns
 */
#ifndef MYALLOCCTL_FRAME_H
#define MYALLOCCTL_FRAME_H

#include "obj/follow.h"
#include "out/screen.h"

enum frame_sort {
	SORT_SIZE, SORT_LIVE, SORT_RATE, SORT_HIT, SORT_GROWTH, SORT_FAILS, SORT_NAME, SORT_BY,
};

extern const char *const frame_sorts[SORT_BY];

#define FILTER_MAX	64

/*
 * The choice and the order of the rows that are shown.
 * @kind: the only kind of row shown, or ROW_KINDS for all
 * @filter: a glob, or part of a name if it has none of its special characters; may be empty
 * @first: row of the table at its top
 */
struct view {
	enum frame_sort sort;
	bool reverse, paused, editing, help;
	enum row_kind kind;
	char filter[FILTER_MAX];
	size_t first;
	__u64 interval_ms;
	__u64 page_size;
	const char *kernel, *machine;
	long cpus;
};

/*
 * The lines that pass the filter of @v, sorted; the caller frees the array of pointers into @f.
 * @nr: out
 */
const struct line **frame_lines(const struct follow *f, const struct view *v, size_t *nr);

typedef void (*frame_put)(void *arg, int row, int column, enum screen_style style,
			  const char *text);

/* The least number of columns. */
#define FRAME_LEAST	40
/* Rows of text above the table, with its heading. */
#define FRAME_HEAD	7

/*
 * Draws it with @put, each row from left to right. @rows: rows of the screen, or 0 for no limit.
 */
void frame_draw(const struct follow *f, const struct view *v, int rows, int columns,
		frame_put put, void *arg);
/* The same as lines of text, to be freed. */
char *frame_text(const struct follow *f, const struct view *v, int columns);

#endif /* MYALLOCCTL_FRAME_H */
