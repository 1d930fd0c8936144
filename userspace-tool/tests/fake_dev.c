// SPDX-License-Identifier: GPL-2.0
/*
 * fake_dev: a device that keeps count, obeys the rules of the interface and
 * fails when its script says so; it stands in for dev.c in the tests
 *
 * $FAKE_DEV names the script. A line is a word and its values:
 *
 *	set NAME N		a figure: see the table of settings below
 *	first TEXT		the first finding of VALIDATE, the first error of a run
 *	fail CALL N ERRNO	the Nth call of that name (1 is the first) fails
 *	signal CALL N SIG	at the Nth call of that name the signal comes
 *
 * Calls are OPEN, WAIT, READ and the commands as in MYALLOC_IOC_*. What was
 * called is appended to $FAKE_LOG, one line each; CLOSE says what was held.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "host/mem.h"
#include "host/stop.h"

#define RULES_MAX	32
#define CACHES_MAX	8
#define HELD_MAX	(1u << 16)

struct rule {
	bool fail;
	char call[32];
	int nth;
	int value;
};

struct held {
	__u64 handle;
	__u32 pages;		/* 0: an object */
	int cache;
};

struct cache {
	bool exists;
	bool own;
	__u64 handle;
	struct myalloc_cache_stat stat;
};

static struct {
	struct rule rule[RULES_MAX];
	int nr_rules;
	char first[160];

	struct held held[HELD_MAX];
	size_t nr_held;
	__u64 next_handle;
	__u64 held_pages;
	struct cache cache[CACHES_MAX];

	struct myalloc_stress stress;
} fake;

struct fake_run fake_run;

/* Settings, with what they are if the script does not say. */
static struct {
	const char *name;
	__s64 value;
} settings[] = {
	{ "pages", 16384 }, { "max_order", 10 }, { "stale", 0 }, { "apart", 0 }, { "free_mapped", 0 }, { "cpus", 4 },
	{ "cached", 12 }, { "lost", 0 }, { "caches", 2 }, { "checks", 0 },
	{ "node", -1 }, { "errors", 0 }, { "bad_frees", 0 },
	{ "corruptions", 0 }, { "records", 3 }, { "verify_errors", 0 },
	{ "free_errors", 0 }, { "validate_errors", 0 }, { "unbalanced", 0 },
	{ "shared", 0 }, { "idle", 0 }, { "silent", 0 }, { "older", 0 },
	{ "arenas", 2 }, { "arena_errors", 0 },
	{ "contracts", 1 }, { "failed_within", 0 }, { "short", 0 }, { "failures", 0 },
	{ "heaps", 1 }, { "heap_errors", 0 },
	{ "debug_kernel", 0 }, { "unprepared", 0 }, { "fails", 0 }, { "cost", 0 },
	{ "rings", 1 }, { "ring_errors", 0 }, { "pools", 1 }, { "pool_errors", 0 },
	{ "clients", 1 }, { "gone", 0 }, { "busy", 0 },
	{ "misses", 0 },
	{ "bad_page", 0 }, { "nodes", 0 }, { "wrong_zone", -1 }, { "holes", 0 }, { "untracked", 0 },
	{ "granule", 512 }, { "large", -1 },
	{ "ring_shared", 1 }, { "ring_records", 3 }, { "ring_busy", 0 }, { "ring_spoil", 0 },
	{ "ring_silent", 0 }, { "ring_later", 0 }, { "ring_writable", 0 },
};

__s64 *fake_setting(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i].value;
	fprintf(stderr, "fake_dev: no setting '%s'\n", name);
	abort();
}

static int number_of(const char *word)
{
	static const struct {
		const char *name;
		int value;
	} names[] = {
		{ "ENOENT", ENOENT }, { "ENODEV", ENODEV }, { "ENXIO", ENXIO },
		{ "EACCES", EACCES }, { "EPERM", EPERM }, { "EBUSY", EBUSY },
		{ "ENOTTY", ENOTTY }, { "EINVAL", EINVAL }, { "ENOMEM", ENOMEM },
		{ "EFAULT", EFAULT }, { "E2BIG", E2BIG }, { "ENOSPC", ENOSPC },
		{ "EEXIST", EEXIST }, { "ENOTUNIQ", ENOTUNIQ }, { "EINTR", EINTR }, { "EIO", EIO },
		{ "EAGAIN", EAGAIN }, { "EOPNOTSUPP", EOPNOTSUPP }, { "INT", SIGINT }, { "TERM", SIGTERM },
		{ "HUP", SIGHUP },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i].name, word))
			return names[i].value;
	fprintf(stderr, "fake_dev: no number '%s'\n", word);
	abort();
}

static void read_line(char *line)
{
	char call[32], word[32];
	struct rule *r;
	long long value;
	int nth;

	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "set %31s %lld", word, &value) == 2) {
		*fake_setting(word) = value;
	} else if (!strncmp(line, "first ", 6)) {
		snprintf(fake.first, sizeof(fake.first), "%.*s",
			 (int)sizeof(fake.first) - 1, line + 6);
	} else if (sscanf(line, "%*s %31s %d %31s", call, &nth, word) == 3) {
		r = &fake.rule[fake.nr_rules++];
		r->fail = !strncmp(line, "fail ", 5);
		strcpy(r->call, call);
		r->nth = nth;
		r->value = number_of(word);
	} else if (*line) {
		fprintf(stderr, "fake_dev: what is '%s'?\n", line);
		abort();
	}
}

static void read_script(void)
{
	const char *path = getenv("FAKE_DEV");
	FILE *file = path ? fopen(path, "re") : NULL;
	char line[256];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		read_line(line);
	fclose(file);
}

