// SPDX-License-Identifier: GPL-2.0
/*
 * map: memory as a picture
 *
 * The range is divided into cells of equal size, a power of two of pages, so that the picture fits
 * the terminal. A cell has the colour, or the letter, of its most frequent kind of page. If the
 * range has few blocks, each is listed below with its owner; a single block with its call stack.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/parse.h"
#include "host/mem.h"
#include "host/terminal.h"
#include "obj/device.h"
#include "obj/kinds.h"
#include "obj/map_html.h"
#include "obj/objects.h"
#include "obj/zones.h"
#include "out/out.h"

#define MARGIN		11	/* columns left of the picture */
#define ROWS		16	/* lines of the picture, at most */
#define CELLS_OF_PAGE	16384	/* most cells of an HTML page */
#define LISTED_PAGES	1024	/* largest range in which blocks are listed */
#define OFF		"\033[0m"

struct map {
	char *range;
	bool letters;
	bool blocks;

	bool color;		/* how it is drawn */
	bool half;
	struct device d;
	int node;		/* of its zone; -1 if there is one zone only */
	__u64 first, pages;	/* the range */
	__u64 cell_pages;
	__u32 columns;
	__u32 nr;
	struct myalloc_cell *cells;
};

/* ---- the range ---- */

#define RANGE	"expected FIRST-LAST or FIRST+NUMBER in pages, or with units, as 32M-48M or 32M+4M"

static __u64 read_pages(struct cmd *c, const struct map *m, const char *text)
{
	__u64 value;

	if (!parse_number(text, &value))
		return value;
	if (parse_size(text, &value) || value % m->d.info.page_size)
		cmd_usage(c, "--range '%s': %s", m->range, RANGE);
	return value / m->d.info.page_size;
}

static bool has_unit(const char *text)
{
	__u64 value;

	return parse_number(text, &value) != NULL;
}

static void read_range(struct cmd *c, struct map *m)
{
	__u64 n, frames = device_frames(&m->d);
	char first[64], *second;
	bool last;

	m->pages = frames;
	if (!m->range)
		return;
	if (snprintf(first, sizeof(first), "%s", m->range) >= (int)sizeof(first))
		cmd_usage(c, "--range '%s': %s", m->range, RANGE);
	second = first + strcspn(first, "-+");
	last = *second == '-';
	if (*second)
		*second++ = 0;
	if (!*first || !*second)
		cmd_usage(c, "--range '%s': %s", m->range, RANGE);
	m->first = read_pages(c, m, first);
	n = read_pages(c, m, second);
	/* 0-7 are eight pages, 0M-8M are eight MiB. */
	if (last && n >= m->first)
		n = n - m->first + !has_unit(second);
	else if (last)
		n = 0;
	if (m->first >= frames || !n)
		cmd_usage(c, "--range '%s': must begin below page %llu, which is the end of the zone, and not be empty",
			  m->range, (unsigned long long)frames);
	m->pages = n < frames - m->first ? n : frames - m->first;
}

/* ---- cells ---- */

/* The smallest cells with which the range fits into @most. */
static __u64 cell_size(const struct map *m, __u64 most)
{
	__u64 size = 1;

	while ((m->pages + size - 1) / size > most)
		size *= 2;
	return size;
}

static struct myalloc_cell *read_cells(const struct map *m, __u64 size, __u32 *nr, int *code)
{
	__u32 count = (m->pages + size - 1) / size;
	struct myalloc_cell *cells = xcalloc(count, sizeof(*cells));
	int err = dev_cells(m->d.fd, m->first, size, count, cells, nr);

	*code = err ? explain("looking at memory", err) : EXIT_OK;
	return cells;
}

/* ---- the picture ---- */

static char *place_text(const struct map *m, __u64 page)
{
	__u64 bytes = page * m->d.info.page_size;

	if (bytes % (1 << 20) == 0)
		return xasprintf("%llu MiB", (unsigned long long)bytes >> 20);
	return xasprintf("%llu KiB", (unsigned long long)bytes >> 10);
}

static const struct shade *shade_at(const struct map *m, __u32 i)
{
	return i < m->nr ? shade_of(&m->cells[i]) : NULL;
}

/* The current colours on a line, -1 for those of the terminal; a change prints the new one. */
struct pen {
	int front;
	int back;
};

static void set_pen(FILE *file, struct pen *pen, int front, int back)
{
	if (back < 0 && pen->back >= 0) {
		fputs(OFF, file);
		pen->front = -1;
	}
	if (front != pen->front)
		fprintf(file, "\033[38;5;%dm", front);
	if (back >= 0 && back != pen->back)
		fprintf(file, "\033[48;5;%dm", back);
	pen->front = front;
	pen->back = back;
}

