// SPDX-License-Identifier: GPL-2.0
/*
 * contract: the cost of a contract, contracts that hold their pages, and a test of one
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/parse.h"
#include "host/mem.h"
#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/contract_words.h"
#include "obj/device.h"
#include "obj/front.h"
#include "obj/job.h"
#include "obj/objects.h"
#include "out/out.h"

#define POLL_MS		500	/* between two checks whether the contract still exists */
#define SILENCE_MS	10000	/* the module sends a record each second */
#define TEST_LINE	"pages:2048@0,9"

static const char *const kinds[] = { "pages", "extents", "objects" };

/* ---- plan ---- */

struct wish {
	struct myalloc_contract_make make;
	struct myalloc_line line[MYALLOC_LINES_MAX];
	struct myalloc_line_cost cost[MYALLOC_LINES_MAX];
	__u64 hold_ms;
};

static void read_lines(struct cmd *c, struct wish *w)
{
	const char *word, *wrong;

	while ((word = cmd_word(c))) {
		if (w->make.nr_lines == MYALLOC_LINES_MAX)
			cmd_usage(c, "a contract has at most %d lines", MYALLOC_LINES_MAX);
		wrong = contract_parse(word, &w->line[w->make.nr_lines]);
		cmd_check(c, "line", word, wrong);
		w->make.nr_lines++;
	}
	if (!w->make.nr_lines)
		cmd_usage(c, "missing lines: " LINE_WORDS);
}

static int call(struct device *d, struct wish *w, unsigned long command)
{
	w->make.size = sizeof(w->make);
	w->make.lines = (__u64)(unsigned long)w->line;
	w->make.costs = (__u64)(unsigned long)w->cost;
	return dev_call(d->fd, command, &w->make);
}

static int explain_make(const struct wish *w, const char *what, int err)
{
	if (*w->make.reason)
		return out_fail(EXIT_FAILED, "%s: %.*s", what, (int)sizeof(w->make.reason),
				w->make.reason);
	return explain(what, err);
}

static __u32 largest_order(const struct myalloc_line *line)
{
	__u32 k = 31;

	while (k && !(line->orders >> k & 1))
		k--;
	return k;
}

/* Append a way to state a line of extents that takes fewer pages: "24: @5,12". */
static void add_way(char *ways, size_t size, const struct myalloc_line_cost *cost, __u32 pages,
		    const char *way)
{
	size_t used = strlen(ways);

	if (pages && pages < cost->needed)
		snprintf(ways + used, size - used, "%s%u%s", used ? "; " : "", pages, way);
}

static void add_sizes(char *ways, size_t size, const struct myalloc_line_cost *cost, __u32 pages,
		      const struct myalloc_line *line)
{
	char word[512], way[520];

	contract_word(line, word, sizeof(word));
	snprintf(way, sizeof(way), ": %s", strchr(word, '@'));
	add_way(ways, size, cost, pages, way);
}

static char *cheaper_extents(const struct myalloc_line *line, const struct myalloc_line_cost *cost)
{
	struct myalloc_line ends = *line, fewer = *line;
	char ways[1200] = "";
	__u32 i, k;

	add_way(ways, sizeof(ways), cost, cost->apart, " at most: a line for each size");
	ends.nr_sizes = 2;
	ends.sizes[1] = line->sizes[0];
	fewer.nr_sizes = 0;
	for (i = 0; i < line->nr_sizes; i++) {
		__u32 pages = line->sizes[i];

		if (pages < ends.sizes[0])
			ends.sizes[0] = pages;
		if (pages > ends.sizes[1])
			ends.sizes[1] = pages;
		for (k = 0; 1u << k < pages; k++)
			;
		if (cost->fewer_orders >> k & 1)
			fewer.sizes[fewer.nr_sizes++] = pages;
	}
	add_sizes(ways, sizeof(ways), cost, cost->ends, &ends);
	if (cost->fewer != cost->ends)
		add_sizes(ways, sizeof(ways), cost, cost->fewer, &fewer);
	return xstrdup(*ways ? ways : "-");
}

