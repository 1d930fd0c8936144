// SPDX-License-Identifier: GPL-2.0
/*
 * term: runs a program in a terminal that is made up, presses keys and looks at the screen
 *
 *	term COLUMNSxROWS COMMAND [WORD]... <SCRIPT
 *
 * TERM says as what the terminal is announced; this one understands what vt100, linux and xterm
 * are sent. A line of the script is one of:
 *
 *	keys TEXT	type it: \e is Escape, \r Enter
 *	wait TEXT	until it is on the screen, 10 s at most
 *	gone TEXT	until it is not
 *	line N TEXT	until it is on that row, the first of which is 0
 *	size CxR	the terminal gets another size, with SIGWINCH
 *	signal NAME	INT, TERM or HUP is sent to the program
 *	pause MS	nothing for that long
 *	show		print the screen
 *	html FILE	write the screen, with its colours, as a page
 *	exit N		until the program ends, with that status, and the terminal is as it was
 *
 * Exits with 1, and says why and what is on the screen, if something does not come about or the
 * program sends what a terminal does not know.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ROWS_MAX	120
#define COLUMNS_MAX	300
#define PARAMETERS_MAX	16
#define PATIENCE_MS	10000

#define PALETTE		16

struct look {
	/* 0: as it comes, 1 to 8: ANSI colours, from PALETTE on: those of the palette of 256 */
	unsigned short color, back;
	bool bold, dim, reverse;
};

struct cell {
	char text[5];
	struct look look;
};

static struct {
	int rows, columns;
	int row, column, saved_row, saved_column;
	int top, bottom;	/* rows that scroll */
	bool pending;		/* the last column was written: the next character wraps */
	struct look look;
	struct cell cell[ROWS_MAX][COLUMNS_MAX];
	char unknown[64];	/* the first sequence that is not understood */
} screen;

static int master;
static pid_t child;
static int status = -1;		/* of the program, when it has ended */

/* ---- the screen ---- */

static void erase(int row, int from, int to)
{
	for (; from < to; from++) {
		memset(&screen.cell[row][from], 0, sizeof(struct cell));
		screen.cell[row][from].text[0] = ' ';
	}
}

static void erase_rows(int from, int to)
{
	for (; from < to; from++)
		erase(from, 0, COLUMNS_MAX);
}

static void set_size(int columns, int rows)
{
	screen.columns = columns;
	screen.rows = rows;
	screen.top = 0;
	screen.bottom = rows - 1;
	if (screen.row >= rows)
		screen.row = rows - 1;
	if (screen.column >= columns)
		screen.column = columns - 1;
}

static void scroll_up(int top, int nr)
{
	int height = screen.bottom - top + 1;

	nr = nr > height ? height : nr;
	memmove(screen.cell[top], screen.cell[top + nr], (height - nr) * sizeof(screen.cell[0]));
	erase_rows(screen.bottom - nr + 1, screen.bottom + 1);
}

static void scroll_down(int top, int nr)
{
	int height = screen.bottom - top + 1;

	nr = nr > height ? height : nr;
	memmove(screen.cell[top + nr], screen.cell[top], (height - nr) * sizeof(screen.cell[0]));
	erase_rows(top, top + nr);
}

static void line_feed(void)
{
	if (screen.row == screen.bottom)
		scroll_up(screen.top, 1);
	else if (screen.row < screen.rows - 1)
		screen.row++;
}

static void go(int row, int column)
{
	screen.row = row < 0 ? 0 : row >= screen.rows ? screen.rows - 1 : row;
	screen.column = column < 0 ? 0 : column >= screen.columns ? screen.columns - 1 : column;
	screen.pending = false;
}

static char last[5];

static void put(const char *text)
{
	struct cell *cell;

	if (screen.pending) {
		screen.column = 0;
		line_feed();
		screen.pending = false;
	}
	cell = &screen.cell[screen.row][screen.column];
	strcpy(cell->text, text);
	if (text != last)
		strcpy(last, text);
	cell->look = screen.look;
	if (screen.column < screen.columns - 1)
		screen.column++;
	else
		screen.pending = true;
}

/* ---- what the program sends ---- */

static void set_look(const int *p, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (p[i] == 0)
			memset(&screen.look, 0, sizeof(screen.look));
		else if (p[i] == 1)
			screen.look.bold = true;
		else if (p[i] == 2)
			screen.look.dim = true;
		else if (p[i] == 7)
			screen.look.reverse = true;
		else if (p[i] == 22)
			screen.look.bold = screen.look.dim = false;
		else if (p[i] == 27)
			screen.look.reverse = false;
		else if (p[i] >= 30 && p[i] <= 37)
			screen.look.color = p[i] - 29;
		else if (p[i] == 39)
			screen.look.color = 0;
		else if (p[i] == 49)
			screen.look.back = 0;
		else if ((p[i] == 38 || p[i] == 48) && i + 2 < nr && p[i + 1] == 5) {
			*(p[i] == 38 ? &screen.look.color : &screen.look.back) =
				PALETTE + (p[i + 2] & 255);
			i += 2;
		}
	}
}

