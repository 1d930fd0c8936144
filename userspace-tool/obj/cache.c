// SPDX-License-Identifier: GPL-2.0
/*
 * cache: list and show slab caches, create one and use it, shrink them all
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/parse.h"
#include "host/mem.h"
#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/device.h"
#include "obj/objects.h"
#include "obj/stats.h"
#include "out/out.h"

static int next_cache(struct device *d, __u32 id, struct myalloc_cache_stat *s)
{
	return dev_cache_stat(d->fd, MYALLOC_NEXT_ID, 0, id, s);
}

/* What a line of text has room for; the JSON has all. Left out from the end if there is less. */
static void put_field(struct out *o, const struct stat_field *f, const struct myalloc_cache_stat *s)
{
	static const size_t shown[] = {
		offsetof(struct myalloc_cache_stat, live_objects),
		offsetof(struct myalloc_cache_stat, object_size),
		offsetof(struct myalloc_cache_stat, fails),
		offsetof(struct myalloc_cache_stat, allocs),
		offsetof(struct myalloc_cache_stat, total_objects),
		offsetof(struct myalloc_cache_stat, cached_objects),
		offsetof(struct myalloc_cache_stat, slabs),
		offsetof(struct myalloc_cache_stat, objects_per_slab),
		offsetof(struct myalloc_cache_stat, slot_size),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shown) && shown[i] != f->offset; i++)
		;
	stats_put(o, f, i < ARRAY_SIZE(shown) ? f->label : NULL, stats_value(f, s, 0));
	out_rank(o, -(int)i);
}

static void put_slab_pages(struct out *o, const struct myalloc_cache_stat *s)
{
	out_u64(o, "slab_pages", "pages", OUT_PAGES, s->slabs << s->order);
}

static void cache_row(struct out *o, const struct myalloc_cache_stat *s,
		      __u32 page_size)
{
	const struct stat_field *f;
	char letters[8];

	out_item(o);
	out_u64(o, "id", "id", OUT_PLAIN, s->id);
	out_strn(o, "name", "name", OUT_PLAIN, s->name, sizeof(s->name));
	for (f = cache_fields; f->name; f++)
		if (f->offset != offsetof(struct myalloc_cache_stat, id))
			put_field(o, f, s);
	put_slab_pages(o, s);
	out_u64(o, "slab_bytes", NULL, OUT_BYTES,
		(s->slabs << s->order) * page_size);
	out_str(o, "checks", "checks", OUT_PLAIN,
		checks_letters(s->flags, letters));
	out_end(o);
}

static const char list_form[] =
	"caches:[{ name:text @cache slab_pages:uint slab_bytes:uint checks:text }]";

static int cache_list(struct cmd *c)
{
	struct myalloc_cache_stat s;
	struct device d;
	struct out *o;
	__u32 id = 0;
	int code, err;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	o = out_new("cache list");
	out_list(o, "caches", "");
	while (!(err = next_cache(&d, id, &s))) {
		cache_row(o, &s, d.info.page_size);
		id = s.id + 1;
		if (!id)
			break;
	}
	out_end(o);
	if (err != -ENOENT && err)
		code = explain("listing the caches", err);
	else if (!id && !out_is_json())
		out_note("no caches");
	code = out_finish(o, code);
	device_close(&d);
	return code;
}

static int find_named(struct device *d, const char *name, struct myalloc_cache_stat *s)
{
	__u32 at = 0;
	int err;

	while (!(err = next_cache(d, at, s))) {
		if (!strncmp(name, s->name, sizeof(s->name)))
			return 0;
		at = s->id + 1;
		if (!at)
			return -ENOENT;
	}
	return err;
}

/* Finds a cache by its name, or by its number when none is called @word. */
static int find_cache(struct device *d, const char *word, struct myalloc_cache_stat *s)
{
	int err = find_named(d, word, s);
	__u64 id;

	if (err != -ENOENT)
		return err;
	if (parse_number(word, &id) || id > ~0u)
		return -ENOENT;
	return dev_cache_stat(d->fd, MYALLOC_BY_ID, 0, id, s);
}

#define TRAITS_AND_SPACE							\
	"traits:{ name:text @cache.TRAIT checks:text zero_alloc:bool zero_free:bool "	\
	"random:bool certain:bool trusting:bool typesafe_rcu:bool } "			\
	"space:{ slab_pages:uint @cache.SPACE } "

