// SPDX-License-Identifier: GPL-2.0
/*
 * fake_contract: contracts of the fake device: a line costs twice what it states, "frob" exists
 *
 * frob has the number 3 and two lines. "short" pages are short; a contract of more than 9999 pages is
 * refused with a reason.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "host/mem.h"

#define FROB	3

static bool ended, made;
static struct myalloc_contract_test asked;

int fake_contract_make(struct myalloc_contract_make *m, bool create)
{
	const struct myalloc_line *line = (void *)(unsigned long)m->lines;
	struct myalloc_line_cost *cost = (void *)(unsigned long)m->costs;
	char text[160];
	__u32 i;

	if (m->size != sizeof(*m) || !m->nr_lines || m->nr_lines > MYALLOC_LINES_MAX)
		return -EINVAL;
	m->pages = 0;
	for (i = 0; i < m->nr_lines; i++) {
		snprintf(text, sizeof(text), "kind=%u pages=%u orders=%x sizes=%u,%u/%u count=%u size=%u nmi=%u",
			 line[i].kind, line[i].pages, line[i].orders, line[i].sizes[0],
			 line[i].sizes[1], line[i].nr_sizes, line[i].count, line[i].object_size,
			 line[i].nmi);
		fake_log("LINE", text);
		memset(&cost[i], 0, sizeof(cost[i]));
		cost[i].needed = 2 * (line[i].pages + line[i].count / 10);
		cost[i].set_aside = cost[i].needed;
		cost[i].blocks = cost[i].needed;
		if (line[i].orders & (line[i].orders - 1)) {
			cost[i].apart = line[i].pages;
			cost[i].fewer = line[i].orders == 0xb ? line[i].pages + 7 : 0;
			cost[i].ends = line[i].orders == 0xb ? line[i].pages + 9 : 0;
			cost[i].fewer_orders = 3;
		}
		if (line[i].nr_sizes > 1)
			cost[i].apart = line[i].pages + 3;
		if (line[i].nr_sizes > 2) {
			cost[i].ends = line[i].pages + 8;
			cost[i].fewer = line[i].pages + 5;
			cost[i].fewer_orders = 0x14;	/* 3 and 4, 9 to 16 */
		}
		m->pages += cost[i].needed;
	}
	m->pages_short = SET(short);
	if (!create)
		return 0;
	if (m->pages > 9999 || m->pages_short) {
		strcpy(m->reason, "it takes too many pages");
		return -ENOSPC;
	}
	m->handle = 77;
	m->id = 4;
	made = true;
	return 0;
}

int fake_contract_end(const struct myalloc_contract_finish *f)
{
	if (f->handle)
		return f->handle == 77 && made ? 0 : -ENOENT;
	if (f->id != FROB || ended)
		return -ENOENT;
	ended = true;
	return 0;
}

int fake_contract_stat(struct myalloc_contract_stat *s)
{
	__u64 first = FROB * MYALLOC_LINES_MAX;

	if (s->size != sizeof(*s))
		return -EINVAL;
	if (s->how == MYALLOC_BY_ID && made && s->id == 4 * MYALLOC_LINES_MAX)
		return 0;
	if (s->how != MYALLOC_NEXT_ID || !SET(contracts) || ended || s->id > first + 1)
		return -ENOENT;
	s->id = s->id > first ? s->id : first;
	snprintf(s->name, sizeof(s->name), "frob.%u", (unsigned int)(s->id - first));
	s->kind = s->id == first ? MYALLOC_LINE_PAGES : MYALLOC_LINE_OBJECTS;
	s->declared = 100;
	s->needed = 200;
	s->set_aside = 200;
	s->live = 10;
	s->peak = 50;
	s->highest_end = 150;
	s->beyond = 4;
	s->failed_within = s->id == first ? SET(failed_within) : 0;
	return 0;
}

/* The first line has two call sites and others. */
int fake_contract_sites(struct myalloc_contract_sites *s)
{
	__u64 first = FROB * MYALLOC_LINES_MAX;

	if (s->size != sizeof(*s))
		return -EINVAL;
	if (!SET(contracts) || ended || s->id < first || s->id > first + 1)
		return -ENOENT;
	s->nr = s->id == first ? 2 : 0;
	if (!s->nr)
		return 0;
	strcpy(s->site[0].caller, "greedy+0x10/0x20 [frob]");
	s->site[0].count = 3;
	s->site[1].count = 1;
	return 0;
}

int fake_contract_test(struct myalloc_contract_test *t)
{
	char text[160];

	snprintf(text, sizeof(text), "adversary=%u requests=%llu pages=%u orders=%x others=%u flags=%u seed=%llu",
		 t->adversary, (unsigned long long)t->requests, t->pages, t->orders, t->others,
		 t->flags, (unsigned long long)t->seed);
	fake_log("ASKED", text);
	if (t->size != sizeof(*t))
		return -EINVAL;
	asked = *t;
	t->id = 1;
	fake_run.started = true;
	return 0;
}

int fake_contract_tested(struct myalloc_contract_test_result *r)
{
	if (r->size != sizeof(*r))
		return -EINVAL;
	r->state = fake_run.cancelled ? MYALLOC_STRESS_CANCELLED : MYALLOC_STRESS_DONE;
	r->seed = asked.seed ? asked.seed : 99;
	r->requests = asked.requests;
	r->declared = asked.pages;
	r->needed = 2 * asked.pages;
	r->set_aside = 2 * asked.pages;
	r->highest_end = asked.pages;
	r->failures = SET(failures);
	r->failed_within = SET(failures);
	if (r->failures)
		strcpy(r->first, "request 7 failed");
	return 0;
}

int dev_read_contract(int fd, struct myalloc_contract_progress *p)
{
	int err = fake_called("READ", "");

	if (fd != FAKE_FD)
		return -EBADF;
	if (err)
		return err;
	if (fake_run.read >= SET(records))
		return 0;
	memset(p, 0, sizeof(*p));
	p->id = 1;
	p->total = asked.requests;
	p->requests = asked.requests * ++fake_run.read / SET(records);
	p->elapsed_ms = fake_run.read * 1000;
	p->set_aside = 2 * asked.pages;
	p->highest_end = asked.pages;
	p->state = fake_next_state();
	return 1;
}