/* The largest possible saving, as text for the table; "-" if there is none. */
static char *cheaper(const struct myalloc_line *line, const struct myalloc_line_cost *cost)
{
	char orders[64], lowest[16];
	__u32 low = 0;

	if (!cost->apart)
		return xstrdup("-");
	if (line->kind == MYALLOC_LINE_EXTENTS)
		return cheaper_extents(line, cost);
	while (!(line->orders >> low & 1))
		low++;
	snprintf(lowest, sizeof(lowest), "%u,%u", low, largest_order(line));
	if (!cost->fewer)
		return xasprintf("%u: a line for each order", cost->apart);
	contract_orders(cost->fewer_orders, orders, sizeof(orders));
	if (cost->ends == cost->fewer)
		return xasprintf("%u: a line for each order; %u: @%s", cost->apart, cost->fewer,
				 orders);
	return xasprintf("%u: a line for each order; %u: @%s; %u: @%s", cost->apart, cost->ends,
			 lowest, cost->fewer, orders);
}

static void put_line(struct out *o, const struct wish *w, __u32 i, __u32 page_size)
{
	const struct myalloc_line_cost *cost = &w->cost[i];
	const struct myalloc_line *line = &w->line[i];
	__u64 stated = line->kind == MYALLOC_LINE_OBJECTS ?
		       ((__u64)line->count * line->object_size + page_size - 1) / page_size :
		       line->pages;
	char word[512], *ways;

	contract_word(line, word, sizeof(word));
	ways = cheaper(line, cost);
	out_item(o);
	out_u64(o, "line", NULL, OUT_PLAIN, i);
	out_str(o, "kind", NULL, OUT_PLAIN, kinds[line->kind]);
	out_str(o, "stated", "line", OUT_PLAIN, word);
	out_u64(o, "stated_pages", NULL, OUT_PLAIN, stated);
	out_u64(o, "needed_pages", "needed", OUT_PLAIN, cost->needed);
	out_rank(o, OUT_KEY);
	out_u64(o, "set_aside_pages", "set aside", OUT_PLAIN, cost->set_aside);
	out_rank(o, OUT_KEY);
	out_ratio(o, "ratio", "ratio", cost->needed, stated);
	out_u64(o, "block_order", "in order", OUT_PLAIN, cost->order);
	out_u64(o, "blocks", "blocks", OUT_PLAIN, cost->blocks);
	out_u64(o, "held_objects", NULL, OUT_PLAIN, cost->held);
	out_u64(o, "slabs", NULL, OUT_PLAIN, cost->slabs);
	out_u64(o, "apart_pages", NULL, OUT_PLAIN, cost->apart);
	out_u64(o, "ends_pages", NULL, OUT_PLAIN, cost->ends);
	out_u64(o, "fewer_pages", NULL, OUT_PLAIN, cost->fewer);
	out_u64(o, "fewer_orders", NULL, OUT_PLAIN, cost->fewer_orders);
	out_str(o, "cheaper", "cheaper", OUT_PLAIN, ways);
	out_end(o);
	free(ways);
}

#define PLAN_FORM								\
	"lines:[{ line:uint kind:text stated:text stated_pages:uint needed_pages:uint "	\
	"set_aside_pages:uint ratio:number|null block_order:uint blocks:uint "		\
	"held_objects:uint slabs:uint apart_pages:uint ends_pages:uint "		\
	"fewer_pages:uint fewer_orders:uint cheaper:text }] "				\
	"sum:{ pages:uint largest_order:uint pages_short:uint blocks_short:uint "	\
	"short_order:uint verdict:'yes'|'no' }"

static void put_plan(struct out *o, const struct wish *w, const struct device *d)
{
	bool shorts = w->make.pages_short || w->make.blocks_short;
	__u32 i;

	out_list(o, "lines", "Lines, in pages");
	for (i = 0; i < w->make.nr_lines; i++)
		put_line(o, w, i, d->info.page_size);
	out_end(o);
	out_group(o, "sum", "All lines");
	out_u64(o, "pages", "set aside", OUT_PAGES, w->make.pages);
	out_u64(o, "largest_order", "largest block, order", OUT_PLAIN, w->make.largest_order);
	out_u64(o, "pages_short", "pages short", w->make.pages_short ? OUT_BAD : OUT_PLAIN,
		w->make.pages_short);
	out_u64(o, "blocks_short", "blocks short", w->make.blocks_short ? OUT_BAD : OUT_PLAIN,
		w->make.blocks_short);
	out_u64(o, "short_order", w->make.blocks_short ? "of order" : NULL, OUT_PLAIN,
		w->make.short_order);
	out_str(o, "verdict", "possible now", shorts ? OUT_BAD : OUT_GOOD, shorts ? "no" : "yes");
	out_end(o);
}

