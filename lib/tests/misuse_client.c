// SPDX-License-Identifier: GPL-2.0
/* Misuse of clients. */
#include "misuse.h"
#include "client/client.h"

static struct myalloc_client *client;
static void *p, *held[2];

static void make_client(unsigned int hard, myalloc_cache_flags_t checks)
{
	client = myalloc_client_create(zone, &(struct myalloc_client_args){
		.name = "frob", .hard_pages = hard, .checks = checks });
	EXPECT(!IS_ERR(client), "no client");
}

static void *pages(u32 nr)
{
	void *addr = myalloc_client_pages_alloc(client, nr, 0, 0);

	EXPECT(addr, "no pages");
	return addr;
}

static void create(const char *name, myalloc_cache_flags_t checks, unsigned int soft)
{
	EXPECT(IS_ERR(myalloc_client_create(zone, &(struct myalloc_client_args){
		.name = name, .checks = checks, .soft_pages = soft, .hard_pages = 1 })),
	       "a client");
}

static void client_twice(void)
{
	make_client(0, 0);
	p = pages(3);
	good(myalloc_client_pages_free(client, p, 3));
	REFUSED(myalloc_client_pages_free(client, p, 3), FREE);
}

static void client_of_another(void)
{
	struct myalloc_client *other;

	make_client(0, 0);
	p = pages(3);
	other = client;
	client = myalloc_client_create(zone, &(struct myalloc_client_args){ .name = "other" });
	REFUSED(myalloc_client_pages_free(client, p, 3), KIND);
	good(myalloc_client_pages_free(other, p, 3));
}

static void client_no_client(void)
{
	make_client(0, 0);
	p = pages(3);
	REFUSED(myalloc_pages_free_exact(zone, p, 3), KIND);
	good(myalloc_free(zone, p));
}

static void client_wrong_args(void)
{
	make_client(0, 0);
	create("", 0, 0);
	create("frob", 0, 0);
	create("a", MYALLOC_RANDOM, 0);
	create("a", 0, 2);
	EXPECT(myalloc_client_end(client, MYALLOC_RELEASE_POISON) == -EINVAL, "poison alone");
}

static void client_ends_in_use(void)
{
	struct myalloc_cache *cache;
	int i;

	host_set_clock(1000000000);
	make_client(0, MYALLOC_OWNER);
	cache = myalloc_cache_create(zone, &(struct myalloc_cache_args){
		.name = "frob-request", .object_size = 64, .client = client });
	for (i = 0; i < 2; i++) {
		held[i] = object(cache);
		host_set_clock(41000000000);
	}
	host_set_clock(82000000000);
	EXPECT(myalloc_client_end(client, 0) == -EBUSY, "a client in use ended");
	good(myalloc_cache_free(cache, held[0]));
	good(myalloc_cache_free(cache, held[1]));
	good(myalloc_cache_destroy(cache));
	EXPECT(!myalloc_client_end(client, 0), "an unused client does not end");
	host_set_clock(0);
}

static void client_leaves_zone(void)
{
	make_client(0, 0);
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "a zone with a client ended");
}

static bool any_code(unsigned long caller, const void *owner)
{
	return true;
}

/* The call does not say whose client it is. */
static void client_owner_gone(void)
{
	make_client(0, 0);
	p = pages(3);
	EXPECT(myalloc_client_orphan(zone, &(struct myalloc_leaver){
		.owner = &p, .words = "module frob", .is_code = any_code }) == 1,
	       "the owner had no client");
}

const struct misuse misuse_client[] = {
	CASE(client_twice,
	     "bad free as 3 pages: already free (double free); frame *"),
	CASE(client_of_another,
	     "bad free as 3 pages: not what it was allocated as; frame *"),
	CASE(client_no_client,
	     "bad free as 3 pages: not what it was allocated as; frame *"),
	CASE(client_wrong_args,
	     "a client's name has 1 to 31 ASCII letters, digits, '-', '_', '.'\n"
	     "client frob: the name is already used by a client of frob\n"
	     "client a: unknown checks 0x400\n"
	     "client a: the soft quota of 2 pages is above the hard one of 1\n"
	     "client frob: unknown flags 0x2, or poison without release"),
	CASE(client_ends_in_use,
	     "client frob: still held: 2 objects of frob-request from object+*, oldest 81 s\n"
	     " (stack)\n"
	     "client frob cannot end: it has 1 cache, 0 fronts, 1 page, 0 clients below it"),
	CASE(client_leaves_zone,
	     "cannot be destroyed: client frob still exists"),
	CASE(client_owner_gone,
	     "client frob: still held: 3 pages from *, oldest * s\n"
	     "client frob: module frob is gone and has left 3 pages behind"),
	{ }
};
