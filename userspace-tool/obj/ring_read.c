// SPDX-License-Identifier: GPL-2.0
/*
 * ring read, follow, map: rings in this process
 *
 * Records are read in place, in the pages that the kernel writes; after that they are released, so
 * that the kernel reuses their space.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/ring.h"
#include "host/mem.h"
#include "host/stop.h"
#include "obj/ring_read.h"
#include "out/out.h"

#define SHOWN		16	/* bytes of a record in a line of text */
#define HEADER_EVERY	20	/* lines of follow between headings: most of a terminal of 24 */
#define PORTION		64	/* records that the kernel produces between two reads */

/* A ring that is open and mapped. */
struct ring {
	struct myalloc_ring_file file;
	void *at;
	struct ring_view view;
};

static int ring_open(struct device *d, unsigned long cmd, struct ring *r)
{
	int err = dev_call(d->fd, cmd, &r->file);

	if (err)
		return err;
	err = dev_map_ring(r->file.fd, r->file.map_bytes, &r->at);
	if (err) {
		dev_close(r->file.fd);
		return err;
	}
	ring_begin(&r->view, r->at, d->info.page_size);
	return 0;
}

static void ring_close(struct ring *r)
{
	dev_unmap(r->at, r->file.map_bytes);
	dev_close(r->file.fd);
}

static int ring_release(struct ring *r)
{
	struct myalloc_ring_release arg = { .position = r->view.pos };
	int err = dev_call(r->file.fd, MYALLOC_IOC_RING_RELEASE, &arg);

	return err ? explain("releasing the records", err) : EXIT_OK;
}

static int open_shared(struct device *d, const char *name, __u64 id, struct ring *r)
{
	int err;

	*r = (struct ring){ .file = { .size = sizeof(r->file), .id = id } };
	err = ring_open(d, MYALLOC_IOC_RING_OPEN, r);
	switch (err) {
	case 0:
		return EXIT_OK;
	case -EBUSY:
		return out_fail(EXIT_FAILED, "ring '%s' is being read by another process", name);
	case -ENOENT:
		return out_fail(EXIT_FAILED, "ring '%s' is gone, or not shared any more", name);
	default:
		return explain("opening a ring", err);
	}
}

#define RECORD_FORM	"bytes:uint data:text first:text"

const char ring_record_form[] = RECORD_FORM;
const char ring_read_form[] = "records:[{ " RECORD_FORM " }] name:text count:uint released:bool";

