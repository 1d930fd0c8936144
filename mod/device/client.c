// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about clients: statistics, holdings by call site, and release
 *
 * No address leaves the kernel: call sites are symbols.
 */
#include "env.h"

#include <linux/uaccess.h>

#include "client/client.h"
#include "client/sites.h"
#include "device/command.h"
#include "stat.h"

static_assert(sizeof(struct myalloc_client_stat) == 40 + 56 + 13 * 8 + 4 * 4);
static_assert(sizeof(struct myalloc_client_sites) == 40);
static_assert(sizeof(struct myalloc_site_stat) == 40 + 88 + 24);
static_assert(sizeof(struct myalloc_client_release) == 16);
static_assert(MYALLOC_SITE_WHAT_MAX == MYALLOC_SITE_WHAT);
static_assert(MYALLOC_OWNER_NAME_MAX == MYALLOC_CLIENT_OWNER);

/* The target and the result of a walk over the clients. */
struct search {
	u64 id;
	bool or_next;
	int err;
	struct myalloc_client_stat *stat;
	struct myalloc_client_extents extents;
	struct myalloc_sites *sites;
	u64 older_ns;
};

static bool visit(struct myalloc_client *client, void *arg)
{
	struct search *s = arg;

	if (client->id < s->id)
		return true;
	s->err = s->or_next || client->id == s->id ? 0 : -ENOENT;
	if (s->err)
		return false;
	if (s->stat)
		myalloc_client_stat_fill(s->stat, client, &s->extents);
	if (s->sites)
		s->err = myalloc_sites_collect(s->sites, client->zone, client, s->older_ns);
	return false;
}

static int do_client_stat(struct myalloc_session *session, struct myalloc_zone *zone,
			  void __user *user)
{
	struct myalloc_client_stat stat;
	struct search s = { .stat = &stat, .err = -ENOENT };
	int err = myalloc_copy_in(&stat, sizeof(stat), user);

	if (err)
		return err;
	if (stat.how != MYALLOC_BY_ID && stat.how != MYALLOC_NEXT_ID)
		return -EINVAL;
	s.id = stat.id;
	s.or_next = stat.how == MYALLOC_NEXT_ID;
	myalloc_client_extents(zone, &s.extents);
	myalloc_client_walk(zone, visit, &s);
	return s.err ?: myalloc_copy_out(user, &stat, sizeof(stat));
}

static void fill_site(struct myalloc_site_stat *to, const struct myalloc_site *from, u64 now)
{
	memset(to, 0, sizeof(*to));
	strscpy(to->what, from->what, sizeof(to->what));
	if (from->caller)
		myalloc_env_symbol(to->caller, sizeof(to->caller), from->caller);
	to->count = from->count;
	to->bytes = from->bytes;
	to->oldest_ms = MYALLOC_AGE_UNKNOWN;
	if (from->oldest != MYALLOC_SITE_UNKNOWN)
		to->oldest_ms = div_u64(now - min(from->oldest, now), NSEC_PER_MSEC);
}

static int copy_sites(struct myalloc_client_sites *arg, const struct myalloc_sites *sites)
{
	struct myalloc_site_stat __user *to = u64_to_user_ptr(arg->sites);
	u64 now = myalloc_env_now_ns();

	arg->nr = sites->nr;
	for (arg->done = 0; arg->done < min(arg->room, sites->nr); arg->done++) {
		struct myalloc_site_stat stat;

		fill_site(&stat, &sites->site[arg->done], now);
		if (copy_to_user(to + arg->done, &stat, sizeof(stat)))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

static int do_client_sites(struct myalloc_session *session, struct myalloc_zone *zone,
			   void __user *user)
{
	struct myalloc_client_sites arg;
	struct myalloc_sites sites;
	struct search s = { .sites = &sites, .err = -ENOENT };
	int err = myalloc_copy_in(&arg, sizeof(arg), user);

	if (err)
		return err;
	if (!arg.room || arg.room > MYALLOC_SITES_MAX || arg.done || arg.nr ||
	    arg.older_ms > U64_MAX / NSEC_PER_MSEC)
		return -EINVAL;
	s.id = arg.client;
	s.older_ns = arg.older_ms * NSEC_PER_MSEC;
	if (arg.client)
		myalloc_client_walk(zone, visit, &s);
	else
		s.err = myalloc_sites_collect(&sites, zone, NULL, s.older_ns);
	if (s.err)
		return s.err;
	err = copy_sites(&arg, &sites);
	myalloc_sites_free(&sites);
	return err ?: myalloc_copy_out(user, &arg, sizeof(arg));
}

static int do_client_release(struct myalloc_session *session, struct myalloc_zone *zone,
			     void __user *user)
{
	struct myalloc_client_release arg;
	unsigned int flags = MYALLOC_RELEASE_ALL;
	int err = myalloc_copy_in(&arg, sizeof(arg), user);

	if (err)
		return err;
	if (arg.flags & ~MYALLOC_RELEASE_FILL)
		return -EINVAL;
	if (arg.flags)
		flags |= MYALLOC_RELEASE_POISON;
	return myalloc_client_end_gone(zone, arg.client, flags);
}

const struct myalloc_command myalloc_client_commands[] = {
	{ MYALLOC_IOC_CLIENT_STAT, true, do_client_stat },
	{ MYALLOC_IOC_CLIENT_SITES, true, do_client_sites },
	{ MYALLOC_IOC_CLIENT_RELEASE, true, do_client_release },
	{ }
};
