// SPDX-License-Identifier: GPL-2.0
/*
 * zones: the zones that a reading goes through: one, or that of each NUMA node
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/zones.h"
#include "out/out.h"

static void add(struct zones *z, int node)
{
	int *more = xcalloc(z->nr + 1, sizeof(*more));

	if (z->nr)
		memcpy(more, z->node, z->nr * sizeof(*more));
	free(z->node);
	z->node = more;
	z->node[z->nr++] = node;
}

int zones_find(const struct device *d, struct zones *z)
{
	__u64 wanted = out_options()->node;
	struct myalloc_node_stat stat;
	__u32 nr = 0;
	int err;

	memset(z, 0, sizeof(*z));
	for (;;) {
		stat = (struct myalloc_node_stat){ .size = sizeof(stat), .nr = nr };
		err = dev_call(d->fd, MYALLOC_IOC_NODE_STAT, &stat);
		if (err)
			break;
		nr++;
		if (wanted == OUT_ANY_NODE || stat.node < 0 || (__u64)stat.node == wanted)
			add(z, stat.node);
	}
	/* An older module has one zone, and does not know this command. */
	if (err != -ENOENT && err != -ENOTTY) {
		zones_free(z);
		return explain("reading the nodes", err);
	}
	if (!z->nr)
		add(z, -1);
	z->several = nr > 1;
	return EXIT_OK;
}

void zones_free(struct zones *z)
{
	free(z->node);
	memset(z, 0, sizeof(*z));
}

int zones_use(const struct device *d, const struct zones *z, size_t i)
{
	struct myalloc_node_use use = { .node = z->node[i] };

	return z->several ? dev_call(d->fd, MYALLOC_IOC_NODE_USE, &use) : 0;
}

int zones_label(const struct zones *z, size_t i)
{
	return z->several ? z->node[i] : -1;
}

int zones_tell(const struct device *d, int *node)
{
	bool chosen = out_options()->node != OUT_ANY_NODE;
	struct zones zones;
	int code = zones_find(d, &zones);

	if (code)
		return code;
	if (node)
		*node = zones_label(&zones, 0);
	if (zones.several && !chosen && !out_is_json())
		out_note("this is the zone of node %d, one of %zu: --node N shows another, 'myallocctl node list' all",
			 zones.node[0], zones.nr);
	zones_free(&zones);
	return EXIT_OK;
}

void zones_put(struct out *o, int label)
{
	if (label >= 0)
		out_s64(o, "node", "node", OUT_PLAIN, label);
	else
		out_null(o, "node", NULL);
}