static void describe_traits(struct out *o, const struct myalloc_cache_stat *s)
{
	char letters[8];

	out_strn(o, "name", "name", OUT_PLAIN, s->name, sizeof(s->name));
	stats_put_kind(o, cache_fields, STAT_TRAIT, s);
	out_str(o, "checks", "checks", OUT_PLAIN,
		checks_letters(s->flags, letters));
	out_bool(o, "zero_alloc", "zeroed when allocated", OUT_PLAIN,
		 s->flags & MYALLOC_CACHE_ZERO_ALLOC);
	out_bool(o, "zero_free", "cleared when freed", OUT_PLAIN,
		 s->flags & MYALLOC_CACHE_ZERO_FREE);
	out_bool(o, "random", "slots in random order", OUT_PLAIN,
		 s->flags & MYALLOC_CACHE_RANDOM);
	out_bool(o, "certain", "certain frees", OUT_PLAIN, s->flags & MYALLOC_CACHE_CERTAIN);
	out_bool(o, "trusting", "trusting frees", OUT_PLAIN, s->flags & MYALLOC_CACHE_TRUSTING);
	out_bool(o, "typesafe_rcu", "typesafe by RCU", OUT_PLAIN,
		 s->flags & MYALLOC_CACHE_TYPESAFE_RCU);
}

static void describe_space(struct out *o, const struct myalloc_cache_stat *s)
{
	put_slab_pages(o, s);
	stats_put_kind(o, cache_fields, STAT_SPACE, s);
}

static void describe_use(struct out *o, const struct myalloc_cache_stat *s)
{
	stats_put_kind(o, cache_fields, STAT_USE, s);
	out_u64(o, "alloc_hit_permille", "share of allocs by magazine", OUT_PERMILLE,
		permille(s->alloc_hits, s->allocs));
	out_u64(o, "free_hit_permille", "share of frees by magazine", OUT_PERMILLE,
		permille(s->free_hits, s->frees));
}

static const char show_form[] =
	TRAITS_AND_SPACE "use:{ @cache.USE alloc_hit_permille:uint free_hit_permille:uint }";

static int cache_show(struct cmd *c)
{
	struct myalloc_cache_stat s;
	struct device d;
	const char *word;
	struct out *o;
	int code, err;

	word = cmd_word(c);
	if (!word)
		cmd_usage(c, "missing name or number of a cache; 'myallocctl cache list' shows them");
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = find_cache(&d, word, &s);
	device_close(&d);
	if (err == -ENOENT)
		return out_fail(EXIT_FAILED, "no cache '%s'; 'myallocctl cache list' shows all",
				word);
	if (err)
		return explain("reading the cache's statistics", err);
	o = out_new("cache show");
	out_page_size(o, d.info.page_size);
	out_group(o, "traits", "Cache");
	describe_traits(o, &s);
	out_end(o);
	out_group(o, "space", "Space");
	describe_space(o, &s);
	out_end(o);
	out_group(o, "use", "Use");
	describe_use(o, &s);
	out_end(o);
	return out_finish(o, EXIT_OK);
}

/* ---- create ---- */

#define NO_CHECKS	(~0u)	/* as the checks of a wish: none were given */

struct wish {
	struct myalloc_cache_create create;
	__u32 checks;
	__u64 count;
	__u64 hold_ms;
	bool all_handles;
};

static void read_name(struct cmd *c, struct wish *w, const char *name)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (!*name || name[strspn(name, good)] || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		cmd_usage(c, "name '%s': must consist of ASCII letters, digits, '-', '_' and '.'",
			  name);
	if (strlen(name) >= MYALLOC_NAME_MAX)
		cmd_usage(c, "name '%s': has %zu characters, but at most %d are possible",
			  name, strlen(name), MYALLOC_NAME_MAX - 1);
	strcpy(w->create.name, name);
}

static void read_create(struct cmd *c, struct wish *w)
{
	char *word;

	w->checks = NO_CHECKS;
	cmd_options(c, w);
	word = cmd_word(c);
	if (word)
		read_name(c, w, word);
	cmd_done(c);
	if (w->checks != NO_CHECKS)
		w->create.flags |= w->checks;
	if (w->create.align & (w->create.align - 1))
		cmd_usage(c, "--align '%u': must be a power of two, up to the page size",
			  w->create.align);
	if (w->create.magazine && (w->create.flags & MYALLOC_CACHE_NO_MAGAZINE))
		cmd_usage(c, "--magazine and --no-magazine exclude each other");
	if (w->create.flags & MYALLOC_CACHE_CERTAIN && w->create.flags & MYALLOC_CACHE_TRUSTING)
		cmd_usage(c, "--certain and --trusting exclude each other");
}

