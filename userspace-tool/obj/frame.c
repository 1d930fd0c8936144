// SPDX-License-Identifier: GPL-2.0
/*
 * frame: the contents of 'top', laid out for a number of columns
 *
 * 80 columns have room for the most important values. A wider screen has further columns, the last
 * of which draws the last minute of each row; a narrower one loses columns from the right.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/mem.h"
#include "obj/frame.h"
#include "obj/stats.h"

#define CELL	24	/* bytes of a number as text */
#define TEXT	512	/* bytes of a line of the head */

const char *const frame_sorts[SORT_BY] = {
	"size", "live", "rate", "hit", "growth", "fails", "name",
};

/* ---- numbers in few columns ---- */

/* Three digits or so, and the letter of a unit. */
static void scaled(char text[CELL], double value, double step, const char *units)
{
	while (value >= step * 0.9995 && units[1]) {
		value /= step;
		units++;
	}
	if (*units == ' ')
		snprintf(text, CELL, "%.0f", value);
	else
		snprintf(text, CELL, value < 9.995 ? "%.2f%c" : value < 99.95 ? "%.1f%c" : "%.0f%c",
			 value, *units);
}

static void size_text(char text[CELL], __u64 bytes)
{
	scaled(text, bytes, 1024, " KMGT");
}

/* Exact as long as it is short. */
static void count_text(char text[CELL], __u64 count)
{
	if (count < 100000)
		snprintf(text, CELL, "%u", (unsigned int)count);
	else
		scaled(text, count, 1000, " kMGT");
}

static void permille_text(char text[CELL], __s64 value)
{
	if (value < 0)
		strcpy(text, "-");
	else
		snprintf(text, CELL, "%lld.%lld", (long long)value / 10, (long long)value % 10);
}

static void growth_text(char text[CELL], __s64 bytes)
{
	char size[CELL];

	size_text(size, bytes < 0 ? -bytes : bytes);
	snprintf(text, CELL, "%s%.*s", bytes < 0 ? "-" : bytes ? "+" : "", CELL - 2, size);
}

static void known_text(char text[CELL], __s64 count)
{
	if (count < 0)
		strcpy(text, "-");
	else
		count_text(text, count);
}

/* ---- sparklines ---- */

/* The newest value is at the right; @most has the full height. */
static char *sparkline(const struct trail *t, __u64 most, int width)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const letters[] = { "_", ".", "-", "~", "=", "+", "*", "#" };
	const char *const *step = screen_utf8() ? blocks : letters;
	const int steps = ARRAY_SIZE(blocks);
	int from = t->nr > width ? t->nr - width : 0, i, height;
	char *text = xcalloc(width + 1, 4), *at = text;

	for (i = t->nr - from; i < width; i++)
		*at++ = ' ';
	for (i = from; i < t->nr; i++) {
		height = most ? (double)t->value[i] * steps / most : 0;
		at = stpcpy(at, step[height < steps ? height : steps - 1]);
	}
	return text;
}

static __u64 trail_most(const struct trail *t)
{
	__u64 most = 0;
	int i;

	for (i = 0; i < t->nr; i++)
		most = t->value[i] > most ? t->value[i] : most;
	return most;
}

/* ---- which rows, in which order ---- */

static bool passes(const struct view *v, const struct row *row)
{
	if (v->kind != ROW_KINDS && row->kind != v->kind)
		return false;
	if (!*v->filter)
		return true;
	if (strpbrk(v->filter, "*?["))
		return !fnmatch(v->filter, row->name, 0);
	return strstr(row->name, v->filter);
}

static __s64 sort_key(const struct line *l, enum frame_sort sort)
{
	switch (sort) {
	case SORT_LIVE:
		return l->row.live;
	case SORT_RATE:
		return l->rate;
	case SORT_HIT:
		return l->hit_permille;
	case SORT_GROWTH:
		return l->growth;
	case SORT_FAILS:
		return l->failed;
	case SORT_NAME:
		return 0;
	default:
		return l->row.size;
	}
}

/* Numbers begin with the largest, names with the first letter; ties are sorted by name. */
static int compare(const void *a, const void *b, void *view)
{
	const struct line *x = *(const struct line *const *)a;
	const struct line *y = *(const struct line *const *)b;
	const struct view *v = view;
	__s64 kx = sort_key(x, v->sort), ky = sort_key(y, v->sort);
	int order = kx == ky ? strcmp(x->row.name, y->row.name) : kx < ky ? 1 : -1;

	if (!order)
		order = (int)x->row.kind - (int)y->row.kind;
	return v->reverse ? -order : order;
}