void fake_log(const char *call, const char *more)
{
	const char *path = getenv("FAKE_LOG");
	FILE *file = path ? fopen(path, "ae") : NULL;

	if (!file)
		return;
	fprintf(file, "%s%s%s\n", call, *more ? " " : "", more);
	fclose(file);
}

/* Counts the call down in every rule on it: what the script wants of it. */
static int rules(const char *call)
{
	int i, err = 0;

	for (i = 0; i < fake.nr_rules; i++) {
		if (strcmp(fake.rule[i].call, call) || --fake.rule[i].nth)
			continue;
		if (fake.rule[i].fail)
			err = -fake.rule[i].value;
		else
			raise(fake.rule[i].value);
	}
	return err;
}

int fake_called(const char *call, const char *more)
{
	fake_log(call, more);
	return rules(call);
}

/* ---- information ---- */

static __u64 held_slabs(void)
{
	__u64 pages = 0;
	int i;

	for (i = 0; i < CACHES_MAX; i++)
		if (fake.cache[i].exists)
			pages += fake.cache[i].stat.slabs <<
				 fake.cache[i].stat.order;
	return pages;
}

static int do_info(struct myalloc_info *info)
{
	if (info->size != sizeof(*info) || info->reserved)
		return -EINVAL;
	info->page_size = 4096;
	info->chunk_order = SET(max_order) < 10 ? SET(max_order) : 10;
	info->max_order = SET(max_order);
	info->nr_pages = SET(pages);
	info->nr_chunks = info->nr_pages >> info->max_order;
	info->node = SET(node);
	info->checks = SET(checks);
	info->meta_bytes = info->nr_pages * 16;
	info->nr_cpus = SET(cpus);
	info->last_phys = 0x100000000 + info->nr_pages * info->page_size - 1;
	return 0;
}

static __u32 node_used;		/* among the nodes, from 0 */

/* Is something wrong in this zone? In all, unless the script names one by its number from 0. */
static bool wrong_here(void)
{
	return SET(wrong_zone) < 0 || SET(wrong_zone) == node_used;
}

static int do_stat(struct myalloc_stat *s)
{
	static int looks;
	int i;

	if (s->size != sizeof(*s) || s->reserved)
		return -EINVAL;
	s->max_order = SET(max_order);
	s->nr_pages = SET(pages);
	s->cached_pages = SET(cached) + 4 * node_used;
	s->page_pages = fake.held_pages;
	s->slab_pages = held_slabs();
	s->free_pages = s->nr_pages - s->cached_pages - s->page_pages -
			s->slab_pages - SET(lost);
	for (i = 0; i <= (int)s->max_order; i++) {
		s->free_blocks[i] = s->free_pages >> i & 1;
		s->extfrag[i] = -1000;
		s->unusable[i] = i * 10;
		s->page_allocs[i] = 100 >> i;
		s->page_frees[i] = 100 >> i;
		s->page_hits[i] = 50 >> i;
	}
	/* At each look 4000 allocations more, and one hit less. */
	if (SET(misses)) {
		s->page_allocs[0] += 4000 * ++looks;
		s->page_hits[0] -= looks;
	}
	s->free_blocks[s->max_order] = s->free_pages >> s->max_order;
	s->largest_order = s->free_blocks[s->max_order] ? (int)s->max_order : 3;
	s->bad_frees = wrong_here() ? SET(bad_frees) : 0;
	s->corruptions = wrong_here() ? SET(corruptions) : 0;
	s->peak_pages = s->nr_pages / 2;
	s->nr_caches = SET(caches);
	return 0;
}

/* ---- looking at memory ---- */

/* With holes there are as many again behind its pages. */
static __u64 fake_frames(void)
{
	return (__u64)SET(pages) << !!SET(holes);
}

/* Free but for a block of pages at 4, slabs at 8 to 15, a cached page at 3, a bad one at 1023. */
static __u32 fake_kind(__u64 page)
{
	if (page == 3)
		return MYALLOC_IS_CACHED;
	if (page >= 4 && page < 8)
		return MYALLOC_IS_PAGES;
	if (page >= 8 && page < 16)
		return MYALLOC_IS_SLAB;
	if (page >= (__u64)SET(pages))
		return MYALLOC_IS_HOLE;
	return page == 1023 && SET(bad_page) ? MYALLOC_IS_BAD : MYALLOC_IS_FREE;
}

static int do_cells(struct myalloc_cells *a)
{
	struct myalloc_cell *cells = (void *)(unsigned long)a->cells;
	__u64 page = a->first, nr = fake_frames(), i;
	char text[96];

	snprintf(text, sizeof(text), "first=%llu pages=%llu count=%u",
		 (unsigned long long)a->first, (unsigned long long)a->pages, a->count);
	fake_log("ASKED", text);
	if (page >= nr || !a->pages || !a->count || a->count > MYALLOC_CELLS_MAX)
		return -EINVAL;
	for (a->done = 0; a->done < a->count && page < nr; a->done++) {
		struct myalloc_cell *cell = &cells[a->done];

		memset(cell, 0, sizeof(*cell));
		for (i = 0; i < a->pages && page < nr; i++, page++) {
			cell->pages[fake_kind(page)]++;
			if (fake_kind(page) == MYALLOC_IS_SLAB)
				cell->filled += page < 12 ? 250 : 1000;
			if (fake_kind(page) == MYALLOC_IS_FREE && cell->largest < 11)
				cell->largest = page < 16 ? 1 : page < 64 ? 5 : 11;
		}
	}
	return 0;
}

