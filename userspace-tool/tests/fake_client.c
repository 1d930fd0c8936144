// SPDX-License-Identifier: GPL-2.0
/*
 * fake_client: the client and the object pool of the fake device
 */
#include <errno.h>
#include <string.h>

#include "fake.h"
#include "host/mem.h"

#define CLIENT	2
#define POOL	5

static bool wanted(__u32 how, __u64 id, __u64 have)
{
	return how == MYALLOC_NEXT_ID ? id <= have : id == have;
}

/* One client, "frob", with two caches and a heap. */
int fake_client_stat(struct myalloc_client_stat *s)
{
	if (s->size != sizeof(*s) || s->how > MYALLOC_NEXT_ID)
		return -EINVAL;
	if (!SET(clients) || !wanted(s->how, s->id, CLIENT))
		return -ENOENT;
	s->id = CLIENT;
	strcpy(s->name, "frob");
	strcpy(s->owner, "module frob");
	s->pages = 40;
	s->caches = 2;
	s->fronts = 1;
	s->gone = SET(gone);
	return 0;
}

int fake_client_sites(struct myalloc_client_sites *a)
{
	static const struct myalloc_site_stat sites[] = {
		{ "frob-request", "handler+0x40/0x90 [frob]", 500, 128000, 70000 },
		{ "pages", "", 3, 36864, MYALLOC_AGE_UNKNOWN },
	};
	struct myalloc_site_stat *to = (void *)(unsigned long)a->sites;

	if (a->size != sizeof(*a) || !a->room || a->room > MYALLOC_SITES_MAX)
		return -EINVAL;
	if (a->client && a->client != CLIENT)
		return -ENOENT;
	a->nr = ARRAY_SIZE(sites);
	for (a->done = 0; a->done < a->nr && a->done < a->room; a->done++)
		to[a->done] = sites[a->done];
	return 0;
}

int fake_client_release(const struct myalloc_client_release *a)
{
	if (a->size != sizeof(*a) || a->flags & ~MYALLOC_RELEASE_FILL)
		return -EINVAL;
	if (a->client != CLIENT)
		return -ENOENT;
	return SET(gone) ? 0 : -EPERM;
}

int fake_pool_stat(struct myalloc_pool_stat *s)
{
	if (s->size != sizeof(*s) || s->how > MYALLOC_NEXT_ID)
		return -EINVAL;
	if (!SET(pools) || !wanted(s->how, s->id, POOL))
		return -ENOENT;
	s->id = POOL;
	strcpy(s->name, "urgent");
	s->object_size = 64;
	s->nr = 256;
	s->pages = 6;
	s->live_objects = 9;
	s->allocs = 39;
	s->frees = 30;
	return 0;
}

int fake_pool_test(struct myalloc_pool_test *t)
{
	if (t->size != sizeof(*t) || t->flags & ~MYALLOC_POOL_IS_HARD || !t->ops)
		return -EINVAL;
	t->seed = t->seed ? t->seed : 7;
	t->nr = t->nr ? t->nr : 256;
	t->object_size = t->object_size ? t->object_size : 64;
	t->allocs = t->ops / 2;
	t->frees = t->allocs;
	t->errors = SET(pool_errors);
	if (t->errors)
		strcpy(t->first, "an allocation failed while 3 of 256 objects were live");
	return 0;
}