const struct line **frame_lines(const struct follow *f, const struct view *v, size_t *nr)
{
	const struct line **lines = xcalloc(f->nr + 1, sizeof(*lines));
	size_t i;

	*nr = 0;
	for (i = 0; i < f->nr; i++)
		if (passes(v, &f->line[i].row))
			lines[(*nr)++] = &f->line[i];
	qsort_r(lines, *nr, sizeof(*lines), compare, (void *)v);
	return lines;
}

/* ---- the table ---- */

struct column {
	const char *title;
	int width;
	int from;		/* least width of the screen that shows it */
	enum frame_sort sort;	/* sort key that it shows, SORT_BY for none */
	void (*text)(char text[CELL], const struct line *l, const struct follow *f,
		     const struct view *v);
};

#define CELL_OF(name) static void name(char text[CELL], const struct line *l,	\
				       const struct follow *f, const struct view *v)

CELL_OF(cell_kind)
{
	(void)f, (void)v;
	strcpy(text, row_kinds[l->row.kind]);
}

CELL_OF(cell_node)
{
	(void)f, (void)v;
	if (l->row.node < 0)
		strcpy(text, "-");
	else
		snprintf(text, CELL, "%d", l->row.node);
}

CELL_OF(cell_size)
{
	(void)f, (void)v;
	size_text(text, l->row.size);
}

CELL_OF(cell_live)
{
	(void)f, (void)v;
	if (l->row.kind == ROW_ARENA)
		size_text(text, l->row.live);
	else
		count_text(text, l->row.live);
}

CELL_OF(cell_rate)
{
	(void)f, (void)v;
	known_text(text, l->rate);
}

CELL_OF(cell_hit)
{
	(void)f, (void)v;
	permille_text(text, l->hit_permille);
}

CELL_OF(cell_growth)
{
	(void)f, (void)v;
	growth_text(text, l->growth);
}

CELL_OF(cell_fails)
{
	(void)f, (void)v;
	known_text(text, l->failed);
}

CELL_OF(cell_share)
{
	permille_text(text, permille(l->row.size, f->zone.nr_pages * v->page_size));
}

CELL_OF(cell_used)
{
	(void)f, (void)v;
	permille_text(text, l->row.used_permille);
}

CELL_OF(cell_allocs)
{
	(void)f, (void)v;
	if (l->row.counted)
		count_text(text, l->row.allocs);
	else
		strcpy(text, "-");
}

static const struct column columns_of[] = {
	{ "KIND", 8, 0, SORT_BY, cell_kind },
	{ "NODE", 4, 0, SORT_BY, cell_node },
	{ "SIZE", 6, 0, SORT_SIZE, cell_size },
	{ "LIVE", 6, 0, SORT_LIVE, cell_live },
	{ "ALLOC/S", 7, 60, SORT_RATE, cell_rate },
	{ "HIT %", 5, 60, SORT_HIT, cell_hit },
	{ "GROWTH", 7, 70, SORT_GROWTH, cell_growth },
	{ "FAILS", 6, 90, SORT_FAILS, cell_fails },
	{ "ZONE %", 6, 100, SORT_BY, cell_share },
	{ "ALLOCS", 7, 110, SORT_BY, cell_allocs },
	{ "USED %", 6, 118, SORT_BY, cell_used },
};

/* Nodes are named where there are several zones. */
static bool shows(const struct follow *f, const struct column *c, int columns)
{
	return columns >= c->from && (c->text != cell_node || f->nodes);
}

#define MINUTE_FROM	126	/* least width of the screen that shows the last minute */
#define MINUTE_LEAST	16
#define NAME_ENOUGH	48	/* columns of a name; more only if the last minute is whole */

struct layout {
	int name, minute;
};

/* The name and the last minute share the columns that numbers leave. */
static struct layout lay_out(const struct follow *f, int columns)
{
	struct layout lay = { .name = columns };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(columns_of); i++)
		if (shows(f, &columns_of[i], columns))
			lay.name -= columns_of[i].width + 1;
	if (columns < MINUTE_FROM)
		return lay;
	lay.minute = lay.name - 1 - NAME_ENOUGH;
	if (lay.minute < MINUTE_LEAST)
		lay.minute = MINUTE_LEAST;
	if (lay.minute > TRAIL_POINTS)
		lay.minute = TRAIL_POINTS;
	lay.name -= 1 + lay.minute;
	return lay;
}

/* A name that is cut ends with "~". */
static char *fit(const char *name, int width)
{
	int len = strlen(name);

	if (len <= width)
		return xasprintf("%-*s", width, name);
	return xasprintf("%.*s~", width - 1, name);
}