static void put_record(struct out *o, const void *record, size_t length)
{
	const unsigned char *byte = record;
	char *text = xcalloc(2 * length + 1, 1), *first;
	size_t i;

	for (i = 0; i < length; i++) {
		text[2 * i] = "0123456789abcdef"[byte[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[byte[i] & 15];
	}
	first = length > SHOWN ? xasprintf("%.*s...", 2 * SHOWN, text) : xasprintf("%s", text);
	out_u64(o, "bytes", "bytes", OUT_PLAIN, length);
	out_str(o, "data", NULL, OUT_PLAIN, text);
	out_str(o, "first", "data", OUT_PLAIN, first);
	free(first);
	free(text);
}

int ring_read_all(struct device *d, const char *name, __u64 id, const struct ring_wish *w)
{
	const void *record;
	struct ring r;
	struct out *o;
	size_t length;
	__u64 nr;
	int code;

	code = open_shared(d, name, id, &r);
	if (code)
		return code;
	o = out_new("ring read");
	out_list(o, "records", "Records");
	for (nr = 0; nr < w->count && (record = ring_next(&r.view, &length)); nr++) {
		out_item(o);
		put_record(o, record, length);
		out_end(o);
	}
	out_end(o);
	if (!w->keep)
		code = ring_release(&r);
	ring_close(&r);
	out_str(o, "name", "ring", OUT_PLAIN, name);
	out_u64(o, "count", "records", OUT_PLAIN, nr);
	out_bool(o, "released", "released", OUT_PLAIN, !w->keep && !code);
	return out_finish(o, code);
}

/* Read and show all available records; *@nr is the number shown so far. */
static int follow_rows(struct ring *r, const struct ring_wish *w, __u64 *nr)
{
	const void *record;
	size_t length;
	struct out *o;
	int code = EXIT_OK;

	while (!code && *nr < w->count && (record = ring_next(&r->view, &length))) {
		o = out_new("ring follow");
		put_record(o, record, length);
		code = out_finish_row(o, EXIT_OK, (*nr)++ % HEADER_EVERY == 0);
	}
	return code ? code : ring_release(r);
}

int ring_follow_all(struct device *d, const char *name, __u64 id, const struct ring_wish *w)
{
	__u64 began = stop_now_ms(), passed, nr = 0;
	struct ring r;
	int code;

	stop_catch();
	code = open_shared(d, name, id, &r);
	if (code)
		return code;
	for (;;) {
		code = follow_rows(&r, w, &nr);
		passed = stop_now_ms() - began;
		if (code || nr == w->count || stop_signal() || passed >= w->ms)
			break;
		dev_wait(r.file.fd, w->ms == STOP_NEVER ? STOP_NEVER : w->ms - passed);
	}
	ring_close(&r);
	if (!code && stop_signal() && w->count != RING_ALL)
		code = 128 + stop_signal();
	return code;
}

/* Outcomes of the records that the kernel made. */
struct counts {
	__u64 read, discarded, wrong, silent, full;
};

/* Let the kernel make a portion of records, and add their number to *@first. */
static int make_portion(struct ring *r, const struct ring_wish *w, __u64 *first, struct counts *n)
{
	struct myalloc_ring_produce p = {
		.flags = *first / PORTION % 2 ? MYALLOC_RING_FROM_IRQ : 0,
		.seed = w->seed, .first = *first,
		.count = w->count - *first < PORTION ? w->count - *first : PORTION,
	};
	int err = dev_call(r->file.fd, MYALLOC_IOC_RING_PRODUCE, &p);

	if (err == -EAGAIN)
		n->full++;
	else if (err)
		return err;
	*first += p.done;
	return 0;
}

static void check_records(struct ring *r, const struct ring_wish *w, __u64 first, __u64 *expected,
			  struct counts *n)
{
	const void *record;
	__u64 number;
	size_t length;
	bool any = dev_wait(r->file.fd, 0) == 1;

	for (;;) {
		for (; *expected < first && ring_is_discarded(*expected, w->seed); ++*expected)
			n->discarded++;
		record = ring_next(&r->view, &length);
		if (!record)
			break;
		memcpy(&number, record, sizeof(number));
		n->wrong += number != *expected || !ring_is_good(record, length, w->seed);
		/* poll() had reported no record. */
		n->silent += !any;
		*expected = number + 1;
		n->read++;
	}
}

static int fill_and_read(struct ring *r, const struct ring_wish *w, struct counts *n)
{
	__u64 first = 0, expected = 0;
	int err, code = EXIT_OK;

	while (!code && first < w->count) {
		if (stop_signal())
			return 128 + stop_signal();
		err = make_portion(r, w, &first, n);
		if (err)
			return explain("producing records", err);
		check_records(r, w, first, &expected, n);
		code = ring_release(r);
	}
	/* Missing records at the end are errors, too. */
	n->wrong += expected != first;
	return code;
}

const char ring_map_form[] =
	"^seed:uint bytes:uint map_bytes:uint read:uint discarded:uint full:uint wrong:uint "
	"silent:uint writable:bool verdict:'ok'|'failed'";

int ring_map_visit(struct device *d, const struct ring_wish *w)
{
	struct ring r = {
		.file = { .size = sizeof(r.file), .mode = MYALLOC_RING_MODE_MANY, .bytes = w->bytes },
	};
	struct counts n = { 0 };
	bool writable, good;
	struct out *o;
	int code, err;

	if (w->bytes > (__u64)d->info.page_size << d->info.chunk_order)
		return out_fail(EXIT_USAGE, "a ring of %llu bytes is larger than this zone's largest block, %u pages",
				(unsigned long long)w->bytes, 1u << d->info.chunk_order);
	stop_catch();
	snprintf(r.file.name, sizeof(r.file.name), "map-%llu", (unsigned long long)stop_now_ms());
	err = ring_open(d, MYALLOC_IOC_RING_CREATE, &r);
	if (err == -EOPNOTSUPP)
		return out_fail(EXIT_FAILED, "the caches of this machine's architecture may alias: it has no rings");
	if (err)
		return explain("mapping a ring", err);
	writable = dev_can_write_ring(r.file.fd, r.file.map_bytes);
	code = fill_and_read(&r, w, &n);
	ring_close(&r);
	if (code && !stop_signal())
		return code;
	good = !n.wrong && !n.silent && !writable;
	o = out_new("ring map");
	out_seed(o, w->seed);
	out_u64(o, "bytes", "ring", OUT_BYTES, r.file.bytes);
	out_u64(o, "map_bytes", "mapped", OUT_BYTES, r.file.map_bytes);
	out_u64(o, "read", "records read", OUT_PLAIN, n.read);
	out_u64(o, "discarded", "discarded", OUT_PLAIN, n.discarded);
	out_u64(o, "full", "times full", OUT_PLAIN, n.full);
	out_u64(o, "wrong", "wrong or missing records", n.wrong ? OUT_BAD : OUT_PLAIN, n.wrong);
	out_u64(o, "silent", "records that poll() did not announce",
		n.silent ? OUT_BAD : OUT_PLAIN, n.silent);
	out_bool(o, "writable", "it can be mapped to be written", writable ? OUT_BAD : OUT_PLAIN,
		 writable);
	out_str(o, "verdict", "verdict", good ? OUT_GOOD : OUT_BAD, good ? "ok" : "failed");
	return out_finish(o, code ? code : good ? EXIT_OK : EXIT_FAILED);
}