static int explain_exists(struct device *d, const char *name)
{
	struct myalloc_cache_stat s;

	if (find_named(d, name, &s))
		return out_fail(EXIT_FAILED, "a cache '%s' exists already: choose another name",
				name);
	return out_fail(EXIT_FAILED, "a cache '%s' exists already, number %u with objects of %u bytes, %llu of them live: choose another name",
			name, s.id, s.object_size, (unsigned long long)s.live_objects);
}

static int explain_create(struct device *d, const struct wish *w, int err)
{
	switch (err) {
	case -EEXIST:
		return explain_exists(d, w->create.name);
	case -EINVAL:
		return out_fail(EXIT_FAILED, "the module refuses a cache of %u-byte objects with alignment %u and magazines of %u: objects have 1 to %d bytes, an alignment is a power of two up to %u",
				w->create.object_size, w->create.align,
				w->create.magazine, MYALLOC_OBJECT_MAX,
				d->info.page_size);
	default:
		return explain("creating the cache", err);
	}
}

static int explain_get(struct device *d, const struct wish *w, int err,
		       size_t had)
{
	struct myalloc_stat s;

	if (err != -ENOMEM || dev_stat(d->fd, &s))
		return explain("allocating objects", err);
	return out_fail(EXIT_FAILED, "allocated %zu of %llu object%s, then the zone had no block for another slab (%llu page%s free, in blocks up to order %d)",
			had, (unsigned long long)w->count, out_s(w->count),
			(unsigned long long)s.free_pages, out_s(s.free_pages), s.largest_order);
}

/* How the allocations went, and what freeing everything returned. */
struct visit {
	struct myalloc_cache_stat used;
	size_t had, freed;
	__u64 drained, shrunk;
	__u64 held_ms;
	int get_err, put_err;
};

static int use_cache(struct device *d, const struct wish *w, struct handles *h,
		     struct visit *v)
{
	struct ask ask = { .objects = true, .cache = w->create.handle };
	__u64 start;
	char *what;
	int err, end;

	v->get_err = handles_get(d->fd, &ask, w->count, h);
	v->had = h->nr;
	err = dev_cache_stat(d->fd, MYALLOC_BY_HANDLE, w->create.handle, 0,
			     &v->used);
	if (err)
		return explain("reading the cache's statistics", err);
	if (v->get_err && !handles_stopped(v->get_err))
		explain_get(d, w, v->get_err, h->nr);
	what = xasprintf("cache '%s' with %zu object%s", w->create.name, h->nr, out_s(h->nr));
	start = stop_now_ms();
	end = hold(w->hold_ms, what);
	v->held_ms = stop_now_ms() - start;
	free(what);
	return end;
}

static int end_cache(struct device *d, const struct wish *w, struct handles *h,
		     struct visit *v)
{
	__u64 nothing;
	int err;

	v->freed = handles_put(d->fd, true, h, &v->put_err);
	if (v->put_err)
		return explain("freeing objects", v->put_err);
	err = dev_cache_op(d->fd, MYALLOC_IOC_CACHE_DRAIN, w->create.handle,
			   &v->drained);
	if (err)
		return explain("draining the cache", err);
	err = dev_cache_op(d->fd, MYALLOC_IOC_CACHE_SHRINK, w->create.handle,
			   &v->shrunk);
	if (err)
		return explain("shrinking the cache", err);
	err = dev_cache_op(d->fd, MYALLOC_IOC_CACHE_DESTROY, w->create.handle,
			   &nothing);
	return err ? explain("destroying the cache", err) : EXIT_OK;
}

static const char create_form[] =
	TRAITS_AND_SPACE "visit:{ wanted:uint had:uint " HANDLES_FORM " held_ms:uint freed:uint "
	"drained_pages:uint shrunk_pages:uint } stats?:[" STATS_ROW "]";