static int do_look(struct myalloc_look *l)
{
	static const char stack[] = "  alloc+0x1/0x2 [web]\n  serve+0x10/0x20 [web]\n";
	__u64 page = l->key;
	char text[96];

	snprintf(text, sizeof(text), "how=%u key=%llu pid=%u slot=%u", l->how,
		 (unsigned long long)l->key, l->pid, l->slot);
	fake_log("ASKED", text);
	if (l->size != sizeof(*l) || l->how > MYALLOC_LOOK_HANDLE)
		return -EINVAL;
	if (l->how == MYALLOC_LOOK_HANDLE) {
		if (l->key != 2)
			return -ENOENT;
		page = 5;
		l->pid = l->pid ? l->pid : 77;
		strcpy(l->comm, "holder");
	}
	if (l->how == MYALLOC_LOOK_ADDRESS) {
		page = 8;
		l->slot = 2;
		l->offset = 16;
	}
	if (SET(contracts)) {
		strcpy(l->contract, "frob.1");
		strcpy(l->client, "frob");
	}
	if (page >= fake_frames() ||
	    (l->slot != MYALLOC_LOOK_NONE && (fake_kind(page) != MYALLOC_IS_SLAB || l->slot > 20)))
		return -EINVAL;
	l->kind = fake_kind(page);
	l->first = page;
	l->pages = 1;
	l->alloc.age_ns = ~0ull;
	l->free.age_ns = ~0ull;
	if (l->kind == MYALLOC_IS_PAGES) {
		l->first = 4;
		l->pages = 4;
		l->order = 2;
		strcpy(l->alloc.by, "serve+0x10/0x20 [web]");
		strcpy(l->alloc.stack, stack);
		return 0;
	}
	if (l->kind != MYALLOC_IS_SLAB)
		return 0;
	l->cache = 1;
	strcpy(l->name, "requests");
	l->slots = 21;
	l->used = page < 12 ? 5 : 21;
	l->object_size = 192;
	if (l->slot == MYALLOC_LOOK_NONE)
		return 0;
	l->state = MYALLOC_SLOT_IS_LIVE;
	if (SET(untracked))
		return 0;
	strcpy(l->alloc.by, "serve+0x10/0x20 [web]");
	strcpy(l->alloc.stack, stack);
	l->alloc.pid = 42;
	l->alloc.age_ns = 2500000;
	strcpy(l->free.by, "finish+0x8/0x10 [web]");
	l->free.pid = 43;
	l->free.age_ns = 5000000;
	return 0;
}

/* ---- the reserve ---- */

static int do_reserve(struct myalloc_reserve_stat *s)
{
	s->floor_pages = SET(pages);
	s->nr_pages = SET(pages);
	s->max_pages = fake_frames();
	s->chunk_order = SET(max_order);
	s->decay_ms = 10000;
	s->decay_mb = 64;
	return 0;
}

static int do_change(struct myalloc_reserve_change *change)
{
	if (!change->pages || change->pad)
		return -EINVAL;
	if (change->pages > (__u64)SET(pages))
		return -ENOSPC;
	return 0;
}

/* ---- nodes: one zone for all, or one of each of the nodes 0, 2, 4 ... ---- */

static int do_node_stat(struct myalloc_node_stat *s)
{
	if (s->size != sizeof(*s))
		return -EINVAL;
	if (s->nr >= (SET(nodes) ? (__u32)SET(nodes) : 1))
		return -ENOENT;
	s->node = SET(nodes) ? 2 * (int)s->nr : -1;
	s->used = s->nr == node_used;
	s->nr_pages = SET(pages);
	s->free_pages = SET(pages) - 100;
	s->hit = 1000 + s->nr;
	s->miss = 10 + s->nr;
	s->foreign = 20 + s->nr;
	return 0;
}

static int do_node_use(struct myalloc_node_use *use)
{
	if (use->pad || use->node < 0)
		return -EINVAL;
	if (SET(nodes) && (use->node % 2 || use->node >= 2 * SET(nodes)))
		return -ENOENT;
	node_used = SET(nodes) ? use->node / 2 : 0;
	return 0;
}

static int do_validate(struct myalloc_validate *v)
{
	v->errors = wrong_here() ? SET(errors) : 0;
	v->frames = SET(pages);
	v->slabs = 3;
	v->objects = 96;
	/* As long as it can be, and without an end. */
	if (v->errors) {
		memset(v->first, 'x', sizeof(v->first));
		memcpy(v->first, fake.first, strlen(fake.first));
	}
	return 0;
}

static int do_drain(struct myalloc_drain *d)
{
	if (!d->flags || d->flags & ~MYALLOC_DRAIN_FLAGS || d->pad)
		return -EINVAL;
	d->pages = d->flags & MYALLOC_DRAIN_PAGES ? SET(cached) : 0;
	if (d->flags & MYALLOC_DRAIN_OBJECTS)
		d->pages += 4;
	SET(cached) = d->flags & MYALLOC_DRAIN_PAGES ? 0 : SET(cached);
	return 0;
}

/* ---- pages and objects ---- */

static __u64 hold(__u32 pages, int cache)
{
	struct held *h = &fake.held[fake.nr_held++];

	h->handle = ++fake.next_handle << 32 | 7;
	h->pages = pages;
	h->cache = cache;
	fake.held_pages += pages;
	return h->handle;
}