static void sequence(char mark, const int *p, int nr, char end)
{
	int n = nr && p[0] ? p[0] : 1, i;
	struct cell *row = screen.cell[screen.row];

	if (end != 'm')
		screen.pending = false;
	switch (end) {
	case 'H': case 'f':
		go(n - 1, (nr > 1 && p[1] ? p[1] : 1) - 1);
		break;
	case 'A':
		go(screen.row - n, screen.column);
		break;
	case 'B':
		go(screen.row + n, screen.column);
		break;
	case 'C':
		go(screen.row, screen.column + n);
		break;
	case 'D':
		go(screen.row, screen.column - n);
		break;
	case 'G':
		go(screen.row, n - 1);
		break;
	case 'd':
		go(n - 1, screen.column);
		break;
	case 'J':
		if (!nr || !p[0]) {
			erase(screen.row, screen.column, COLUMNS_MAX);
			erase_rows(screen.row + 1, screen.rows);
		} else if (p[0] == 1) {
			erase_rows(0, screen.row);
			erase(screen.row, 0, screen.column + 1);
		} else {
			erase_rows(0, screen.rows);
		}
		break;
	case 'K':
		erase(screen.row, nr && p[0] ? 0 : screen.column,
		      nr && p[0] == 1 ? screen.column + 1 : COLUMNS_MAX);
		break;
	case 'X':
		erase(screen.row, screen.column, screen.column + n);
		break;
	case 'P':
		memmove(row + screen.column, row + screen.column + n,
			(COLUMNS_MAX - screen.column - n) * sizeof(*row));
		erase(screen.row, COLUMNS_MAX - n, COLUMNS_MAX);
		break;
	case '@':
		memmove(row + screen.column + n, row + screen.column,
			(COLUMNS_MAX - screen.column - n) * sizeof(*row));
		erase(screen.row, screen.column, screen.column + n);
		break;
	case 'L':
		scroll_down(screen.row, n);
		break;
	case 'M':
		scroll_up(screen.row, n);
		break;
	case 'S':
		scroll_up(screen.top, n);
		break;
	case 'T':
		scroll_down(screen.top, n);
		break;
	case 'b':
		for (i = 0; i < n; i++)
			put(last);
		break;
	case 'm':
		set_look(nr ? p : &(int){ 0 }, nr ? nr : 1);
		break;
	case 'r':
		screen.top = n - 1;
		screen.bottom = (nr > 1 && p[1] ? p[1] : screen.rows) - 1;
		go(0, 0);
		break;
	case 'h': case 'l': case 't': case 'c': case 'q':
		break;
	default:
		if (!screen.unknown[0])
			snprintf(screen.unknown, sizeof(screen.unknown), "ESC [ %c %d %c",
				 mark ? mark : ' ', nr ? p[0] : -1, end);
	}
}

/* One byte more; what is not complete waits for the next. */
static void feed(unsigned char c)
{
	static enum { TEXT, ESCAPE, CSI, OSC, CHARSET, UTF8 } state;
	static int parameter[PARAMETERS_MAX], nr, left;
	static char mark, text[5];

	switch (state) {
	case ESCAPE:
		state = TEXT;
		if (c == '[') {
			state = CSI;
			nr = 0;
			mark = 0;
			memset(parameter, 0, sizeof(parameter));
		} else if (c == ']') {
			state = OSC;
		} else if (strchr("()#", c)) {
			state = CHARSET;
		} else if (c == 'M') {
			if (screen.row == screen.top)
				scroll_down(screen.top, 1);
			else
				go(screen.row - 1, screen.column);
		} else if (c == 'D') {
			line_feed();
		} else if (c == '7') {
			screen.saved_row = screen.row;
			screen.saved_column = screen.column;
		} else if (c == '8') {
			go(screen.saved_row, screen.saved_column);
		} else if (!strchr("=>cH", c) && !screen.unknown[0]) {
			snprintf(screen.unknown, sizeof(screen.unknown), "ESC %c", c);
		}
		return;
	case CHARSET:
		state = TEXT;
		return;
	case OSC:
		if (c == '\a' || c == '\\')
			state = TEXT;
		return;
	case CSI:
		if (c >= '0' && c <= '9') {
			nr = nr ? nr : 1;
			if (nr <= PARAMETERS_MAX)
				parameter[nr - 1] = parameter[nr - 1] * 10 + c - '0';
		} else if (c == ';') {
			nr = nr ? nr + 1 : 2;
		} else if (c >= 0x20 && c < 0x40) {
			mark = c;
		} else {
			state = TEXT;
			sequence(mark, parameter, nr > PARAMETERS_MAX ? PARAMETERS_MAX : nr, c);
		}
		return;
	case UTF8:
		text[strlen(text)] = c;
		if (!--left) {
			state = TEXT;
			put(text);
		}
		return;
	case TEXT:
		break;
	}
	memset(text, 0, sizeof(text));
	text[0] = c;
	if (c == 0x1b) {
		state = ESCAPE;
	} else if (c >= 0xc0) {
		left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		state = UTF8;
	} else if (c >= 0x20) {
		put(text);
	} else if (c == '\r') {
		go(screen.row, 0);
	} else if (c == '\n') {
		line_feed();
		screen.pending = false;
	} else if (c == '\b') {
		go(screen.row, screen.column - 1);
	} else if (c == '\t') {
		go(screen.row, (screen.column | 7) + 1);
	}
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Takes what the program sends within @ms; false if it has ended. */
static bool listen(int ms)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	char buf[4096];
	ssize_t n, i;

	if (poll(&p, 1, ms) <= 0)
		return true;
	n = read(master, buf, sizeof(buf));
	if (n <= 0)
		return false;
	for (i = 0; i < n; i++)
		feed(buf[i]);
	return true;
}