static int contract_plan(struct cmd *c)
{
	struct wish w = { 0 };
	struct device d;
	struct out *o;
	int code, err;

	read_lines(c, &w);
	code = device_open(&d);
	if (code)
		return code;
	err = call(&d, &w, MYALLOC_IOC_CONTRACT_PLAN);
	if (err) {
		code = explain_make(&w, "planning the contract", err);
	} else {
		o = out_new("contract plan");
		out_page_size(o, d.info.page_size);
		put_plan(o, &w, &d);
		code = out_finish(o, EXIT_OK);
	}
	device_close(&d);
	return code;
}

/* ---- list, show ---- */

static int read_line(const struct device *d, __u32 how, __u64 id, struct myalloc_contract_stat *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->how = how;
	s->id = id;
	return dev_call(d->fd, MYALLOC_IOC_CONTRACT_STAT, s);
}

static const char *kind_of(const struct myalloc_contract_stat *s)
{
	return s->kind < ARRAY_SIZE(kinds) ? kinds[s->kind] : "unknown";
}

static const char *const shown[] = {
	"failed_within", "live", "declared", "set_aside", "beyond", "highest_end", "peak",
	"refills", NULL
};

static void row(struct out *o, const void *stat)
{
	out_str(o, "kind_name", "kind", OUT_PLAIN, kind_of(stat));
}

static const struct front contracts = {
	.kind = &figures_kinds[FIGURES_CONTRACT], .one = "a contract", .title = "Contract",
	.shown = shown, .row = row,
};

static int contract_list(struct cmd *c)
{
	return front_list(c, &contracts);
}

/* The name of a line is the name of its contract, a dot, and its number. */
static bool is_line_of(const struct myalloc_contract_stat *s, const char *name)
{
	size_t length = strlen(name);

	return length < sizeof(s->name) && !strncmp(s->name, name, length) &&
	       s->name[length] == '.' && !memchr(s->name + length + 1, '.',
						 sizeof(s->name) - length - 1);
}

/* The first line of a contract. */
static int find(const struct device *d, const char *name, struct myalloc_contract_stat *s)
{
	__u64 id = 0;
	int err;

	while (!(err = read_line(d, MYALLOC_NEXT_ID, id, s)) && !is_line_of(s, name))
		id = s->id + 1;
	return err;
}

static const char show_form[] =
	"lines:[{ name:text kind_name:text @contract.TRAIT @contract.SPACE "
	"used_permille?:uint @contract.USE }] "
	"sites:[{ line:uint count:uint caller:text|null }]";

static void put_stat(struct out *o, const struct myalloc_contract_stat *s)
{
	out_item(o);
	out_strn(o, "name", "line", OUT_PLAIN, s->name, sizeof(s->name));
	out_str(o, "kind_name", "kind", OUT_PLAIN, kind_of(s));
	stats_put_kind(o, contract_fields, STAT_TRAIT, s);
	stats_put_kind(o, contract_fields, STAT_SPACE, s);
	if (s->kind != MYALLOC_LINE_OBJECTS)
		out_u64(o, "used_permille", "share ever used", OUT_PERMILLE,
			permille(s->highest_end, s->needed));
	stats_put_kind(o, contract_fields, STAT_USE, s);
	out_end(o);
}

static void put_site(struct out *o, __u64 line, const struct myalloc_beyond_site *site)
{
	out_item(o);
	out_u64(o, "line", "line", OUT_PLAIN, line % MYALLOC_LINES_MAX);
	out_u64(o, "count", "requests", OUT_PLAIN, site->count);
	out_rank(o, OUT_KEY);
	if (*site->caller)
		out_strn(o, "caller", "call site", OUT_PLAIN, site->caller, sizeof(site->caller));
	else
		out_null(o, "caller", "call site");
	out_rank(o, OUT_KEY);
	out_end(o);
}

