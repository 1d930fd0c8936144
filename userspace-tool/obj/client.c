// SPDX-License-Identifier: GPL-2.0
/*
 * client: the clients of the zone, and the memory that each call site holds
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/device.h"
#include "obj/front.h"
#include "obj/objects.h"
#include "out/out.h"

static const char *const shown[] = {
	"pages", "refused", "hard_pages", "soft_pages", "peak_pages", "over", NULL
};

static void owner(struct out *o, const void *stat)
{
	const struct myalloc_client_stat *s = stat;

	out_strn(o, "owner", "owner", s->gone ? OUT_BAD : OUT_PLAIN, s->owner, sizeof(s->owner));
}

/* ---- sites ---- */

struct sites {
	struct myalloc_site_stat *site;
	__u32 nr;	/* in @site */
	__u32 found;
};

/* Read the call sites of a client, or of the whole zone if @client is 0. */
static int read_sites(const struct device *d, __u64 client, __u64 older_ms, struct sites *s)
{
	struct myalloc_client_sites arg = {
		.size = sizeof(arg), .room = MYALLOC_SITES_MAX, .client = client,
		.older_ms = older_ms,
	};
	int err;

	s->site = xcalloc(MYALLOC_SITES_MAX, sizeof(*s->site));
	arg.sites = (__u64)(unsigned long)s->site;
	err = dev_call(d->fd, MYALLOC_IOC_CLIENT_SITES, &arg);
	s->nr = arg.done;
	s->found = arg.nr;
	return err;
}

static bool same(const struct myalloc_site_stat *a, const struct myalloc_site_stat *b)
{
	return !strncmp(a->what, b->what, sizeof(a->what)) &&
	       !strncmp(a->caller, b->caller, sizeof(a->caller));
}

/* Reduce @now to the call sites that have grown since @before, and to their growth. */
static void keep_grown(struct sites *now, const struct sites *before)
{
	__u32 i, k, nr = 0;

	for (i = 0; i < now->nr; i++) {
		struct myalloc_site_stat site = now->site[i];

		for (k = 0; k < before->nr && !same(&site, &before->site[k]); k++)
			;
		if (k < before->nr) {
			if (site.bytes <= before->site[k].bytes)
				continue;
			site.bytes -= before->site[k].bytes;
			site.count -= site.count < before->site[k].count ? site.count :
				      before->site[k].count;
		}
		now->site[nr++] = site;
	}
	now->nr = nr;
	now->found = nr;
}

#define SITES_FORM \
	"sites:[{ count:uint bytes:uint oldest_ms:uint|null what:text caller:text|null }]"

static void put_sites(struct out *o, const struct sites *s)
{
	__u32 i;

	out_list(o, "sites", "Held by call site");
	for (i = 0; i < s->nr; i++) {
		const struct myalloc_site_stat *site = &s->site[i];

		out_item(o);
		out_u64(o, "count", "count", OUT_PLAIN, site->count);
		out_u64(o, "bytes", "bytes", OUT_BYTES, site->bytes);
		out_rank(o, OUT_KEY);
		if (site->oldest_ms == MYALLOC_AGE_UNKNOWN)
			out_null(o, "oldest_ms", "oldest");
		else
			out_u64(o, "oldest_ms", "oldest", OUT_MS, site->oldest_ms);
		out_strn(o, "what", "what", OUT_PLAIN, site->what, sizeof(site->what));
		out_rank(o, OUT_KEY);
		if (site->caller[0])
			out_strn(o, "caller", "call site", OUT_PLAIN, site->caller,
				 sizeof(site->caller));
		else
			out_null(o, "caller", "call site");
		out_rank(o, OUT_KEY);
		out_end(o);
	}
	out_end(o);
	if (s->found > s->nr)
		out_warn("%u call sites hold less than these and are not listed",
			 s->found - s->nr);
}

/* ---- list, show ---- */

struct by_name {
	const char *name;
	__u64 id;
	__u32 gone;
};

static int find_client(const struct device *d, struct by_name *by)
{
	struct myalloc_client_stat stat;
	int err;

	for (memset(&stat, 0, sizeof(stat)); ; stat.id++) {
		stat.size = sizeof(stat);
		stat.how = MYALLOC_NEXT_ID;
		err = dev_call(d->fd, MYALLOC_IOC_CLIENT_STAT, &stat);
		if (err)
			return err;
		if (!strncmp(by->name, stat.name, sizeof(stat.name)))
			break;
	}
	by->id = stat.id;
	by->gone = stat.gone;
	return 0;
}