static int do_page_alloc(struct myalloc_page_alloc *a)
{
	__u64 *handles = (__u64 *)(unsigned long)a->handles;
	__u32 pages = a->nr_pages ? a->nr_pages : 1u << a->order;

	if (!a->count || a->count > MYALLOC_BULK_MAX ||
	    a->flags & ~MYALLOC_PAGE_FLAGS || a->order > SET(max_order) ||
	    a->align_order > SET(max_order) || (a->nr_pages && a->order))
		return -EINVAL;
	for (a->done = 0; a->done < a->count; a->done++) {
		if (fake.nr_held == HELD_MAX)
			return -ENOSPC;
		if (fake.held_pages + held_slabs() + SET(cached) + pages >
		    (__u64)SET(pages))
			return -ENOMEM;
		handles[a->done] = hold(pages, -1);
	}
	return 0;
}

/* One block is mapped at a time; all its mappings are the same memory. */
static struct {
	__u64 handle;
	char *memory;
	__u32 maps;
} mapped;

int dev_map(int fd, __u64 handle, __u64 page_size, size_t size, bool apart, void **at)
{
	int err = fake_called("MAP", apart ? "apart" : "");

	(void)page_size;
	*at = NULL;
	if (err)
		return err;
	if (fd != FAKE_FD)
		return -EBADF;
	if (!mapped.maps++) {
		mapped.handle = handle;
		mapped.memory = calloc(1, size);
		mapped.memory[size - 1] = SET(stale);
	}
	*at = mapped.memory;
	/* Something else than the block. */
	if (SET(apart) && mapped.maps == 2)
		*at = calloc(1, size);
	return 0;
}

void dev_unmap(void *at, size_t size)
{
	(void)size;
	fake_log("UNMAP", "");
	if (fake_ring_unmap(at))
		return;
	if (at != mapped.memory)
		free(at);
	if (!--mapped.maps) {
		free(mapped.memory);
		mapped.handle = 0;
	}
}

static int do_page_map(struct myalloc_page_map *m)
{
	size_t i;

	for (i = 0; i < fake.nr_held; i++)
		if (fake.held[i].handle == m->handle) {
			m->pages = fake.held[i].pages;
			m->maps = mapped.maps;
			m->granule_pages = m->pages < 512 ? 1 : SET(granule);
			m->large = SET(large) < 0 ? m->pages / 512 * m->maps : SET(large);
			return 0;
		}
	return -ENOENT;
}

static int do_free(struct myalloc_free *f, bool objects)
{
	__u64 *handles = (__u64 *)(unsigned long)f->handles;
	struct held *h;
	size_t i;

	if (!f->count || f->count > MYALLOC_BULK_MAX)
		return -EINVAL;
	for (f->done = 0; f->done < f->count; f->done++) {
		for (i = fake.nr_held; i-- > 0; )
			if (fake.held[i].handle == handles[f->done])
				break;
		if (i == (size_t)-1)
			return -ENOENT;
		h = &fake.held[i];
		if (objects != !h->pages)
			return -ENOENT;
		if (mapped.handle == h->handle && !SET(free_mapped))
			return -EBUSY;
		fake.held_pages -= h->pages;
		if (h->cache >= 0) {
			fake.cache[h->cache].stat.live_objects--;
			fake.cache[h->cache].stat.frees++;
		}
		*h = fake.held[--fake.nr_held];
	}
	return 0;
}

/* ---- caches ---- */

static void add_cache(int i, const char *name, __u32 size)
{
	struct cache *c = &fake.cache[i];

	memset(c, 0, sizeof(*c));
	c->exists = true;
	snprintf(c->stat.name, sizeof(c->stat.name), "%s", name);
	c->stat.id = i * 3 + 1;
	c->stat.object_size = size;
	c->stat.slot_size = (size + 7) / 8 * 8;
	c->stat.align = 8;
	c->stat.objects_per_slab = 4096 / c->stat.slot_size;
	c->stat.magazine = 32;
	c->stat.slabs = 2;
	c->stat.slabs_partial = 1;
	c->stat.total_objects = 2 * c->stat.objects_per_slab;
	c->stat.live_objects = 5;
	c->stat.cached_objects = 3;
	c->stat.allocs = 105;
	c->stat.frees = 100;
	c->stat.alloc_hits = 90;
	c->stat.free_hits = 80;
	c->stat.refills = 9;
	c->stat.flushes = 4;
}

static struct cache *by_handle(__u64 handle)
{
	int i;

	for (i = 0; i < CACHES_MAX; i++)
		if (fake.cache[i].exists && fake.cache[i].own &&
		    fake.cache[i].handle == handle)
			return &fake.cache[i];
	return NULL;
}

static int do_cache_create(struct myalloc_cache_create *a)
{
	int i, slot = -1;

	if (a->size != sizeof(*a) || a->reserved || a->pad ||
	    a->flags & ~MYALLOC_CACHE_FLAGS || !a->object_size ||
	    a->object_size > MYALLOC_OBJECT_MAX || a->align & (a->align - 1) ||
	    !memchr(a->name, 0, sizeof(a->name)) || a->magazine > 1024)
		return -EINVAL;
	for (i = 0; i < CACHES_MAX; i++) {
		if (!fake.cache[i].exists)
			slot = i;
		else if (!strcmp(fake.cache[i].stat.name, a->name))
			return -EEXIST;
	}
	if (slot < 0)
		return -ENOMEM;
	add_cache(slot, a->name, a->object_size);
	fake.cache[slot].own = true;
	fake.cache[slot].handle = ++fake.next_handle << 32 | 9;
	fake.cache[slot].stat.live_objects = 0;
	fake.cache[slot].stat.flags = a->flags;
	a->handle = fake.cache[slot].handle;
	a->id = fake.cache[slot].stat.id;
	return 0;
}

