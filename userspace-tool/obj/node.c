// SPDX-License-Identifier: GPL-2.0
/*
 * node: the NUMA nodes that the module has memory of
 */
#include <errno.h>

#include "obj/device.h"
#include "obj/objects.h"
#include "out/out.h"

static void row(struct out *o, const struct myalloc_node_stat *s)
{
	out_item(o);
	if (s->node >= 0)
		out_s64(o, "node", "node", OUT_PLAIN, s->node);
	else
		out_null(o, "node", "node");
	out_u64(o, "nr_pages", "size", OUT_PAGES, s->nr_pages);
	out_u64(o, "free_pages", "free", OUT_PAGES, s->free_pages);
	out_u64(o, "hit", "hit", OUT_PLAIN, s->hit);
	out_u64(o, "miss", "miss", OUT_PLAIN, s->miss);
	out_u64(o, "foreign", "foreign", OUT_PLAIN, s->foreign);
	out_bool(o, "used", "used", OUT_PLAIN, s->used);
	out_end(o);
}

static int node_list(struct cmd *c)
{
	struct myalloc_node_stat stat;
	struct device d;
	struct out *o;
	int code, err;
	__u32 nr;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	o = out_new("node list");
	out_page_size(o, d.info.page_size);
	out_list(o, "nodes", "");
	for (nr = 0; ; nr++) {
		stat = (struct myalloc_node_stat){ .size = sizeof(stat), .nr = nr };
		err = dev_call(d.fd, MYALLOC_IOC_NODE_STAT, &stat);
		if (err)
			break;
		row(o, &stat);
	}
	out_end(o);
	device_close(&d);
	if (err != -ENOENT)
		code = explain("reading the nodes", err);
	return out_finish(o, code);
}

static const struct verb node_verbs[] = {
	{ "list", node_list, "",
	  "memory of each node; hit, miss and foreign as numastat has them, in blocks", NULL,
	  .form = "nodes:[{ node:int|null nr_pages:uint free_pages:uint hit:uint miss:uint "
		  "foreign:uint used:bool }]" },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object node_object = {
	"node", "NUMA nodes: memory of each, and who got whose", node_verbs, "list"
};