/* Two cells above each other in one character. */
static void draw_half(FILE *file, struct pen *pen, const struct shade *up,
		      const struct shade *down)
{
	set_pen(file, pen, up->color, down ? down->color : -1);
	fputs("\u2580", file);
}

static void draw_letter(FILE *file, struct pen *pen, const struct shade *s)
{
	if (pen)
		set_pen(file, pen, s->dark ? 255 : 16, s->color);
	fputc(s->letter, file);
}

static void draw_rows(FILE *file, const struct map *m)
{
	__u32 row, i, step = m->columns * (m->half ? 2 : 1);
	struct pen pen;
	char *text;

	for (row = 0; row < m->nr; row += step) {
		text = place_text(m, m->first + row * m->cell_pages);
		fprintf(file, "%*s ", MARGIN - 1, text);
		free(text);
		pen = (struct pen){ -1, -1 };
		for (i = row; i < row + m->columns && i < m->nr; i++) {
			if (m->half)
				draw_half(file, &pen, shade_at(m, i),
					  shade_at(m, i + m->columns));
			else
				draw_letter(file, m->color ? &pen : NULL, shade_at(m, i));
		}
		fprintf(file, "%s\n", m->color ? OFF : "");
	}
}

static void draw_legend(FILE *file, const struct map *m)
{
	const struct shade *s;
	struct pen pen;
	__u32 i, n;

	for (s = shades; s->key; s++) {
		for (n = 0, i = 0; i < m->nr; i++)
			n += shade_of(&m->cells[i]) == s;
		if (!n)
			continue;
		fprintf(file, "%*s", MARGIN, "");
		pen = (struct pen){ -1, -1 };
		if (m->half) {
			set_pen(file, &pen, s->color, -1);
			fputs("\u2588\u2588", file);
		} else {
			draw_letter(file, m->color ? &pen : NULL, s);
		}
		fprintf(file, "%s %s\n", m->color ? OFF : "", s->label);
	}
}

static void draw(struct out *o, const struct map *m)
{
	size_t size;
	char *text;
	FILE *file = xmemstream(&text, &size);

	draw_rows(file, m);
	fprintf(file, "%*sone %s is %llu page%s\n", MARGIN, "", m->half ? "half block" : "letter",
		(unsigned long long)m->cell_pages, m->cell_pages == 1 ? "" : "s");
	draw_legend(file, m);
	xmemstream_end(file);
	out_drawing(o, text);
	free(text);
}

/* ---- as numbers ---- */

static void describe_totals(struct out *o, const struct map *m)
{
	const struct shade *s;
	__u64 sum;
	__u32 i;

	out_group(o, "kinds", "Pages");
	for (s = shades; s->key; s++) {
		if (s > shades && s[-1].kind == s->kind)
			continue;
		for (sum = 0, i = 0; i < m->nr; i++)
			sum += m->cells[i].pages[s->kind];
		out_u64(o, s->key, sum ? s->key : NULL, OUT_PAGES, sum);
	}
	out_end(o);
}

static void describe_cells(struct out *o, const struct map *m)
{
	const struct myalloc_cell *cell;
	const struct shade *s;
	__u32 i;

	out_list(o, "cells", NULL);
	for (i = 0; i < m->nr; i++) {
		cell = &m->cells[i];
		out_item(o);
		out_u64(o, "first_page", NULL, OUT_PLAIN, m->first + i * m->cell_pages);
		for (s = shades; s->key; s++)
			if ((s == shades || s[-1].kind != s->kind) && cell->pages[s->kind])
				out_u64(o, s->key, NULL, OUT_PLAIN, cell->pages[s->kind]);
		if (cell->pages[MYALLOC_IS_SLAB])
			out_u64(o, "filled_permille", NULL, OUT_PLAIN,
				cell->filled / cell->pages[MYALLOC_IS_SLAB]);
		if (cell->largest)
			out_u64(o, "largest_free_order", NULL, OUT_PLAIN, cell->largest - 1);
		out_end(o);
	}
	out_end(o);
}

static void describe_block(struct out *o, const struct myalloc_look *look)
{
	char *of = look->cache ? xasprintf("%.*s, %u of %u", (int)sizeof(look->name), look->name,
					   look->used, look->slots) : xstrdup("");

	out_item(o);
	out_u64(o, "first_page", "page", OUT_PLAIN, look->first);
	out_u64(o, "pages", "pages", OUT_PLAIN, look->pages);
	out_str(o, "kind", "what", OUT_PLAIN, kind_name(look->kind));
	out_str(o, "slab", "slab of", OUT_PLAIN, of);
	out_strn(o, "by", "allocated by", OUT_PLAIN, look->alloc.by, sizeof(look->alloc.by));
	out_end(o);
	free(of);
}