static void put_heading(const struct follow *f, const struct view *v, int row, int columns,
			frame_put put, void *arg)
{
	struct layout lay = lay_out(f, columns);
	char *text, title[CELL];
	size_t size, i;
	FILE *file = xmemstream(&text, &size);

	fprintf(file, "%-*s", lay.name, v->sort == SORT_NAME ? "*NAME" : "NAME");
	for (i = 0; i < ARRAY_SIZE(columns_of); i++) {
		if (!shows(f, &columns_of[i], columns))
			continue;
		snprintf(title, sizeof(title), "%s%s", columns_of[i].sort != SORT_BY &&
			 columns_of[i].sort == v->sort ? "*" : "", columns_of[i].title);
		fprintf(file, i ? " %*s" : " %-*s", columns_of[i].width, title);
	}
	if (lay.minute)
		fprintf(file, " %-*s", lay.minute, "LAST MINUTE");
	xmemstream_end(file);
	put(arg, row, 0, SCREEN_HEAD, text);
	free(text);
}

static void put_line(const struct follow *f, const struct view *v, const struct line *l, int row,
		     int columns, frame_put put, void *arg)
{
	struct layout lay = lay_out(f, columns);
	char text[CELL], *name = fit(l->row.name, lay.name), *cell, *minute;
	int at = lay.name;
	size_t i;

	put(arg, row, 0, SCREEN_PLAIN, name);
	free(name);
	for (i = 0; i < ARRAY_SIZE(columns_of); i++) {
		const struct column *c = &columns_of[i];
		bool bad = c->sort == SORT_FAILS && l->failed > 0;

		if (!shows(f, c, columns))
			continue;
		c->text(text, l, f, v);
		cell = xasprintf(i ? " %*s" : " %-*s", c->width, text);
		put(arg, row, at, bad ? SCREEN_BAD : SCREEN_PLAIN, cell);
		free(cell);
		at += c->width + 1;
	}
	if (!lay.minute)
		return;
	minute = sparkline(&l->trail, trail_most(&l->trail), lay.minute);
	put(arg, row, at + 1, SCREEN_DIM, minute);
	free(minute);
}

/* ---- the head ---- */

/* A part of a line. If the line is too long, the highest @spare is left out first; 0: never. */
struct word {
	enum screen_style style;
	int spare;
	char text[TEXT];
};

static void put_words(frame_put put, void *arg, int row, int columns, struct word *word, size_t nr)
{
	struct word *worst;
	size_t i;
	int at;

	do {
		worst = NULL;
		for (at = 0, i = 0; i < nr; i++) {
			at += strlen(word[i].text);
			if (*word[i].text && word[i].spare && (!worst || word[i].spare > worst->spare))
				worst = &word[i];
		}
		if (at > columns && worst)
			*worst->text = 0;
	} while (at > columns && worst);
	for (at = 0, i = 0; i < nr; i++) {
		put(arg, row, at, word[i].style, word[i].text);
		at += strlen(word[i].text);
	}
}

/* Write @text at a column, and return the column behind it. */
static int put_next(frame_put put, void *arg, int row, int column, enum screen_style style,
		    const char *text)
{
	put(arg, row, column, style, text);
	return column + strlen(text);
}

static void put_title(const struct view *v, const struct follow *f, int columns, frame_put put,
		      void *arg)
{
	time_t now = time(NULL);
	char clock[16] = "", right[96], left[TEXT];
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	if (v->paused)
		snprintf(right, sizeof(right), "paused  %s", clock);
	else
		snprintf(right, sizeof(right), "every %g s  %s", v->interval_ms / 1000.0, clock);
	snprintf(left, sizeof(left), "%.*s on %s, %ld CPU%s",
		 columns - (int)strlen(right) - 40 > 8 ? columns - (int)strlen(right) - 40 : 8,
		 v->kernel ? v->kernel : "?", v->machine ? v->machine : "?", v->cpus,
		 v->cpus == 1 ? "" : "s");
	put(arg, 0, 0, SCREEN_BOLD, "myalloc");
	put(arg, 0, 9, SCREEN_PLAIN, left);
	if (columns - (int)strlen(right) > 11 + (int)strlen(left))
		put(arg, 0, columns - strlen(right), SCREEN_PLAIN, right);
	(void)f;
}

struct part {
	const char *name;
	char letter;
	enum screen_style style;
	__u64 pages;
};

