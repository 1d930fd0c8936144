// SPDX-License-Identifier: GPL-2.0
/*
 * Accounts: the pages that clients hold, and their quotas
 *
 * Pages are counted where they pass between the zone and whatever serves the user: when a slab is
 * made and when it goes back, and at an extent's allocation and free. An allocation or a free that
 * a magazine serves does not come here.
 *
 * A page counts for its client and for each client above it, at most MYALLOC_CLIENT_DEPTH. The
 * compare-and-exchange makes the hard quota exact: of two charges of which only one fits, one
 * succeeds. The soft quota refuses nothing: each charge that ends above it is counted.
 *
 * Invariant: I1 of client.c.
 */
#include "env.h"
#include "page/account.h"

static void tell(struct myalloc_client *client, u32 pages, bool refused)
{
	const struct myalloc_zone_ops *ops = client->zone->ops;

	if (ops && ops->client_quota)
		ops->client_quota(client, pages, refused);
}

static bool charge_one(struct myalloc_client *client, u32 pages)
{
	s64 now = atomic64_read(&client->pages);

	do {
		if (now + pages > client->hard) {
			atomic64_inc(&client->refused);
			tell(client, pages, true);
			return false;
		}
		myalloc_env_point("account-charge");
	} while (!atomic64_try_cmpxchg(&client->pages, &now, now + pages));
	return true;
}

/* All clients from @from up, but not @end. */
static void return_up_to(struct myalloc_client *from, const struct myalloc_client *end, u32 pages)
{
	for (; from != end; from = from->parent)
		atomic64_sub(pages, &from->pages);
}

/* The charge has succeeded: peak and soft quota. */
static void note(struct myalloc_client *client, u32 pages)
{
	s64 now = atomic64_read(&client->pages), peak = atomic64_read(&client->peak);

	while (now > peak && !atomic64_try_cmpxchg(&client->peak, &peak, now))
		;
	if (unlikely(now > client->soft)) {
		atomic64_inc(&client->over);
		tell(client, pages, false);
	}
}

/**
 * __myalloc_account_charge() - myalloc_account_charge() for a client
 * @client: the client
 * @pages: number of pages
 *
 * Context: any.
 * Return: as for myalloc_account_charge().
 */
bool __myalloc_account_charge(struct myalloc_client *client, u32 pages)
{
	struct myalloc_client *c;

	for (c = client; c; c = c->parent) {
		if (likely(charge_one(c, pages)))
			continue;
		return_up_to(client, c, pages);
		return false;
	}
	for (c = client; c; c = c->parent)
		note(c, pages);
	return true;
}

/**
 * __myalloc_account_return() - myalloc_account_return() for a client
 * @client: the client
 * @pages: number of pages
 *
 * Context: any.
 */
void __myalloc_account_return(struct myalloc_client *client, u32 pages)
{
	return_up_to(client, NULL, pages);
}
