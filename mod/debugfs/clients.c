// SPDX-License-Identifier: GPL-2.0
/* The files about clients: a line for each, and a line for each call site. See debugfs.c. */
#include "env.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "client/client.h"
#include "client/sites.h"
#include "debugfs/files.h"
#include "stat.h"

#define NAME(type, name, ...)	" <" #name ">"
#define VALUE(type, name, ...)	put_value(m, stat.name),

static int put_value(struct seq_file *m, u64 value)
{
	seq_printf(m, " %llu", value);
	return 0;
}

/* A walk over the clients that prints them. */
struct print {
	struct seq_file *m;
	struct myalloc_client_extents extents;
};

static bool client_line(struct myalloc_client *client, void *arg)
{
	const struct print *print = arg;
	struct myalloc_client_stat stat = {};
	struct seq_file *m = print->m;

	myalloc_client_stat_fill(&stat, client, &print->extents);
	seq_puts(m, stat.name);
	(void)(MYALLOC_CLIENT_FIELDS(VALUE) 0);
	seq_printf(m, " %s\n", stat.owner);
	return true;
}

static int clients_show(struct seq_file *m, void *unused)
{
	struct print print = { .m = m };

	seq_puts(m, "clients - version: 1.0\n");
	seq_puts(m, "# <name>" MYALLOC_CLIENT_FIELDS(NAME) " <owner>\n");
	myalloc_client_extents(m->private, &print.extents);
	myalloc_client_walk(m->private, client_line, &print);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(clients);

static void put_site(struct seq_file *m, const char *name, const struct myalloc_site *site)
{
	char symbol[MYALLOC_ENV_SYMBOL] = "-";
	u64 now = myalloc_env_now_ns();

	seq_printf(m, "%s %llu %llu ", name, site->count, site->bytes);
	if (site->oldest == MYALLOC_SITE_UNKNOWN)
		seq_puts(m, "-");
	else
		seq_printf(m, "%llu", div_u64(now - min(site->oldest, now), NSEC_PER_MSEC));
	if (site->caller)
		myalloc_env_symbol(symbol, sizeof(symbol), site->caller);
	seq_printf(m, " %s %s\n", symbol, site->what);
}

/* Finds the next client by number in each call, so that the list is unlocked in between. */
struct turn {
	struct seq_file *m;
	u64 after;
	bool any;
};

static bool site_lines(struct myalloc_client *client, void *arg)
{
	struct turn *turn = arg;
	struct seq_file *m = turn->m;
	struct myalloc_sites sites;
	u32 i;

	if (client->id <= turn->after)
		return true;
	turn->after = client->id;
	turn->any = true;
	if (myalloc_sites_collect(&sites, client->zone, client, 0)) {
		seq_printf(m, "%s: out of memory\n", client->name);
		return false;
	}
	for (i = 0; i < sites.nr; i++)
		put_site(m, client->name, &sites.site[i]);
	myalloc_sites_free(&sites);
	return false;
}

static int client_sites_show(struct seq_file *m, void *unused)
{
	struct turn turn = { .m = m };

	seq_puts(m, "client_sites - version: 1.0\n");
	seq_puts(m, "# <client> <count> <bytes> <oldest_ms> <caller> <what>\n");
	do {
		turn.any = false;
		myalloc_client_walk(m->private, site_lines, &turn);
	} while (turn.any);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(client_sites);

/**
 * myalloc_debugfs_clients() - create these files
 * @root: directory to create them in
 * @zone: the zone
 *
 * Context: task, sleeps.
 */
void myalloc_debugfs_clients(struct dentry *root, struct myalloc_zone *zone)
{
	debugfs_create_file("clients", 0444, root, zone, &clients_fops);
	debugfs_create_file("client_sites", 0400, root, zone, &client_sites_fops);
}