/* List each block that overlaps the range; a single one with all details. */
static int describe_blocks(struct out *o, const struct map *m)
{
	__u64 page = m->first, end = m->first + m->pages;
	struct myalloc_look look;
	int err;

	err = dev_look(m->d.fd, MYALLOC_LOOK_PAGE, page, 0, MYALLOC_LOOK_NONE, &look);
	if (err && err != -EAGAIN)
		return explain("looking at memory", err);
	if (!err && look.first + look.pages >= end) {
		out_group(o, "block", "Block");
		look_describe(o, &look);
		out_end(o);
		return EXIT_OK;
	}
	out_list(o, "blocks", "Blocks");
	while (page < end) {
		err = dev_look(m->d.fd, MYALLOC_LOOK_PAGE, page, 0, MYALLOC_LOOK_NONE, &look);
		if (err && err != -EAGAIN)
			break;
		if (err || look.first + look.pages <= page) {
			page++;
			continue;
		}
		describe_block(o, &look);
		page = look.first + look.pages;
	}
	out_end(o);
	return err && err != -EAGAIN ? explain("looking at memory", err) : EXIT_OK;
}

static int keep_html(const struct map *m)
{
	__u64 size = cell_size(m, CELLS_OF_PAGE);
	struct myalloc_cell *cells;
	char *text;
	__u32 nr;
	int code;

	cells = read_cells(m, size, &nr, &code);
	if (!code) {
		text = map_html(cells, nr, m->first, size, m->d.info.page_size);
		out_keep_text(text);
		free(text);
	}
	free(cells);
	return code;
}

static const char map_form[] =
	"node:int|null first_page:uint pages:uint cell_pages:uint kinds:{ @pages } "
	"cells:[{ first_page:uint @pages? filled_permille?:uint largest_free_order?:uint }] "
	"block?:{ " LOOK_FORM " } "
	"blocks?:[{ first_page:uint pages:uint kind:text slab:text by:text }]";

static int describe(const struct map *m)
{
	struct out *o = out_new("map");
	int code = EXIT_OK;

	out_page_size(o, m->d.info.page_size);
	zones_put(o, m->node);
	out_u64(o, "first_page", NULL, OUT_PLAIN, m->first);
	out_u64(o, "pages", NULL, OUT_PAGES, m->pages);
	out_u64(o, "cell_pages", NULL, OUT_PLAIN, m->cell_pages);
	draw(o, m);
	describe_totals(o, m);
	describe_cells(o, m);
	if (m->range && m->pages <= LISTED_PAGES)
		code = describe_blocks(o, m);
	if (!code && out_keeps_html())
		code = keep_html(m);
	return out_finish(o, code);
}

static int map(struct cmd *c)
{
	struct map m = { 0 };
	__u32 room;
	int code;

	cmd_options(c, &m);
	cmd_done(c);
	if (m.letters && m.blocks)
		cmd_usage(c, "--letters and --blocks exclude each other");
	code = device_open(&m.d);
	if (code)
		return code;
	read_range(c, &m);
	room = terminal_columns() > MARGIN + 1 ? terminal_columns() - MARGIN : 1;
	for (m.columns = 1; m.columns * 2 <= room; m.columns *= 2)
		;
	m.color = terminal_color() || m.blocks;
	m.half = m.blocks || (m.color && !m.letters && terminal_utf8());
	m.cell_pages = cell_size(&m, m.columns * ROWS * (m.half ? 2 : 1));
	m.cells = read_cells(&m, m.cell_pages, &m.nr, &code);
	if (!code)
		code = zones_tell(&m.d, &m.node);
	if (!code)
		code = describe(&m);
	free(m.cells);
	device_close(&m.d);
	return code;
}

static const struct opt map_opts[] = {
	{ "range", 'r', OPT_STRING, "RANGE", OPT_TARGET(struct map, range),
	  .otherwise = "all", .help = "pages FIRST-LAST or FIRST+NUMBER, or with units: 32M+4M" },
	{ "letters", 'l', OPT_FLAG, OPT_TARGET(struct map, letters),
	  .help = "letters in place of half blocks" },
	{ "blocks", 'b', OPT_FLAG, OPT_TARGET(struct map, blocks),
	  .help = "coloured half blocks, even if the terminal may not show them" },
	{ NULL }
};

static const struct verb map_verbs[] = {
	{ "", map, "",
	  "draw what each part of memory is; in a short range list the blocks and their owners. With -o FILE.html, a page for a browser",
	  map_opts, .form = map_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object map_object = {
	"map", "draw memory: free by order, cached, page users, slabs by fill", map_verbs, NULL
};
