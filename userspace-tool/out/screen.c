// SPDX-License-Identifier: GPL-2.0
/*
 * screen: the whole terminal, for a verb that redraws it; the only user of ncurses
 */
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/mem.h"
#include "out/screen.h"

static SCREEN *terminal;
static int attribute[SCREEN_STYLES];

bool screen_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

bool screen_utf8(void)
{
	static int utf8 = -1;
	const char *name;

	if (utf8 >= 0)
		return utf8;
	/*
	 * A machine without files for the requested locale, such as a guest, still has the locale
	 * that is part of the C library.
	 */
	name = getenv("LC_ALL");
	if (!name || !*name)
		name = getenv("LC_CTYPE");
	if (!name || !*name)
		name = getenv("LANG");
	if (!setlocale(LC_CTYPE, "") && name && strcasestr(name, "utf"))
		setlocale(LC_CTYPE, "C.UTF-8");
	utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	return utf8;
}

static void set_colors(void)
{
	const char *no = getenv("NO_COLOR");

	attribute[SCREEN_BOLD] = A_BOLD;
	attribute[SCREEN_DIM] = A_DIM;
	attribute[SCREEN_HEAD] = A_REVERSE;
	attribute[SCREEN_GOOD] = A_BOLD;
	attribute[SCREEN_WARN] = A_BOLD;
	attribute[SCREEN_BAD] = A_BOLD | A_REVERSE;
	if ((no && *no) || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(SCREEN_GOOD, COLOR_GREEN, -1);
	init_pair(SCREEN_WARN, COLOR_YELLOW, -1);
	init_pair(SCREEN_BAD, COLOR_RED, -1);
	attribute[SCREEN_GOOD] = COLOR_PAIR(SCREEN_GOOD);
	attribute[SCREEN_WARN] = COLOR_PAIR(SCREEN_WARN);
	attribute[SCREEN_BAD] = COLOR_PAIR(SCREEN_BAD) | A_BOLD;
}

const char *screen_open(void)
{
	screen_utf8();
	/* Unlike initscr(), this does not end the program when it does not know the terminal. */
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return "the type of this terminal is not known";
	set_term(terminal);
	if (!tigetstr("cup") || !tigetstr("clear")) {
		endwin();
		delscreen(terminal);
		terminal = NULL;
		return "this terminal cannot move its cursor";
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	set_colors();
	return NULL;
}

void screen_close(void)
{
	if (!terminal)
		return;
	endwin();
	delscreen(terminal);
	terminal = NULL;
}

void screen_size(int *rows, int *columns)
{
	getmaxyx(stdscr, *rows, *columns);
}

void screen_clear(void)
{
	erase();
}

void screen_put(int row, int column, enum screen_style style, const char *text)
{
	int rows, columns;

	getmaxyx(stdscr, rows, columns);
	if (row < 0 || row >= rows || column < 0 || column >= columns)
		return;
	attrset(attribute[style]);
	/* Counted in characters of the screen, not in bytes. */
	if (screen_utf8()) {
		size_t nr = mbstowcs(NULL, text, 0);
		wchar_t *wide;

		if (nr == (size_t)-1)
			return;
		wide = xcalloc(nr + 1, sizeof(*wide));
		mbstowcs(wide, text, nr + 1);
		mvaddnwstr(row, column, wide, columns - column);
		free(wide);
	} else {
		mvaddnstr(row, column, text, columns - column);
	}
	attrset(A_NORMAL);
}

void screen_show(void)
{
	refresh();
}

int screen_key(void)
{
	int key = getch();

	switch (key) {
	case ERR:
		return SCREEN_NONE;
	case KEY_UP:
		return SCREEN_UP;
	case KEY_DOWN:
		return SCREEN_DOWN;
	case KEY_PPAGE:
		return SCREEN_PAGE_UP;
	case KEY_NPAGE:
		return SCREEN_PAGE_DOWN;
	case KEY_HOME:
		return SCREEN_HOME;
	case KEY_END:
		return SCREEN_END;
	case KEY_BACKSPACE:
	case 0x7f:
	case '\b':
		return SCREEN_ERASE;
	case KEY_ENTER:
	case '\r':
	case '\n':
		return SCREEN_ENTER;
	case 0x1b:
		return SCREEN_ESCAPE;
	case KEY_RESIZE:
		clearok(stdscr, TRUE);
		return SCREEN_RESIZED;
	case 'L' - 0x40:
		clearok(stdscr, TRUE);
		return SCREEN_OTHER;
	default:
		return key < 0x80 ? key : SCREEN_OTHER;
	}
}
