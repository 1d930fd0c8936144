// SPDX-License-Identifier: GPL-2.0
/*
 * fake_ring: the rings of the fake device that a process reads
 *
 * One is open at a time. It has the layout of the kernel's, and its second half repeats the first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/ring.h"
#include "fake.h"

#define PAGE		4096u

static struct {
	struct myalloc_ring_control *at;	/* NULL: none is open */
	struct myalloc_ring_file file;
	bool own;
} ring;

static char *data(void)
{
	return (char *)ring.at + PAGE;
}

static void store(__u64 pos, const void *from, size_t size)
{
	size_t i, at;

	for (i = 0; i < size; i++) {
		at = (pos + i) & (ring.file.bytes - 1);
		data()[at] = ((const char *)from)[i];
		data()[at + ring.file.bytes] = ((const char *)from)[i];
	}
}

/* false: it is full. */
static bool add(__u32 flags, const void *record, __u32 length)
{
	struct myalloc_ring_record head = { .length = length | flags };
	__u64 total = (sizeof(head) + length + 7) & ~7ull, tail = ring.at->tail;

	if (tail + total - ring.at->oldest > ring.file.bytes)
		return false;
	store(tail, &head, sizeof(head));
	store(tail + sizeof(head), record, length);
	ring.at->tail += total;
	return true;
}

/* The record with a number, as ring.h of the interface says; a setting spoils the last word. */
static bool make(__u64 number, __u64 seed)
{
	__u64 word[40] = { number }, x = ring_mix(number, seed);
	__u32 length = 8 + (x >> 56);
	int i;

	for (i = 1; i < 40; i++)
		word[i] = x + i;
	if (SET(ring_spoil) && number == (__u64)SET(ring_spoil))
		((char *)word)[length - 1] ^= 1;
	return add(ring_is_discarded(number, seed) ? MYALLOC_RECORD_DISCARDED : 0, word, length);
}

static int open_ring(struct myalloc_ring_file *f, bool own)
{
	if (f->size != sizeof(*f) || f->pad || ring.at)
		return -EINVAL;
	while (f->bytes & (f->bytes - 1) || f->bytes < PAGE)
		f->bytes++;
	f->map_bytes = PAGE + 2 * f->bytes;
	f->fd = FAKE_RING_FD;
	ring.file = *f;
	ring.own = own;
	ring.at = calloc(1, f->map_bytes);
	ring.at->data_bytes = f->bytes;
	ring.at->header_bytes = 8;
	return 0;
}

int fake_ring_create(struct myalloc_ring_file *f)
{
	if (!f->bytes || f->bytes > PAGE << 10)
		return -EINVAL;
	return open_ring(f, true);
}

/* The ring "packets", with records of 5 and 40 bytes in turn. */
int fake_ring_open(struct myalloc_ring_file *f)
{
	char record[40] = "hello";
	int err, i;

	if (f->id != 3)
		return -ENOENT;
	f->bytes = 65536;
	err = open_ring(f, false);
	for (i = 0; !err && i < SET(ring_records); i++)
		add(i % 4 == 3 ? MYALLOC_RECORD_DISCARDED : 0, record, i % 2 ? 40 : 5);
	if (!err && SET(ring_busy))
		add(MYALLOC_RECORD_BUSY, record, 5);
	return err;
}

int fake_ring_release(const struct myalloc_ring_release *r)
{
	if (r->position > ring.at->tail || r->position < ring.at->oldest)
		return -EINVAL;
	ring.at->oldest = r->position;
	return 0;
}

int fake_ring_produce(struct myalloc_ring_produce *p)
{
	if (!ring.own)
		return -EPERM;
	if (p->flags & ~MYALLOC_RING_PRODUCE_FLAGS || p->pad || !p->count)
		return -EINVAL;
	for (p->done = 0; p->done < p->count; p->done++)
		if (!make(p->first + p->done, p->seed))
			return -EAGAIN;
	return 0;
}

/* Is there a record to be read? Each time that there is none, one comes until the last has. */
int fake_ring_wait(void)
{
	if (SET(ring_silent))
		return 0;
	if (ring.at->tail == ring.at->oldest && SET(ring_later)) {
		SET(ring_later)--;
		add(0, "later", 5);
	}
	return ring.at->tail != ring.at->oldest;
}

/* Its mapping, if any, has ended. */
void fake_ring_close(void)
{
	free(ring.at);
	ring.at = NULL;
}

int dev_map_ring(int fd, size_t size, void **at)
{
	int err = fake_called("MAP_RING", "");

	*at = NULL;
	if (err)
		return err;
	if (fd != FAKE_RING_FD || size != ring.file.map_bytes)
		return -EINVAL;
	*at = ring.at;
	return 0;
}

bool dev_can_write_ring(int fd, size_t size)
{
	(void)fd;
	(void)size;
	return SET(ring_writable);
}

/* Was it a ring? */
bool fake_ring_unmap(void *at)
{
	return ring.at && at == ring.at;
}