static int do_cache_op(unsigned long cmd, struct myalloc_handle *h)
{
	struct cache *c = by_handle(h->handle);

	if (!c)
		return -ENOENT;
	h->result = 0;
	if (cmd == MYALLOC_IOC_CACHE_DESTROY) {
		if (c->stat.live_objects)
			return -EBUSY;
		c->exists = false;
	} else {
		h->result = 1;
	}
	return 0;
}

/* What a cache does between two readings: it takes a slab, and serves 90 of 120 allocations. */
static void work(struct myalloc_cache_stat *s)
{
	s->slabs++;
	s->total_objects += s->objects_per_slab;
	s->live_objects += SET(busy);
	s->allocs += 120;
	s->alloc_hits += 90;
	s->frees += 120 - SET(busy);
}

static int do_cache_stat(struct myalloc_cache_stat *s)
{
	struct cache *c = NULL;
	__u32 how = s->how;
	__u64 handle = s->handle;
	int i;

	if (s->size != sizeof(*s) || how > MYALLOC_NEXT_ID)
		return -EINVAL;
	if (how == MYALLOC_BY_HANDLE)
		c = by_handle(handle);
	for (i = 0; i < CACHES_MAX && how != MYALLOC_BY_HANDLE && !c; i++) {
		if (!fake.cache[i].exists)
			continue;
		if (fake.cache[i].stat.id == s->id ||
		    (how == MYALLOC_NEXT_ID && fake.cache[i].stat.id > s->id))
			c = &fake.cache[i];
	}
	if (!c)
		return -ENOENT;
	if (SET(busy))
		work(&c->stat);
	*s = c->stat;
	s->size = sizeof(*s);
	s->how = how;
	s->handle = handle;
	return 0;
}

static int do_ring_stat(struct myalloc_ring_stat *s)
{
	if (s->size != sizeof(*s) || (s->how != MYALLOC_BY_ID && s->how != MYALLOC_NEXT_ID))
		return -EINVAL;
	if (!SET(rings) || s->id > 3 || (s->id != 3 && s->how == MYALLOC_BY_ID))
		return -ENOENT;
	s->id = 3;
	strcpy(s->name, "packets");
	s->mode = MYALLOC_RING_MODE_MANY;
	s->parts = 1;
	s->part_bytes = 65536;
	s->used_bytes = 128;
	s->records = 1000;
	s->read = 990;
	s->skipped = 8;
	s->full = 7;
	s->shared = SET(ring_shared);
	return 0;
}

static int do_ring_test(struct myalloc_ring_test *t)
{
	if (t->size != sizeof(*t) || t->mode >= MYALLOC_RING_MODES || !t->ops)
		return -EINVAL;
	if (!t->seed)
		t->seed = 99;
	t->records = t->ops / 2;
	t->read = t->records;
	t->errors = SET(ring_errors);
	if (t->errors)
		strcpy(t->first, "record 5 is read in place of 4");
	return 0;
}

/* One object pool, "urgent". */
static int do_obj_alloc(struct myalloc_obj_alloc *a)
{
	__u64 *handles = (__u64 *)(unsigned long)a->handles;
	struct cache *c = by_handle(a->cache);

	if (!a->count || a->count > MYALLOC_BULK_MAX || a->pad ||
	    a->flags & ~MYALLOC_OBJ_FLAGS)
		return -EINVAL;
	if (!c)
		return -ENOENT;
	for (a->done = 0; a->done < a->count; a->done++) {
		if (fake.nr_held == HELD_MAX)
			return -ENOMEM;
		handles[a->done] = hold(0, c - fake.cache);
		c->stat.live_objects++;
		c->stat.allocs++;
	}
	return 0;
}

/* ---- arenas ---- */

/* Arenas "frame-0" and "frame-1", numbers 3 and 4. */
static int do_arena_stat(struct myalloc_arena_stat *s)
{
	__u64 id = s->id < 3 && s->how == MYALLOC_NEXT_ID ? 3 : s->id;
	__u32 how = s->how;

	if (s->size != sizeof(*s) || (how != MYALLOC_BY_ID && how != MYALLOC_NEXT_ID))
		return -EINVAL;
	if (id < 3 || id >= 3 + (__u64)SET(arenas))
		return -ENOENT;
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->how = how;
	s->id = id;
	snprintf(s->name, sizeof(s->name), "frame-%d", (int)id - 3);
	s->block_bytes = 65536;
	s->used_bytes = 1024;
	s->peak_bytes = 2048;
	s->held_bytes = 65536;
	s->allocs = 100;
	s->zone_calls = 1;
	s->resets = 60;
	return 0;
}

static int do_arena_test(struct myalloc_arena_test *t)
{
	char text[120];

	snprintf(text, sizeof(text), "ops=%llu seed=%llu max=%llu flags=%u",
		 (unsigned long long)t->ops, (unsigned long long)t->seed,
		 (unsigned long long)t->max_bytes, t->flags);
	fake_log("ASKED", text);
	if (t->size != sizeof(*t) || t->flags & ~MYALLOC_ARENA_TEST_FLAGS || !t->ops ||
	    t->ops > MYALLOC_ARENA_TEST_OPS_MAX || t->max_bytes > 4096ull << SET(max_order))
		return -EINVAL;
	if (!t->seed)
		t->seed = 4711;
	if (!t->max_bytes)
		t->max_bytes = 128 << 10;
	t->allocs = t->ops / 2;
	t->errors = SET(arena_errors);
	if (t->errors)
		memcpy(t->first, fake.first, sizeof(t->first));
	return 0;
}

/* ---- heaps ---- */