static int create_visit(struct device *d, struct wish *w)
{
	struct myalloc_stat before, after;
	struct handles h = { 0 };
	struct visit v = { 0 };
	int code, end, err;
	struct out *o;

	code = device_stat(d, &before);
	if (code)
		return code;
	err = dev_call(d->fd, MYALLOC_IOC_CACHE_CREATE, &w->create);
	if (err)
		return explain_create(d, w, err);
	o = out_new("cache create");
	out_page_size(o, d->info.page_size);
	end = use_cache(d, w, &h, &v);
	out_group(o, "traits", "Cache");
	describe_traits(o, &v.used);
	out_end(o);
	out_group(o, "space", "Space, while objects are held");
	describe_space(o, &v.used);
	out_end(o);
	out_group(o, "visit", "Objects");
	out_u64(o, "wanted", "wanted", OUT_PLAIN, w->count);
	out_u64(o, "had", "allocated", OUT_PLAIN, v.had);
	handles_describe(o, &h, w->all_handles);
	code = end_cache(d, w, &h, &v);
	out_u64(o, "held_ms", "held for", OUT_MS, v.held_ms);
	out_u64(o, "freed", "freed", OUT_PLAIN, v.freed);
	out_u64(o, "drained_pages", "pages returned by drain", OUT_PLAIN, v.drained);
	out_u64(o, "shrunk_pages", "pages returned by shrink", OUT_PLAIN, v.shrunk);
	out_end(o);
	if (!code)
		code = device_stat(d, &after);
	if (!code) {
		out_list(o, "stats", "Pages");
		stats_row(o, "before", &before);
		stats_row(o, "after", &after);
		out_end(o);
	}
	if (!code && v.get_err)
		code = handles_stopped(v.get_err) ?: EXIT_FAILED;
	handles_free(&h);
	return out_finish(o, code ? code : end);
}

static int cache_create(struct cmd *c)
{
	struct wish w = {
		.create.size = sizeof(w.create),
		.create.object_size = 64,
		.count = 1,
	};
	struct device d;
	char *name;
	int code;

	name = xasprintf("ctl-%u", (unsigned int)(stop_now_ms() & 0xffffffff));
	strcpy(w.create.name, name);
	free(name);
	read_create(c, &w);
	code = device_open(&d);
	if (code)
		return code;
	if (w.create.align > d.info.page_size) {
		code = out_fail(EXIT_USAGE, "alignment %u is above the page size, %u",
				w.create.align, d.info.page_size);
	} else {
		stop_catch();
		code = create_visit(&d, &w);
	}
	device_close(&d);
	return code;
}

/* ---- shrink ---- */

/* All caches at one moment, in the order of their numbers. */
struct census {
	struct myalloc_cache_stat *cache;
	size_t nr;
};

static int take_census(struct device *d, struct census *census)
{
	struct myalloc_cache_stat s, *more;
	size_t room = 0;
	__u32 id = 0;
	int err;

	memset(census, 0, sizeof(*census));
	while (!(err = next_cache(d, id, &s))) {
		if (census->nr == room) {
			room = room ? room * 2 : 16;
			more = xcalloc(room, sizeof(*more));
			if (census->nr)
				memcpy(more, census->cache,
				       census->nr * sizeof(*more));
			free(census->cache);
			census->cache = more;
		}
		census->cache[census->nr++] = s;
		id = s.id + 1;
		if (!id)
			break;
	}
	return err == -ENOENT ? 0 : err;
}

static void shrink_rows(struct out *o, const struct census *old,
			const struct census *new)
{
	const struct myalloc_cache_stat *a, *b;
	size_t i, j = 0;

	out_list(o, "caches", "Caches");
	for (i = 0; i < old->nr; i++) {
		a = &old->cache[i];
		while (j < new->nr && new->cache[j].id < a->id)
			j++;
		if (j == new->nr || new->cache[j].id != a->id)
			continue;
		b = &new->cache[j];
		out_item(o);
		out_u64(o, "id", "id", OUT_PLAIN, a->id);
		out_strn(o, "name", "name", OUT_PLAIN, a->name, sizeof(a->name));
		out_u64(o, "pages_before", "pages before", OUT_PLAIN,
			a->slabs << a->order);
		out_u64(o, "pages_after", "after", OUT_PLAIN,
			b->slabs << b->order);
		out_u64(o, "cached_before", "in magazines before", OUT_PLAIN,
			a->cached_objects);
		out_u64(o, "cached_after", "after", OUT_PLAIN,
			b->cached_objects);
		out_end(o);
	}
	out_end(o);
}