/* ---- the script ---- */

static void row_text(int row, char *text)
{
	char *end = text;
	int i;

	for (i = 0; i < screen.columns; i++) {
		text = stpcpy(text, screen.cell[row][i].text);
		if (text[-1] != ' ')
			end = text;
	}
	*end = 0;
}

static void show(FILE *file)
{
	char text[COLUMNS_MAX * 5];
	int i;

	for (i = 0; i < screen.rows; i++) {
		row_text(i, text);
		fprintf(file, "%s\n", text);
	}
}

static void __attribute__((noreturn)) give_up(const char *line, const char *why)
{
	fprintf(stderr, "term: '%s': %s; the screen:\n", line, why);
	show(stderr);
	if (status < 0)
		kill(child, SIGKILL);
	exit(1);
}

static bool on_screen(const char *what, int only)
{
	char text[COLUMNS_MAX * 5];
	int i;

	for (i = 0; i < screen.rows; i++) {
		if (only >= 0 && i != only)
			continue;
		row_text(i, text);
		if (strstr(text, what))
			return true;
	}
	return false;
}

static void wait_for(const char *line, const char *what, int row, bool there)
{
	long end = now_ms() + PATIENCE_MS;

	while (on_screen(what, row) != there) {
		if (!listen(20))
			give_up(line, "the program has ended");
		if (now_ms() > end)
			give_up(line, there ? "does not come" : "does not go");
	}
}

static void type(const char *text)
{
	char buf[256];
	size_t n = 0;

	for (; *text && n < sizeof(buf); text++) {
		if (*text == '\\' && text[1]) {
			text++;
			buf[n++] = *text == 'e' ? 0x1b : *text == 'r' ? '\r' : *text;
		} else {
			buf[n++] = *text;
		}
	}
	if (write(master, buf, n) != (ssize_t)n)
		give_up(text, strerror(errno));
}

static void resize(const char *size)
{
	struct winsize w = { 0 };
	int columns = 0, rows = 0;

	if (sscanf(size, "%dx%d", &columns, &rows) != 2 || columns < 1 || rows < 1 ||
	    columns > COLUMNS_MAX || rows > ROWS_MAX)
		give_up(size, "no size");
	set_size(columns, rows);
	w.ws_col = columns;
	w.ws_row = rows;
	if (master > 0)
		ioctl(master, TIOCSWINSZ, &w);
}

static void wait_exit(const char *line, int wanted)
{
	long end = now_ms() + PATIENCE_MS;
	struct termios t;
	char why[64];
	int raw;

	while (waitpid(child, &raw, WNOHANG) == 0) {
		/* The master answers at once when the other end is closed. */
		if (!listen(20))
			usleep(2000);
		if (now_ms() > end)
			give_up(line, "does not end");
	}
	while (listen(50) && now_ms() < end) {
		struct pollfd p = { .fd = master, .events = POLLIN };

		if (poll(&p, 1, 0) <= 0)
			break;
	}
	if (!tcgetattr(master, &t) && (t.c_lflag & (ECHO | ICANON)) != (ECHO | ICANON))
		give_up(line, "the terminal is not as it was: it has no echo");
	status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
	snprintf(why, sizeof(why), "the status is %d", status);
	if (status != wanted)
		give_up(line, why);
}

static void put_cell(FILE *file, const struct cell *c)
{
	const char *p;

	for (p = c->text; *p; p++) {
		if (*p == '&')
			fputs("&amp;", file);
		else if (*p == '<')
			fputs("&lt;", file);
		else
			fputc(*p, file);
	}
}