/* One heap, "web", whose used class is the cache "web-192". */
static int do_heap_stat(struct myalloc_heap_stat *s)
{
	__u32 how = s->how;

	if (s->size != sizeof(*s) || (how != MYALLOC_BY_ID && how != MYALLOC_NEXT_ID))
		return -EINVAL;
	if (!SET(heaps) || s->id > 7 || (how == MYALLOC_BY_ID && s->id != 7))
		return -ENOENT;
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->how = how;
	s->id = 7;
	strcpy(s->name, "web");
	s->classes = 44;
	s->max_object = 32768;
	s->live_objects = 5;
	s->object_bytes = 5 * 192;
	s->held_bytes = 8192;
	s->allocs = 105;
	s->frees = 100;
	s->alloc_hits = 90;
	s->free_hits = 80;
	return 0;
}

static int do_heap_test(struct myalloc_heap_test *t)
{
	char text[96];

	snprintf(text, sizeof(text), "ops=%llu seed=%llu max=%llu", (unsigned long long)t->ops,
		 (unsigned long long)t->seed, (unsigned long long)t->max_bytes);
	fake_log("ASKED", text);
	if (t->size != sizeof(*t) || t->pad || !t->ops || t->ops > MYALLOC_HEAP_TEST_OPS_MAX ||
	    t->max_bytes > 4096ull << SET(max_order))
		return -EINVAL;
	if (!t->seed)
		t->seed = 4711;
	if (!t->max_bytes)
		t->max_bytes = 128 << 10;
	t->allocs = t->ops / 2;
	t->frees = t->allocs;
	t->errors = SET(heap_errors);
	if (t->errors)
		memcpy(t->first, fake.first, sizeof(t->first));
	return 0;
}

/* ---- stress ---- */

static int do_stress_start(struct myalloc_stress *s)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "kind=%u seed=%llu threads=%u ms=%llu ops=%llu fill=%u flags=%u orders=%u,%u,%u sizes=%u*%u,%u*%u/%u checks=%u cpus=%llx",
		 s->kind, (unsigned long long)s->seed, s->threads,
		 (unsigned long long)s->duration_ms, (unsigned long long)s->ops,
		 s->fill_permille, s->flags, s->order_weights[0],
		 s->order_weights[1], s->order_weights[2], s->sizes[0],
		 s->size_weights[0], s->sizes[1], s->size_weights[1],
		 s->nr_sizes, s->checks, (unsigned long long)s->cpus[0]);
	fake_log("ASKED", text);
	if (s->size != sizeof(*s) || s->kind >= MYALLOC_STRESS_KINDS ||
	    s->reserved || s->flags & ~MYALLOC_STRESS_FLAGS ||
	    (!s->duration_ms && !s->ops))
		return -EINVAL;
	fake.stress = *s;
	fake_run.started = true;
	s->id = 1;
	return 0;
}

static void latency(struct myalloc_latency *l, __u64 count)
{
	l->count = count;
	l->min = count ? 40 : 0;
	l->p50 = count ? 80 : 0;
	l->p99 = count ? 1250 : 0;
	l->p999 = count ? 12500 : 0;
	l->max = count ? 3400000 : 0;
}

static int do_stress_result(struct myalloc_stress_result *r)
{
	if (r->size != sizeof(*r))
		return -EINVAL;
	r->state = !fake_run.started ? MYALLOC_STRESS_NONE :
		   fake_run.cancelled ? MYALLOC_STRESS_CANCELLED : MYALLOC_STRESS_DONE;
	r->id = 1;
	r->seed = fake.stress.seed;
	r->kind = fake.stress.kind;
	r->threads = fake.stress.threads ? fake.stress.threads : 4;
	r->elapsed_ms = 1000 * fake_run.read;
	/* The frees at the end take as long as the operations. An older module does not know. */
	r->ops_ns = SET(older) ? 0 : r->elapsed_ms * 1000000 / 2;
	r->page_allocs = SET(idle) ? 0 : 5000;
	r->page_frees = r->page_allocs;
	r->obj_allocs = SET(idle) ? 0 : 7000;
	r->obj_frees = r->obj_allocs;
	r->fail_nomem = 11;
	r->verify_errors = SET(verify_errors);
	r->free_errors = SET(free_errors);
	r->validate_errors = SET(validate_errors);
	r->balanced = !SET(unbalanced);
	r->shared = SET(shared);
	r->start_pages = 10;
	r->peak_pages = SET(pages) / 2;
	r->end_pages = r->balanced ? 10 : 14;
	latency(&r->page_alloc_ns, r->page_allocs);
	latency(&r->page_free_ns, r->page_frees);
	latency(&r->obj_alloc_ns, r->obj_allocs);
	if (r->verify_errors)
		memcpy(r->first_error, fake.first, sizeof(r->first_error));
	return 0;
}

__u32 fake_next_state(void)
{
	if (fake_run.cancelled)
		SET(records) = fake_run.read;
	if (fake_run.read < SET(records))
		return MYALLOC_STRESS_RUNNING;
	return fake_run.cancelled ? MYALLOC_STRESS_CANCELLED : MYALLOC_STRESS_DONE;
}

int dev_read_progress(int fd, struct myalloc_stress_progress *p, int nr)
{
	int err = fake_called("READ", "");

	if (fd != FAKE_FD || nr < 1)
		return -EINVAL;
	if (err)
		return err;
	if (fake_run.read >= SET(records))
		return 0;
	fake_run.read++;
	memset(p, 0, sizeof(*p));
	p->id = 1;
	p->elapsed_ms = fake_run.read * 1000;
	p->total_ms = fake.stress.duration_ms ? SET(records) * 1000 : 0;
	p->ops = fake_run.read * 8000;
	p->total_ops = fake.stress.ops ? SET(records) * 8000 : 0;
	p->ops_per_sec = 8000;
	p->nr_pages = SET(pages);
	p->live_pages = p->nr_pages / 2;
	p->state = fake_next_state();
	return 1;
}

