/* SPDX-License-Identifier: GPL-2.0 */
/*
 * screen: the whole terminal, for a verb that redraws it; the only user of ncurses
 */
#ifndef MYALLOCCTL_SCREEN_H
#define MYALLOCCTL_SCREEN_H

#include <stdbool.h>

/* How a piece of text looks. Without colours, BAD is bold and reversed, and GOOD and WARN bold. */
enum screen_style {
	SCREEN_PLAIN, SCREEN_BOLD, SCREEN_DIM, SCREEN_HEAD, SCREEN_GOOD, SCREEN_WARN, SCREEN_BAD,
	SCREEN_STYLES,
};

/* Keys that are not characters */
enum screen_key {
	SCREEN_NONE = -1,
	SCREEN_UP = 0x1000, SCREEN_DOWN, SCREEN_PAGE_UP, SCREEN_PAGE_DOWN, SCREEN_HOME, SCREEN_END,
	SCREEN_ERASE, SCREEN_ENTER, SCREEN_ESCAPE,
	SCREEN_RESIZED,		/* the terminal has another size */
	SCREEN_OTHER,
};

/* Whether both ends are a terminal. */
bool screen_possible(void);
/* Takes the terminal over. Returns NULL, or a message that says why that is not possible. */
const char *screen_open(void);
void screen_close(void);
void screen_size(int *rows, int *columns);
/* Begins a new picture. */
void screen_clear(void);
/* Text that does not fit on the line is left out. */
void screen_put(int row, int column, enum screen_style style, const char *text);
void screen_show(void);
/* A character or one of enum screen_key; does not wait. */
int screen_key(void);

/* Whether this program's output may contain UTF-8; sets the locale on its first call. */
bool screen_utf8(void);

#endif /* MYALLOCCTL_SCREEN_H */