/* List the call sites of requests beyond some lines; a line that has ended meanwhile has none. */
static int put_sites(const struct device *d, struct out *o, __u64 line, __u64 last)
{
	struct myalloc_contract_sites arg;
	int err = 0;
	__u32 i;

	out_list(o, "sites", "Requests beyond, by call site");
	for (; line <= last && !err; line++) {
		memset(&arg, 0, sizeof(arg));
		arg.size = sizeof(arg);
		arg.id = line;
		err = dev_call(d->fd, MYALLOC_IOC_CONTRACT_SITES, &arg);
		for (i = 0; !err && i < arg.nr && i < MYALLOC_BEYOND_SITES_MAX; i++)
			put_site(o, line, &arg.site[i]);
		if (err == -ENOENT)
			err = 0;
	}
	out_end(o);
	return err;
}

static int explain_find(const char *name, int err)
{
	if (err == -ENOENT)
		return out_fail(EXIT_FAILED, "no contract '%s'; 'myallocctl contract list' shows all",
				name);
	return explain("reading the statistics", err);
}

static const char *read_name(struct cmd *c)
{
	const char *name = cmd_word(c);

	if (!name)
		cmd_usage(c, "missing name of a contract; 'myallocctl contract list' shows them");
	cmd_done(c);
	return name;
}

static int show_all(const struct device *d, struct out *o, struct myalloc_contract_stat *s)
{
	__u64 first = s->id, last;

	out_cards(o, "lines", "");
	do {
		last = s->id;
		put_stat(o, s);
	} while (!read_line(d, MYALLOC_NEXT_ID, last + 1, s) &&
		 s->id / MYALLOC_LINES_MAX == first / MYALLOC_LINES_MAX);
	out_end(o);
	return put_sites(d, o, first, last);
}

static int contract_show(struct cmd *c)
{
	const char *name = read_name(c);
	struct myalloc_contract_stat s;
	struct device d;
	struct out *o;
	int code, err;

	code = device_open(&d);
	if (code)
		return code;
	err = find(&d, name, &s);
	if (err) {
		code = explain_find(name, err);
	} else {
		o = out_new("contract show");
		out_page_size(o, d.info.page_size);
		err = show_all(&d, o, &s);
		if (err)
			code = explain("listing requests beyond", err);
		code = out_finish(o, code);
	}
	device_close(&d);
	return code;
}

/* ---- create, end ---- */

static void read_create(struct cmd *c, struct wish *w)
{
	char *word;

	cmd_options(c, w);
	word = cmd_word(c);
	if (!word || strchr(word, ':'))
		cmd_usage(c, "missing name of the contract, before its lines");
	if (strlen(word) > 25)
		cmd_usage(c, "name '%s': has %zu characters, but at most 25 are possible", word,
			  strlen(word));
	strcpy(w->make.name, word);
	read_lines(c, w);
}

/* Wait until the time is over, a signal arrives, or another process has ended the contract. */
static int hold_contract(const struct device *d, const struct wish *w)
{
	__u64 end = w->hold_ms == STOP_NEVER ? STOP_NEVER : stop_now_ms() + w->hold_ms;
	struct myalloc_contract_stat s;

	if (w->hold_ms)
		out_note("holding contract '%s', %u page%s; Ctrl-C or 'myallocctl contract end %s' ends it",
			 w->make.name, w->make.pages, out_s(w->make.pages), w->make.name);
	while (stop_now_ms() < end && !stop_signal()) {
		if (read_line(d, MYALLOC_BY_ID, w->make.id * MYALLOC_LINES_MAX, &s))
			return EXIT_OK;
		stop_wait(-1, end - stop_now_ms() < POLL_MS ? end - stop_now_ms() : POLL_MS);
	}
	return stop_signal() && w->hold_ms != STOP_NEVER ? 128 + stop_signal() : EXIT_OK;
}