static bool same_look(const struct look *a, const struct look *b)
{
	return a->color == b->color && a->back == b->back && a->bold == b->bold && a->dim == b->dim &&
	       a->reverse == b->reverse;
}

/* A colour as CSS has it; the palette has 16 colours, a cube of 6 * 6 * 6 and 24 greys. */
static const char *css(unsigned int color, const char *otherwise, char *text, size_t size)
{
	static const char *const ansi[] = {
		"#555", "#f07070", "#7fd07f", "#e0c060", "#7090f0", "#d080d0", "#70c0d0", "#fff",
	};
	static const unsigned char level[] = { 0, 95, 135, 175, 215, 255 };

	if (!color)
		return otherwise;
	if (color < PALETTE + 16)
		return ansi[(color < PALETTE ? color - 1 : color - PALETTE) % 8];
	color -= PALETTE + 16;
	if (color < 216)
		snprintf(text, size, "#%02x%02x%02x", level[color / 36], level[color / 6 % 6],
			 level[color % 6]);
	else
		snprintf(text, size, "#%06x", (8 + 10 * (color - 216)) * 0x010101);
	return text;
}

#define FRONT	"#d8d8d8"
#define BACK	"#181818"

static void html(const char *line, const char *name)
{
	FILE *file = fopen(name, "we");
	int i, k;

	if (!file)
		give_up(line, strerror(errno));
	fputs("<!DOCTYPE html><meta charset=\"utf-8\"><title>terminal</title>"
	      "<body style=\"margin:0;background:#181818\">"
	      "<pre style=\"margin:0;padding:8px;display:inline-block;font:14px/18px 'DejaVu Sans Mono',"
	      "monospace;color:#d8d8d8;background:#181818\">", file);
	for (i = 0; i < screen.rows; i++) {
		for (k = 0; k < screen.columns; ) {
			const struct look *l = &screen.cell[i][k].look;
			const char *front, *back;
			char texts[2][24];

			front = css(l->color, FRONT, texts[0], sizeof(texts[0]));
			back = css(l->back, BACK, texts[1], sizeof(texts[1]));
			fprintf(file, "<span style=\"color:%s;background:%s;%s%s\">",
				l->reverse ? back : front, l->reverse ? front : back,
				l->bold ? "font-weight:bold;" : "", l->dim ? "opacity:.75" : "");
			for (; k < screen.columns && same_look(l, &screen.cell[i][k].look); k++)
				put_cell(file, &screen.cell[i][k]);
			fputs("</span>", file);
		}
		fputc('\n', file);
	}
	fputs("</pre>\n", file);
	if (fclose(file))
		give_up(line, strerror(errno));
}

static void obey(char *line)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = { { "INT", SIGINT }, { "TERM", SIGTERM }, { "HUP", SIGHUP } };
	char *rest = line + strcspn(line, " ");
	size_t len = rest - line, i;
	long end;
	int row;

#define IS(word)	(len == strlen(word) && !strncmp(line, word, len))
	rest += *rest == ' ';
	if (IS("keys")) {
		type(rest);
	} else if (IS("wait")) {
		wait_for(line, rest, -1, true);
	} else if (IS("gone")) {
		wait_for(line, rest, -1, false);
	} else if (IS("line")) {
		row = strtol(rest, &rest, 10);
		wait_for(line, rest + (*rest == ' '), row, true);
	} else if (IS("size")) {
		resize(rest);
	} else if (IS("signal")) {
		for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			if (!strcmp(signals[i].name, rest))
				kill(child, signals[i].number);
	} else if (IS("pause")) {
		for (end = now_ms() + atoi(rest); now_ms() < end; )
			listen(10);
	} else if (IS("show")) {
		show(stdout);
	} else if (IS("html")) {
		html(line, rest);
	} else if (IS("exit")) {
		wait_exit(line, atoi(rest));
	} else if (*line && *line != '#') {
		give_up(line, "unknown command");
	}
#undef IS
}

int main(int argc, char **argv)
{
	struct winsize w = { 0 };
	char line[512];

	if (argc < 3) {
		fprintf(stderr, "usage: term COLUMNSxROWS COMMAND [WORD]... <SCRIPT\n");
		return 2;
	}
	erase_rows(0, ROWS_MAX);
	resize(argv[1]);
	w.ws_col = screen.columns;
	w.ws_row = screen.rows;
	child = forkpty(&master, NULL, NULL, &w);
	if (child < 0) {
		perror("term: forkpty");
		return 1;
	}
	if (!child) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		obey(line);
	}
	if (status < 0)
		give_up("the end of the script", "the program is still running");
	if (screen.unknown[0])
		give_up(screen.unknown, "the program sent what no terminal knows");
	return 0;
}
