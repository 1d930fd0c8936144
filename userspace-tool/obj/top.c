// SPDX-License-Identifier: GPL-2.0
/*
 * top: holders and users of the memory, redrawn at intervals
 */
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "host/stop.h"
#include "host/system.h"
#include "host/terminal.h"
#include "obj/frame.h"
#include "obj/objects.h"
#include "out/out.h"

#define INTERVAL_LEAST_MS	10
#define INTERVAL_MOST_MS	(24 * 3600000)

struct top {
	bool once, reverse;
	__u64 interval_ms, count;
	char *sort, *filter, *kind;

	struct device d;
	struct follow follow;
	struct view view;
	struct system system;
};

static int find_word(const char *what, const char *word, const char *const *right, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(right[i], word))
			return i;
	cmd_wrong_word(what, word, right, nr);
}

static void read_words(struct cmd *c, struct top *t)
{
	t->view.kind = ROW_KINDS;
	if (t->kind)
		t->view.kind = find_word("kind", t->kind, row_kinds, ROW_KINDS);
	if (t->sort)
		t->view.sort = find_word("order", t->sort, frame_sorts, SORT_BY);
	t->view.reverse = t->reverse;
	t->view.interval_ms = t->interval_ms;
	if (t->filter && strlen(t->filter) >= sizeof(t->view.filter))
		cmd_usage(c, "--filter: at most %zu characters", sizeof(t->view.filter) - 1);
	if (t->filter)
		strcpy(t->view.filter, t->filter);
	if (t->once && t->count)
		cmd_usage(c, "--once ends after one frame: --count has no meaning then");
	if (t->once || out_is_json())
		return;
	if (t->count)
		cmd_usage(c, "--count is for --json; on a screen, 'q' ends it");
	if (out_options()->keep)
		cmd_usage(c, "--output needs --once or --json; 'myallocctl record' writes a history");
	if (!screen_possible())
		cmd_usage(c, "top needs a terminal; use --once or --json");
}

static int sample(struct top *t)
{
	struct sample s;
	int code = sample_read(&t->d, &s);

	if (!code)
		follow_add(&t->follow, &s);
	return code;
}

/* ---- without a screen ---- */

static int print(struct top *t)
{
	const struct line **lines;
	struct out *o = out_new("top");
	size_t nr;
	int code;

	lines = frame_lines(&t->follow, &t->view, &nr);
	follow_put(o, &t->follow, t->d.info.page_size, lines, nr);
	out_as_text(o, frame_text(&t->follow, &t->view, terminal_columns()));
	code = out_finish(o, EXIT_OK);
	free(lines);
	return code;
}

static int stream(struct top *t)
{
	__u64 nr, now, start, count = t->once ? 1 : t->count;
	int code = sample(t);

	start = t->follow.start_ms;
	for (nr = 1; !code && (!count || nr <= count); nr++) {
		/* Until the next multiple, so that intervals do not drift. */
		now = stop_now_ms();
		if (now < start + nr * t->interval_ms)
			stop_wait(-1, start + nr * t->interval_ms - now);
		if (stop_signal())
			return count ? 128 + stop_signal() : EXIT_OK;
		code = sample(t);
		if (!code)
			code = print(t);
	}
	return code;
}

/* ---- on a screen ---- */

static void put(void *unused, int row, int column, enum screen_style style, const char *text)
{
	(void)unused;
	screen_put(row, column, style, text);
}

static void draw(struct top *t)
{
	int rows, columns;

	screen_size(&rows, &columns);
	screen_clear();
	frame_draw(&t->follow, &t->view, rows, columns, put, NULL);
	screen_show();
}

static size_t shown(const struct top *t)
{
	size_t nr;

	free(frame_lines(&t->follow, &t->view, &nr));
	return nr;
}

static void scroll(struct top *t, int key)
{
	size_t nr = shown(t), page, last, *first = &t->view.first;
	int rows, columns;

	screen_size(&rows, &columns);
	page = rows > FRAME_HEAD + 1 ? rows - FRAME_HEAD - 1 : 1;
	last = nr > page ? nr - page : 0;
	if (key == SCREEN_UP)
		*first -= *first > 0;
	else if (key == SCREEN_DOWN)
		*first += 1;
	else if (key == SCREEN_PAGE_UP)
		*first = *first > page ? *first - page : 0;
	else if (key == SCREEN_PAGE_DOWN)
		*first += page;
	else if (key == SCREEN_HOME)
		*first = 0;
	else if (key == SCREEN_END)
		*first = last;
	if (*first > last)
		*first = last;
}

static void edit(struct view *v, int key)
{
	size_t len = strlen(v->filter);

	if (key == SCREEN_ENTER || key == SCREEN_ESCAPE)
		v->editing = false;
	if (key == SCREEN_ESCAPE)
		v->filter[0] = 0;
	else if (key == SCREEN_ERASE && len)
		v->filter[len - 1] = 0;
	else if (key >= ' ' && key < 0x7f && len + 1 < sizeof(v->filter))
		v->filter[len] = key;
}

static bool sort_by(struct view *v, int key)
{
	static const char keys[SORT_BY + 1] = "slrhgfn";
	const char *at = key > 0 && key < 0x80 ? strchr(keys, key) : NULL;

	if (!at)
		return false;
	v->reverse = v->sort == (enum frame_sort)(at - keys) && !v->reverse;
	v->sort = at - keys;
	return true;
}