static const char shrink_form[] =
	"pages:uint caches:[{ id:uint name:text pages_before:uint pages_after:uint "
	"cached_before:uint cached_after:uint }]";

static int cache_shrink(struct cmd *c)
{
	struct census old = { 0 }, new = { 0 };
	struct device d;
	struct out *o;
	__u64 pages;
	int code, err;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = take_census(&d, &old);
	if (!err)
		err = dev_drain(d.fd, MYALLOC_DRAIN_OBJECTS, &pages);
	if (!err)
		err = take_census(&d, &new);
	if (err) {
		code = explain("shrinking the caches", err);
	} else {
		o = out_new("cache shrink");
		out_page_size(o, d.info.page_size);
		out_u64(o, "pages", "returned", OUT_PAGES, pages);
		shrink_rows(o, &old, &new);
		code = out_finish(o, EXIT_OK);
	}
	free(old.cache);
	free(new.cache);
	device_close(&d);
	return code;
}

#define TARGET(member)	OPT_TARGET(struct wish, member)
#define FLAG(name, bit, text) \
	{ name, 0, OPT_FLAG, TARGET(create.flags), .bits = bit, .help = text }

static const struct opt create_opts[] = {
	{ "size", 's', OPT_SIZE, "SIZE", TARGET(create.object_size),
	  .min = 1, .max = MYALLOC_OBJECT_MAX, .otherwise = "64", .help = "size of an object" },
	{ "align", 'a', OPT_SIZE, "SIZE", TARGET(create.align), .max = 1u << 31,
	  .otherwise = "8", .help = "alignment of objects, a power of two up to the page size" },
	{ "checks", 0, OPT_CHECKS, "LETTERS", TARGET(checks),
	  .help = "checks of the cache: F sanity, Z red zones, P poison, U owners; or none" },
	FLAG("zero-alloc", MYALLOC_CACHE_ZERO_ALLOC, "objects read as zero when allocated"),
	FLAG("zero-free", MYALLOC_CACHE_ZERO_FREE, "objects are cleared when freed"),
	FLAG("random", MYALLOC_CACHE_RANDOM, "allocate slots in random order"),
	FLAG("certain", MYALLOC_CACHE_CERTAIN,
	     "detect every double free, also of two frees that overlap in time"),
	FLAG("trusting", MYALLOC_CACHE_TRUSTING,
	     "check only that the address of a free is an object's; double frees are found later"),
	FLAG("typesafe-rcu", MYALLOC_CACHE_TYPESAFE_RCU,
	     "free objects keep their content; excludes poison and zeroing"),
	{ "magazine", 0, OPT_NUMBER, "N", TARGET(create.magazine), .min = 1, .max = 1u << 16,
	  .help = "objects in a per-CPU magazine" },
	FLAG("no-magazine", MYALLOC_CACHE_NO_MAGAZINE, "use no per-CPU magazines"),
	{ "count", 'n', OPT_NUMBER, "N", TARGET(count), .max = MYALLOC_HANDLES_MAX - 1,
	  .otherwise = "1", .help = "objects to allocate" },
	{ "hold", 0, OPT_HOLD, "TIME", TARGET(hold_ms), .otherwise = "0s",
	  .help = "hold the objects for TIME, or 'forever': until Ctrl-C" },
	{ "handles", 0, OPT_FLAG, TARGET(all_handles),
	  .help = "list every handle, not only the first and the last" },
	{ NULL }
};

#define ENDS_WITH_COMMAND \
	"a cache is destroyed by the command that created it: 'cache create --hold TIME' keeps it for TIME or until Ctrl-C"

static const struct verb cache_verbs[] = {
	{ "list", cache_list, "", "list every cache of the zone", NULL, .form = list_form },
	{ "show", cache_show, "NAME|ID", "show one cache in full", NULL, .form = show_form },
	{ "create", cache_create, "[NAME]",
	  "create a cache, allocate objects, hold them, free everything, and show the result",
	  create_opts, .form = create_form },
	{ "shrink", cache_shrink, "", "empty the magazines of every cache and return empty slabs to the zone",
	  NULL, .form = shrink_form },
	{ "alloc", NULL, "", ENDS_WITH_COMMAND, NULL },
	{ "free", NULL, "", ENDS_WITH_COMMAND, NULL },
	{ "destroy", NULL, "", ENDS_WITH_COMMAND, NULL },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object cache_object = {
	"cache", "slab caches: list, show, create, shrink", cache_verbs, "list"
};