int dev_wait(int fd, __u64 ms)
{
	int err = fake_called("WAIT", "");

	(void)ms;
	if (fd != FAKE_FD && fd != FAKE_RING_FD)
		return -EBADF;
	if (stop_wait(-1, 0) < 0)
		return -EINTR;
	if (err)
		return err;
	if (fd == FAKE_RING_FD)
		return fake_ring_wait();
	if (SET(silent)) {
		SET(silent)--;
		return 0;
	}
	return 1;
}

/* ---- the calls ---- */

int dev_open(void)
{
	int err;

	read_script();
	if (SET(caches) > 0)
		add_cache(0, "requests", 192);
	if (SET(caches) > 1)
		add_cache(1, "sessions", 1000);
	if (SET(caches) > 2)
		add_cache(2, "web-192", 192);
	err = fake_called("OPEN", "");
	return err ? err : FAKE_FD;
}

bool dev_load(const char *module)
{
	return !fake_called("LOAD", module);
}

void dev_close(int fd)
{
	char text[64];

	if (fd == FAKE_RING_FD) {
		fake_log("CLOSE_RING", "");
		fake_ring_close();
		return;
	}
	snprintf(text, sizeof(text), "held=%zu", fake.nr_held);
	fake_log("CLOSE", text);
}

static const struct {
	unsigned long cmd;
	const char *name;
} commands[] = {
	{ MYALLOC_IOC_INFO, "INFO" }, { MYALLOC_IOC_STAT, "STAT" },
	{ MYALLOC_IOC_VALIDATE, "VALIDATE" }, { MYALLOC_IOC_DRAIN, "DRAIN" },
	{ MYALLOC_IOC_CELLS, "CELLS" }, { MYALLOC_IOC_LOOK, "LOOK" },
	{ MYALLOC_IOC_NODE_STAT, "NODE_STAT" }, { MYALLOC_IOC_NODE_USE, "NODE_USE" },
	{ MYALLOC_IOC_RESERVE_STAT, "RESERVE_STAT" },
	{ MYALLOC_IOC_RESERVE_GROW, "RESERVE_GROW" },
	{ MYALLOC_IOC_RESERVE_SHRINK, "RESERVE_SHRINK" },
	{ MYALLOC_IOC_PAGE_ALLOC, "PAGE_ALLOC" },
	{ MYALLOC_IOC_PAGE_FREE, "PAGE_FREE" },
	{ MYALLOC_IOC_PAGE_MAP, "PAGE_MAP" },
	{ MYALLOC_IOC_CACHE_CREATE, "CACHE_CREATE" },
	{ MYALLOC_IOC_CACHE_DESTROY, "CACHE_DESTROY" },
	{ MYALLOC_IOC_CACHE_SHRINK, "CACHE_SHRINK" },
	{ MYALLOC_IOC_CACHE_DRAIN, "CACHE_DRAIN" },
	{ MYALLOC_IOC_CACHE_STAT, "CACHE_STAT" },
	{ MYALLOC_IOC_RING_STAT, "RING_STAT" },
	{ MYALLOC_IOC_RING_TEST, "RING_TEST" },
	{ MYALLOC_IOC_RING_CREATE, "RING_CREATE" },
	{ MYALLOC_IOC_RING_OPEN, "RING_OPEN" },
	{ MYALLOC_IOC_RING_RELEASE, "RING_RELEASE" },
	{ MYALLOC_IOC_RING_PRODUCE, "RING_PRODUCE" },
	{ MYALLOC_IOC_POOL_STAT, "POOL_STAT" }, { MYALLOC_IOC_POOL_TEST, "POOL_TEST" },
	{ MYALLOC_IOC_CLIENT_STAT, "CLIENT_STAT" },
	{ MYALLOC_IOC_CLIENT_SITES, "CLIENT_SITES" },
	{ MYALLOC_IOC_CLIENT_RELEASE, "CLIENT_RELEASE" },
	{ MYALLOC_IOC_OBJ_ALLOC, "OBJ_ALLOC" },
	{ MYALLOC_IOC_OBJ_FREE, "OBJ_FREE" },
	{ MYALLOC_IOC_HEAP_STAT, "HEAP_STAT" },
	{ MYALLOC_IOC_HEAP_TEST, "HEAP_TEST" },
	{ MYALLOC_IOC_CONTRACT_PLAN, "CONTRACT_PLAN" },
	{ MYALLOC_IOC_CONTRACT_CREATE, "CONTRACT_CREATE" },
	{ MYALLOC_IOC_CONTRACT_END, "CONTRACT_END" },
	{ MYALLOC_IOC_CONTRACT_STAT, "CONTRACT_STAT" },
	{ MYALLOC_IOC_CONTRACT_SITES, "CONTRACT_SITES" },
	{ MYALLOC_IOC_CONTRACT_TEST, "CONTRACT_TEST" },
	{ MYALLOC_IOC_CONTRACT_TESTED, "CONTRACT_TESTED" },
	{ MYALLOC_IOC_CONTRACT_CANCEL, "CONTRACT_CANCEL" },
	{ MYALLOC_IOC_ARENA_STAT, "ARENA_STAT" },
	{ MYALLOC_IOC_ARENA_TEST, "ARENA_TEST" },
	{ MYALLOC_IOC_STRESS_START, "STRESS_START" },
	{ MYALLOC_IOC_STRESS_RESULT, "STRESS_RESULT" },
	{ MYALLOC_IOC_STRESS_CANCEL, "STRESS_CANCEL" },
	{ MYALLOC_IOC_BENCH_SHAPE, "BENCH_SHAPE" },
	{ MYALLOC_IOC_BENCH_START, "BENCH_START" },
	{ MYALLOC_IOC_BENCH_RESULT, "BENCH_RESULT" },
	{ MYALLOC_IOC_BENCH_CANCEL, "BENCH_CANCEL" },
};