/* Returns false if the program is to end. */
static bool press(struct top *t, int key)
{
	struct view *v = &t->view;

	if (key == SCREEN_RESIZED || key == SCREEN_OTHER)
		return true;
	if (v->editing) {
		edit(v, key);
		v->first = 0;
		return true;
	}
	if (v->help) {
		v->help = false;
		return key != 'q';
	}
	if (sort_by(v, key))
		return true;
	switch (key) {
	case 'q':
		return false;
	case '/':
		v->editing = true;
		break;
	case SCREEN_ESCAPE:
		v->filter[0] = 0;
		break;
	case 'k':
		v->kind = v->kind == ROW_KINDS ? 0 : v->kind + 1;
		v->first = 0;
		break;
	case '?':
		v->help = true;
		break;
	case ' ':
		v->paused = !v->paused;
		break;
	case '+':
		if (v->interval_ms * 2 <= INTERVAL_MOST_MS)
			v->interval_ms *= 2;
		break;
	case '-':
		if (v->interval_ms / 2 >= INTERVAL_LEAST_MS)
			v->interval_ms /= 2;
		break;
	}
	return true;
}

/* Handle all pending keys; false if the program is to end. */
static bool press_all(struct top *t)
{
	int key;

	while ((key = screen_key()) != SCREEN_NONE) {
		if (!press(t, key))
			return false;
		scroll(t, key);
	}
	return true;
}

static int interact(struct top *t)
{
	int code = EXIT_OK, ready, silent = 0;
	__u64 now, last = t->follow.now_ms;

	while (!stop_signal()) {
		draw(t);
		now = stop_now_ms();
		ready = 0;
		if (t->view.paused)
			ready = stop_wait(0, STOP_NEVER);
		else if (now < last + t->view.interval_ms)
			ready = stop_wait(0, last + t->view.interval_ms - now);
		/* A terminal that is gone stays readable and returns no data. */
		silent = ready > 0 ? silent + 1 : 0;
		if (silent > 1000)
			break;
		if (!press_all(t))
			break;
		now = stop_now_ms();
		if (t->view.paused || now < last + t->view.interval_ms)
			continue;
		last = now;
		silent = 0;
		code = sample(t);
		if (code)
			break;
		scroll(t, SCREEN_NONE);
	}
	return code;
}

static int full_screen(struct top *t)
{
	const char *why;
	int code = sample(t);

	if (code)
		return code;
	why = screen_open();
	if (why)
		return out_fail(EXIT_FAILED, "%s: set TERM, as to vt100, or use --once", why);
	code = interact(t);
	screen_close();
	return code;
}

static int top_run(struct cmd *c)
{
	struct top t = { .interval_ms = 1000 };
	int code;

	cmd_options(c, &t);
	cmd_done(c);
	read_words(c, &t);
	code = device_open(&t.d);
	if (code)
		return code;
	system_read(&t.system);
	t.view.page_size = t.d.info.page_size;
	t.view.kernel = t.system.kernel;
	t.view.machine = t.system.machine;
	t.view.cpus = t.system.cpus;
	follow_begin(&t.follow, t.interval_ms);
	stop_catch();
	if (t.once || out_is_json())
		code = stream(&t);
	else
		code = full_screen(&t);
	follow_free(&t.follow);
	system_free(&t.system);
	device_close(&t.d);
	return code;
}

static const struct opt top_opts[] = {
	{ "once", '1', OPT_FLAG, OPT_TARGET(struct top, once),
	  .help = "print one frame as text, after one interval, and end" },
	{ "interval", 'i', OPT_TIME, "TIME", OPT_TARGET(struct top, interval_ms),
	  .min = INTERVAL_LEAST_MS, .max = INTERVAL_MOST_MS, .otherwise = "1s",
	  .help = "time between two readings" },
	{ "count", 'n', OPT_NUMBER, "N", OPT_TARGET(struct top, count),
	  .min = 1, .max = 1u << 31, .otherwise = "until Ctrl-C",
	  .help = "with --json, end after N documents" },
	{ "sort", 's', OPT_STRING, "WORD", OPT_TARGET(struct top, sort), .otherwise = "size",
	  .help = "sort by size, live, rate, hit, growth, fails or name" },
	{ "reverse", 'r', OPT_FLAG, OPT_TARGET(struct top, reverse),
	  .help = "sort the other way round" },
	{ "filter", 'f', OPT_STRING, "GLOB", OPT_TARGET(struct top, filter),
	  .help = "show only rows whose name matches; without *, ? or [ a part of it is enough" },
	{ "kind", 'k', OPT_STRING, "KIND", OPT_TARGET(struct top, kind),
	  .help = "show only rows of a kind: cache, heap, arena, ring, pool, contract, "
		  "client, site, process or node" },
	{ NULL }
};

static const struct verb top_verbs[] = {
	{ "", top_run, "",
	  "show who holds memory and who allocates, at intervals (with -j, one JSON document each)",
	  top_opts, .form = follow_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object top_object = {
	"top", "the zone, caches, fronts and call sites, live, in the whole terminal", top_verbs, NULL
};