static int create_and_hold(struct device *d, struct wish *w)
{
	struct myalloc_contract_finish finish = { 0 };
	struct out *o;
	int code, err = call(d, w, MYALLOC_IOC_CONTRACT_CREATE);

	if (err)
		return explain_make(w, "creating the contract", err);
	code = hold_contract(d, w);
	finish.handle = w->make.handle;
	err = dev_call(d->fd, MYALLOC_IOC_CONTRACT_END, &finish);
	if (err && err != -ENOENT)
		code = explain("ending the contract", err);
	o = out_new("contract create");
	out_page_size(o, d->info.page_size);
	out_group(o, "contract", "Contract");
	out_str(o, "name", "name", OUT_PLAIN, w->make.name);
	out_u64(o, "id", "id", OUT_PLAIN, w->make.id);
	out_bool(o, "ended_by_other", "ended by somebody else", OUT_PLAIN, err == -ENOENT);
	out_end(o);
	put_plan(o, w, d);
	return out_finish(o, code);
}

static const char create_form[] =
	"contract:{ name:text id:uint ended_by_other:bool } " PLAN_FORM;

static int contract_create(struct cmd *c)
{
	struct wish w = { 0 };
	struct device d;
	int code;

	read_create(c, &w);
	code = device_open(&d);
	if (code)
		return code;
	stop_catch();
	code = create_and_hold(&d, &w);
	device_close(&d);
	return code;
}

static int contract_end(struct cmd *c)
{
	const char *name = read_name(c);
	struct myalloc_contract_finish finish = { 0 };
	struct myalloc_contract_stat s;
	struct device d;
	struct out *o;
	int code, err;

	code = device_open(&d);
	if (code)
		return code;
	err = find(&d, name, &s);
	finish.id = s.id / MYALLOC_LINES_MAX;
	if (!err)
		err = dev_call(d.fd, MYALLOC_IOC_CONTRACT_END, &finish);
	device_close(&d);
	if (err == -EPERM)
		return out_fail(EXIT_FAILED, "contract '%s' belongs to a module, which ends it itself",
				name);
	if (err == -EBUSY)
		return out_fail(EXIT_FAILED, "contract '%s' has pages that are lent to the kernel: try again later; or it is damaged, and the kernel's log says so",
				name);
	if (err)
		return explain_find(name, err);
	o = out_new("contract end");
	out_str(o, "name", "ended", OUT_PLAIN, name);
	return out_finish(o, EXIT_OK);
}

/* ---- test ---- */

struct test_wish {
	struct myalloc_contract_test test;
	char *adversary_word;
	char *others_word;
	const char *adversary;
	__u32 threads;
	__u32 pages_less;
	__u64 total;
};

/* The number of a word, 0 if none was given. */
static __u32 pick(const char *what, const char *word, const char *const *right, __u32 nr)
{
	__u32 i;

	for (i = 0; word && i < nr && strcmp(word, right[i]); i++)
		;
	if (i == nr)
		cmd_wrong_word(what, word, right, nr);
	return i;
}

static void read_test(struct cmd *c, struct test_wish *w)
{
	static const char *const adversaries[] = { "robson", "random" }, *const others[] = {
		"greedy", "none" };
	struct myalloc_line line;
	const char *word;

	cmd_options(c, w);
	w->test.adversary = pick("adversary", w->adversary_word, adversaries, 2);
	w->adversary = adversaries[w->test.adversary];
	w->test.others = pick("word for others", w->others_word, others, 2) ? 0 : w->threads;
	w->test.flags = w->pages_less ? MYALLOC_CONTRACT_IS_SHORT : 0;
	word = cmd_word(c);
	cmd_check(c, "line", word ? word : TEST_LINE,
		  contract_parse(word ? word : TEST_LINE, &line));
	cmd_done(c);
	if (line.kind != MYALLOC_LINE_PAGES || line.nmi)
		cmd_usage(c, "line '%s': a test is of pages, as " TEST_LINE, word);
	if (line.pages > MYALLOC_CONTRACT_TEST_PAGES_MAX)
		cmd_usage(c, "line '%s': a test has at most %u pages", word,
			  MYALLOC_CONTRACT_TEST_PAGES_MAX);
	w->test.pages = line.pages;
	w->test.orders = line.orders;
	w->test.size = sizeof(w->test);
}