static int show_sites(struct device *d, struct out *o, const char *name)
{
	struct by_name by = { .name = name };
	struct sites s;
	int err = find_client(d, &by);

	if (err)
		return err;
	err = read_sites(d, by.id, 0, &s);
	if (!err)
		put_sites(o, &s);
	free(s.site);
	return err;
}

static const struct front clients = {
	.kind = &figures_kinds[FIGURES_CLIENT], .one = "a client", .title = "Client",
	.shown = shown, .row = owner, .traits = owner,
	.rest = show_sites,
};

static int client_list(struct cmd *c)
{
	return front_list(c, &clients);
}

static int client_show(struct cmd *c)
{
	return front_show(c, &clients);
}

/* ---- leaks ---- */

struct look {
	__u64 older_ms;
	__u64 diff_ms;
};

static int look(const struct device *d, const struct look *l, struct sites *now)
{
	struct sites before = { NULL };
	int err = read_sites(d, 0, l->older_ms, now);

	if (err || !l->diff_ms)
		return err;
	before = *now;
	now->site = NULL;
	stop_catch();
	if (stop_wait(-1, l->diff_ms) < 0)
		err = -EINTR;
	else
		err = read_sites(d, 0, l->older_ms, now);
	if (!err)
		keep_grown(now, &before);
	free(before.site);
	return err;
}

static int client_leaks(struct cmd *c)
{
	struct look l = { 0 };
	struct sites s = { NULL };
	struct device d;
	struct out *o;
	int code, err;

	cmd_options(c, &l);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = look(&d, &l, &s);
	device_close(&d);
	if (err) {
		free(s.site);
		return handles_stopped(err) ?: explain("listing what is held", err);
	}
	o = out_new("client leaks");
	put_sites(o, &s);
	if (!s.nr && !out_is_json())
		out_note(l.diff_ms ? "nothing has grown" : "nothing is held");
	code = out_finish(o, EXIT_OK);
	free(s.site);
	return code;
}

/* ---- release ---- */

struct wish {
	__u32 flags;
};

static int client_release(struct cmd *c)
{
	struct by_name by = { 0 };
	struct myalloc_client_release arg = { .size = sizeof(arg) };
	struct wish w = { 0 };
	struct device d;
	struct out *o;
	int code, err;

	cmd_options(c, &w);
	by.name = cmd_word(c);
	if (!by.name)
		cmd_usage(c, "missing name of a client; 'myallocctl client list' shows them");
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = find_client(&d, &by);
	arg.flags = w.flags;
	arg.client = by.id;
	if (!err)
		err = dev_call(d.fd, MYALLOC_IOC_CLIENT_RELEASE, &arg);
	device_close(&d);
	if (err == -ENOENT)
		return out_fail(EXIT_FAILED, "no client '%s'; 'myallocctl client list' shows all",
				by.name);
	if (err == -EPERM)
		return out_fail(EXIT_FAILED, "the owner of client %s still exists; only a client whose owner is gone can be released",
				by.name);
	if (err)
		return explain("releasing the client", err);
	o = out_new("client release");
	out_str(o, "released", "released", OUT_GOOD, by.name);
	return out_finish(o, EXIT_OK);
}

static const struct opt leaks_opts[] = {
	{ "older", 0, OPT_TIME, "TIME", OPT_TARGET(struct look, older_ms),
	  .min = 1, .max = 366ull * 24 * 3600000, .otherwise = "of any age",
	  .help = "leave out what is known to be younger" },
	{ "diff", 0, OPT_TIME, "TIME", OPT_TARGET(struct look, diff_ms),
	  .min = 1, .max = 24 * 3600000, .otherwise = "look once",
	  .help = "look twice, TIME apart, and list what has grown" },
	{ NULL }
};

static const struct opt release_opts[] = {
	{ "poison", 0, OPT_FLAG, OPT_TARGET(struct wish, flags), .bits = MYALLOC_RELEASE_FILL,
	  .help = "overwrite the memory before it is freed" },
	{ NULL }
};

static const struct verb client_verbs[] = {
	{ "list", client_list, "", "list every client, with its owner and quotas", NULL,
	  .form = FRONT_LIST("clients", "client", "owner:text") },
	{ "show", client_show, "NAME", "show one client in full, and what it holds by call site",
	  NULL, .form = FRONT_SHOW("client", "owner:text", "") " " SITES_FORM },
	{ "leaks", client_leaks, "",
	  "list what each call site holds, largest first, whether of a client or not", leaks_opts,
	  .form = SITES_FORM },
	{ "release", client_release, "NAME",
	  "free what a client holds whose module is gone, and end the client", release_opts,
	  .form = "released:text" },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object client_object = {
	"client", "who holds what, up to which quota, and from which line of code", client_verbs,
	"list"
};