/* The bar has a letter for each holder of pages; each that has some gets one at least. */
static void put_bar(const struct view *v, const struct follow *f, int columns, frame_put put,
		    void *arg)
{
	const struct myalloc_stat *z = &f->zone;
	const struct part part[] = {
		{ "users", 'U', SCREEN_BOLD, z->page_pages },
		{ "slabs", 'S', SCREEN_GOOD, z->slab_pages },
		{ "cached", 'c', SCREEN_WARN, z->cached_pages + z->deferred_pages },
		{ "bad", '!', SCREEN_BAD, z->quarantined_pages + z->bad_pages },
		{ "free", '.', SCREEN_PLAIN, z->free_pages },
	};
	int width = columns - 2, left = width, at, n;
	struct word words[ARRAY_SIZE(part) + 1] = { 0 };
	char text[CELL], *word;
	size_t i;

	put(arg, 1, 0, SCREEN_PLAIN, "[");
	for (i = 0, at = 1; i < ARRAY_SIZE(part); i++) {
		n = z->nr_pages ? (double)part[i].pages * width / z->nr_pages + 0.5 : 0;
		n = part[i].pages && !n ? 1 : n;
		n = n > left || i + 1 == ARRAY_SIZE(part) ? left : n;
		left -= n;
		word = xcalloc(n + 1, 1);
		memset(word, part[i].letter, n);
		at = put_next(put, arg, 1, at, part[i].style, word);
		free(word);
	}
	put(arg, 1, at, SCREEN_PLAIN, "]");

	for (i = 0; i < ARRAY_SIZE(part); i++) {
		if (part[i].letter == '!' && !part[i].pages)
			continue;
		size_text(text, part[i].pages * v->page_size);
		words[i].style = part[i].style;
		snprintf(words[i].text, TEXT, "%s%c %s %s", i ? "  " : "", part[i].letter,
			 part[i].name, text);
	}
	if (z->largest_order >= 0)
		size_text(text, v->page_size << z->largest_order);
	else
		strcpy(text, "none");
	words[i].style = SCREEN_PLAIN;
	words[i].spare = 1;
	snprintf(words[i].text, TEXT, "  largest block %s", text);
	put_words(put, arg, 2, columns, words, i + 1);
}

static void put_minute(const struct view *v, const struct follow *f, int columns, frame_put put,
		       void *arg)
{
	static const char label[] = "in use, last minute ";
	int width = columns - (int)strlen(label) - (int)strlen(" 100.0 % of 1023M");
	char share[CELL], size[CELL], *text;

	if (width > TRAIL_POINTS)
		width = TRAIL_POINTS;
	text = sparkline(&f->trail, f->zone.nr_pages, width);
	put(arg, 3, 0, SCREEN_PLAIN, label);
	put(arg, 3, strlen(label), SCREEN_GOOD, text);
	free(text);
	permille_text(share, permille(f->zone.nr_pages - f->zone.free_pages, f->zone.nr_pages));
	size_text(size, f->zone.nr_pages * v->page_size);
	text = xasprintf(" %s %% of %s", share, size);
	put(arg, 3, strlen(label) + width, SCREEN_PLAIN, text);
	free(text);
}

static void put_counters(const struct follow *f, int columns, frame_put put, void *arg)
{
	__u64 allocs = sum_orders(f->zone.page_allocs) - sum_orders(f->before.page_allocs);
	__u64 frees = sum_orders(f->zone.page_frees) - sum_orders(f->before.page_frees);
	__u64 fails = sum_orders(f->zone.page_fails);
	char rate[CELL], back[CELL], hits[CELL];
	struct word words[6] = {
		{ SCREEN_PLAIN, 0 }, { SCREEN_PLAIN, 2 }, { SCREEN_PLAIN, 1 },
		{ fails ? SCREEN_WARN : SCREEN_PLAIN, 0 },
		{ f->zone.bad_frees ? SCREEN_BAD : SCREEN_PLAIN, 0 },
		{ f->zone.corruptions ? SCREEN_BAD : SCREEN_PLAIN, 0 },
	};

	count_text(rate, follow_per_sec(f, allocs));
	count_text(back, follow_per_sec(f, frees));
	permille_text(hits, follow_zone_hits(f));
	snprintf(words[0].text, TEXT, "pages: alloc/s %s", rate);
	snprintf(words[1].text, TEXT, "  free/s %s", back);
	snprintf(words[2].text, TEXT, "  hit %% %s", hits);
	count_text(rate, fails);
	snprintf(words[3].text, TEXT, "  fails %s", rate);
	count_text(rate, f->zone.bad_frees);
	snprintf(words[4].text, TEXT, "  wrong frees %s", rate);
	count_text(rate, f->zone.corruptions);
	snprintf(words[5].text, TEXT, "  damage %s", rate);
	put_words(put, arg, 4, columns, words, ARRAY_SIZE(words));
}