static void show(const struct myalloc_contract_progress *p)
{
	__u64 part = p->total ? (__u64)((double)p->requests * 1000 / p->total) : 0;
	__u64 used = permille(p->highest_end, p->set_aside);

	out_progress(part > 1000 ? 1000 : part,
		     "%llu.%llu s  requests %llu  failures %llu  highest end %llu of %llu (%llu.%llu %%)  others hold %llu, failed %llu",
		     (unsigned long long)p->elapsed_ms / 1000,
		     (unsigned long long)p->elapsed_ms % 1000 / 100,
		     (unsigned long long)p->requests, (unsigned long long)p->failures,
		     (unsigned long long)p->highest_end, (unsigned long long)p->set_aside,
		     (unsigned long long)used / 10, (unsigned long long)used % 10,
		     (unsigned long long)p->others_pages, (unsigned long long)p->others_fails);
}

static int read_record(struct device *d, void *unused)
{
	struct myalloc_contract_progress p;
	int n = dev_read_contract(d->fd, &p);

	(void)unused;
	if (n == -EAGAIN || n == -EINTR)
		return 1;
	if (n <= 0)
		return n;
	show(&p);
	return p.state == MYALLOC_STRESS_RUNNING;
}

static const char test_form[] =
	"^seed:uint adversary:text state:text elapsed_ms:uint declared_pages:uint needed_pages:uint "
	"pages_less:uint set_aside_pages:uint highest_end_pages:uint used_permille:uint "
	"peak_pages:uint others_peak_pages:uint others_fails:uint requests:uint failures:uint "
	"failed_within:uint " FRONT_VERDICT;

static int put_result(const struct device *d, const struct test_wish *w,
		      const struct myalloc_contract_test_result *r)
{
	bool good = !r->failures && !r->errors && !r->failed_within;
	struct out *o = out_new("contract test");

	out_page_size(o, d->info.page_size);
	out_seed(o, r->seed);
	out_str(o, "adversary", "adversary", OUT_PLAIN, w->adversary);
	out_str(o, "state", "state", OUT_PLAIN,
		r->state == MYALLOC_STRESS_DONE ? "done" : "cancelled");
	out_u64(o, "elapsed_ms", "time", OUT_MS, r->elapsed_ms);
	out_u64(o, "declared_pages", "live at most", OUT_PAGES, r->declared);
	out_u64(o, "needed_pages", "needed", OUT_PAGES, r->needed);
	out_u64(o, "pages_less", "taken away for the test", OUT_PLAIN, w->pages_less);
	out_u64(o, "set_aside_pages", "set aside", OUT_PAGES, r->set_aside);
	out_u64(o, "highest_end_pages", "highest end", OUT_PAGES, r->highest_end);
	out_u64(o, "used_permille", "share ever used", OUT_PERMILLE,
		permille(r->highest_end, r->needed));
	out_u64(o, "peak_pages", "most pages live", OUT_PAGES, r->peak);
	out_u64(o, "others_peak_pages", "others held at most", OUT_PAGES, r->others_peak);
	out_u64(o, "others_fails", "requests of others that failed", OUT_PLAIN, r->others_fails);
	out_u64(o, "requests", "requests", OUT_PLAIN, r->requests);
	out_u64(o, "failures", "failures", r->failures ? OUT_BAD : OUT_PLAIN, r->failures);
	out_u64(o, "failed_within", NULL, OUT_PLAIN, r->failed_within);
	out_u64(o, "errors", "errors", r->errors ? OUT_BAD : OUT_PLAIN, r->errors);
	if (good)
		out_null(o, "first", NULL);
	else
		out_strn(o, "first", "first", OUT_BAD, r->first, sizeof(r->first));
	out_str(o, "verdict", "verdict", good ? OUT_GOOD : OUT_BAD, good ? "ok" : "failed");
	return out_finish(o, good ? EXIT_OK : EXIT_FAILED);
}