int dev_call(int fd, unsigned long cmd, void *arg)
{
	size_t i;
	int err;

	if (fd != (cmd == MYALLOC_IOC_RING_RELEASE || cmd == MYALLOC_IOC_RING_PRODUCE ?
		   FAKE_RING_FD : FAKE_FD))
		return -EBADF;
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == cmd)
			break;
	if (i == ARRAY_SIZE(commands))
		return -ENOTTY;
	err = fake_called(commands[i].name, "");
	if (err)
		return err;
	switch (cmd) {
	case MYALLOC_IOC_INFO:
		return do_info(arg);
	case MYALLOC_IOC_STAT:
		return do_stat(arg);
	case MYALLOC_IOC_VALIDATE:
		return do_validate(arg);
	case MYALLOC_IOC_DRAIN:
		return do_drain(arg);
	case MYALLOC_IOC_CELLS:
		return do_cells(arg);
	case MYALLOC_IOC_LOOK:
		return do_look(arg);
	case MYALLOC_IOC_NODE_STAT:
		return do_node_stat(arg);
	case MYALLOC_IOC_NODE_USE:
		return do_node_use(arg);
	case MYALLOC_IOC_RESERVE_STAT:
		return do_reserve(arg);
	case MYALLOC_IOC_RESERVE_GROW:
	case MYALLOC_IOC_RESERVE_SHRINK:
		return do_change(arg);
	case MYALLOC_IOC_PAGE_ALLOC:
		return do_page_alloc(arg);
	case MYALLOC_IOC_PAGE_FREE:
		return do_free(arg, false);
	case MYALLOC_IOC_PAGE_MAP:
		return do_page_map(arg);
	case MYALLOC_IOC_CACHE_CREATE:
		return do_cache_create(arg);
	case MYALLOC_IOC_CACHE_STAT:
		return do_cache_stat(arg);
	case MYALLOC_IOC_RING_STAT:
		return do_ring_stat(arg);
	case MYALLOC_IOC_RING_TEST:
		return do_ring_test(arg);
	case MYALLOC_IOC_RING_CREATE:
		return fake_ring_create(arg);
	case MYALLOC_IOC_RING_OPEN:
		return fake_ring_open(arg);
	case MYALLOC_IOC_RING_RELEASE:
		return fake_ring_release(arg);
	case MYALLOC_IOC_RING_PRODUCE:
		return fake_ring_produce(arg);
	case MYALLOC_IOC_POOL_STAT:
		return fake_pool_stat(arg);
	case MYALLOC_IOC_POOL_TEST:
		return fake_pool_test(arg);
	case MYALLOC_IOC_CLIENT_STAT:
		return fake_client_stat(arg);
	case MYALLOC_IOC_CLIENT_SITES:
		return fake_client_sites(arg);
	case MYALLOC_IOC_CLIENT_RELEASE:
		return fake_client_release(arg);
	case MYALLOC_IOC_OBJ_ALLOC:
		return do_obj_alloc(arg);
	case MYALLOC_IOC_OBJ_FREE:
		return do_free(arg, true);
	case MYALLOC_IOC_CONTRACT_PLAN:
	case MYALLOC_IOC_CONTRACT_CREATE:
		return fake_contract_make(arg, cmd == MYALLOC_IOC_CONTRACT_CREATE);
	case MYALLOC_IOC_CONTRACT_END:
		return fake_contract_end(arg);
	case MYALLOC_IOC_CONTRACT_STAT:
		return fake_contract_stat(arg);
	case MYALLOC_IOC_CONTRACT_SITES:
		return fake_contract_sites(arg);
	case MYALLOC_IOC_CONTRACT_TEST:
		return fake_contract_test(arg);
	case MYALLOC_IOC_CONTRACT_TESTED:
		return fake_contract_tested(arg);
	case MYALLOC_IOC_ARENA_STAT:
		return do_arena_stat(arg);
	case MYALLOC_IOC_ARENA_TEST:
		return do_arena_test(arg);
	case MYALLOC_IOC_HEAP_STAT:
		return do_heap_stat(arg);
	case MYALLOC_IOC_HEAP_TEST:
		return do_heap_test(arg);
	case MYALLOC_IOC_STRESS_START:
		return do_stress_start(arg);
	case MYALLOC_IOC_STRESS_RESULT:
		return do_stress_result(arg);
	case MYALLOC_IOC_BENCH_SHAPE:
		return fake_bench_shape(arg);
	case MYALLOC_IOC_BENCH_START:
		return fake_bench_start(arg);
	case MYALLOC_IOC_BENCH_RESULT:
		return fake_bench_result(arg);
	case MYALLOC_IOC_STRESS_CANCEL:
	case MYALLOC_IOC_BENCH_CANCEL:
	case MYALLOC_IOC_CONTRACT_CANCEL:
		if (!fake_run.started)
			return -ENOENT;
		fake_run.cancelled = true;
		return 0;
	default:
		return do_cache_op(cmd, arg);
	}
}