static void put_choice(const struct follow *f, const struct view *v, size_t shown, frame_put put,
		       void *arg)
{
	char text[TEXT];

	if (v->editing)
		snprintf(text, sizeof(text), "filter: %s_   (a glob or a part of the name; Enter, Esc)",
			 v->filter);
	else
		snprintf(text, sizeof(text), "%zu of %zu%s%s by %s%s%s%s%s", shown, f->nr,
			 v->kind == ROW_KINDS ? "" : ", kind ",
			 v->kind == ROW_KINDS ? "" : row_kinds[v->kind], frame_sorts[v->sort],
			 v->reverse ? ", reversed" : "", *v->filter ? ", filter " : "", v->filter,
			 f->sites ? "" : "; no call sites: debugfs cannot be read");
	put(arg, 5, 0, v->editing ? SCREEN_BOLD : SCREEN_PLAIN, text);
}

/* ---- help ---- */

static const char *const help[] = {
	"q         end",
	"s l r     sort by size, live, rate",
	"h g f n   sort by hits, growth, fails, name; the same key again: the other way",
	"/         filter by name: a glob (frob-*) or a part of the name; Esc removes it",
	"k         the next kind of rows, or all again",
	"arrows, page up and down, home, end: move through the table",
	"+ -       longer or shorter interval",
	"space     stop and go on",
	"",
	"SIZE      bytes held of the zone; of a call site, what it allocated and holds",
	"LIVE      objects, blocks or records in use; of an arena, bytes; of a client,",
	"          caches and fronts; of a node, pages of page users",
	"ALLOC/S   allocations per second in the last interval",
	"HIT %     share of them that a per-CPU magazine served without a refill;",
	"          both are - for contracts, clients, call sites and processes: to count",
	"          calls by line of code as well would slow down each allocation",
	"GROWTH    bytes held more than a minute ago, or than when it was first seen",
	"FAILS     allocations that failed in the last interval",
	"USED %    of a contract, a pool, a quota or a node: the share in use",
	"",
	"Any key goes back to the table.",
	NULL
};

/* ---- the whole ---- */

void frame_draw(const struct follow *f, const struct view *v, int rows, int columns,
		frame_put put, void *arg)
{
	const struct line **lines;
	size_t nr, i;
	int row;

	put_title(v, f, columns, put, arg);
	if (v->help) {
		for (i = 0; help[i]; i++)
			put(arg, i + 2, 0, SCREEN_PLAIN, help[i]);
		return;
	}
	put_bar(v, f, columns, put, arg);
	put_minute(v, f, columns, put, arg);
	put_counters(f, columns, put, arg);
	lines = frame_lines(f, v, &nr);
	put_choice(f, v, nr, put, arg);
	put_heading(f, v, FRAME_HEAD - 1, columns, put, arg);
	for (i = v->first, row = FRAME_HEAD; i < nr && (!rows || row < rows - 1); i++, row++)
		put_line(f, v, lines[i], row, columns, put, arg);
	free(lines);
	if (rows)
		put(arg, rows - 1, 0, SCREEN_DIM,
		    "q end  s l r h g f n sort  / filter  k kind  space stop  + - interval  ? help");
}

/* ---- as text ---- */

struct page {
	FILE *file;
	int row, column;
};

static void page_put(void *arg, int row, int column, enum screen_style style, const char *text)
{
	struct page *page = arg;
	const char *p;

	(void)style;
	for (; page->row < row; page->row++) {
		fputc('\n', page->file);
		page->column = 0;
	}
	for (; page->column < column; page->column++)
		fputc(' ', page->file);
	fputs(text, page->file);
	/* The bytes that begin a character. */
	for (p = text; *p; p++)
		page->column += (*p & 0xc0) != 0x80;
}

/* Without the blanks that end a line. */
static void trim(char *text)
{
	char *from, *to = text, *word = text;

	for (from = text; *from; from++) {
		if (*from == '\n')
			to = word;
		*to++ = *from;
		if (*from != ' ')
			word = to;
	}
	*to = 0;
}

char *frame_text(const struct follow *f, const struct view *v, int columns)
{
	struct page page = { 0 };
	size_t size;
	char *text;

	page.file = xmemstream(&text, &size);
	frame_draw(f, v, 0, columns < FRAME_LEAST ? FRAME_LEAST : columns, page_put, &page);
	fputc('\n', page.file);
	xmemstream_end(page.file);
	trim(text);
	return text;
}