static int explain_test(const struct test_wish *w, int err)
{
	if (err == -ENOSPC)
		return out_fail(EXIT_FAILED, "the zone has too little for this contract: 'myallocctl contract plan' says how much is short");
	if (err == -EINVAL)
		return out_fail(EXIT_FAILED, "the module refuses %u pages in orders 0x%x: a line has room for its largest block, and no order above that of a chunk",
				w->test.pages, w->test.orders);
	return explain("starting the test", err);
}

static int contract_test(struct cmd *c)
{
	struct test_wish w = { .threads = 2, .test.requests = 100000 };
	struct myalloc_contract_test_result r = { .size = sizeof(r) };
	struct device d;
	int code, err;

	read_test(c, &w);
	code = device_open(&d);
	if (code)
		return code;
	stop_catch();
	err = dev_call(d.fd, MYALLOC_IOC_CONTRACT_TEST, &w.test);
	code = err ? explain_test(&w, err) :
		     job_follow(&d, MYALLOC_IOC_CONTRACT_CANCEL, SILENCE_MS, read_record, NULL);
	if (!code) {
		err = dev_call(d.fd, MYALLOC_IOC_CONTRACT_TESTED, &r);
		code = err ? explain("reading the result", err) : put_result(&d, &w, &r);
	}
	device_close(&d);
	return code ? code : stop_signal() ? 128 + stop_signal() : EXIT_OK;
}

/* ---- words ---- */

#define WISH(member)	OPT_TARGET(struct wish, member)
#define TEST(member)	OPT_TARGET(struct test_wish, member)

static const struct opt create_opts[] = {
	{ "hold", 0, OPT_HOLD, "TIME", WISH(hold_ms), .otherwise = "0s",
	  .help = "keep the contract for this time, or forever" },
	{ "best-effort", 0, OPT_FLAG, WISH(make.flags), .bits = MYALLOC_CONTRACT_IS_BEST_EFFORT,
	  .help = "serve requests for pages beyond it if the zone has some" },
	{ NULL }
};

static const struct opt test_opts[] = {
	{ "adversary", 0, OPT_STRING, "WHO", TEST(adversary_word), .otherwise = "robson",
	  .help = "robson: the worst order of requests that there is; random" },
	{ "others", 0, OPT_STRING, "HOW", TEST(others_word), .otherwise = "greedy",
	  .help = "greedy: other threads take all that the zone has left; none" },
	{ "threads", 0, OPT_NUMBER, "N", TEST(threads), .min = 1,
	  .max = MYALLOC_CONTRACT_TEST_OTHERS_MAX, .otherwise = "2",
	  .help = "number of greedy threads" },
	{ "requests", 0, OPT_NUMBER, "N", TEST(test.requests), .min = 1,
	  .max = MYALLOC_CONTRACT_TEST_REQUESTS_MAX, .otherwise = "100000",
	  .help = "end with the attack that reaches this number" },
	{ "seed", 0, OPT_NUMBER, "N", TEST(test.seed), .otherwise = "a new one",
	  .help = "repeat the choices of a run" },
	{ "short", 0, OPT_NUMBER, "N", TEST(pages_less), .max = 1, .otherwise = "0",
	  .help = "1: with one page less than the plan says; the adversary robson must fail" },
	{ NULL }
};

static const struct verb contract_verbs[] = {
	{ "plan", contract_plan, "LINE...",
	  "what a contract costs, what is short, and cheaper ways to state it", NULL,
	  .form = PLAN_FORM },
	{ "create", contract_create, "NAME LINE...", "make a contract and hold it", create_opts,
	  .form = create_form },
	{ "list", contract_list, "", "list the lines of every contract", NULL,
	  .form = FRONT_LIST("contracts", "contract", "kind_name:text") },
	{ "show", contract_show, "NAME", "show one contract in full", NULL, .form = show_form },
	{ "end", contract_end, "NAME", "end a contract that a program holds", NULL,
	  .form = "name:text" },
	{ "test", contract_test, "[LINE]",
	  "attack a contract while others take the rest of the zone; exit 1 on any failure",
	  test_opts, .form = test_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object contract_object = {
	"contract", "memory stated beforehand, within which no request fails", contract_verbs, "list"
};
